//! Parquet, streamed: one batch of the wanted columns in memory at a time.

use std::{
    fs::File,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Arc,
};

use parquet::{
    basic::Type as Physical,
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType, FixedLenByteArray},
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData},
        reader::{FileReader, RowGroupReader, SerializedFileReader},
    },
    schema::types::ColumnDescPtr,
};

use super::{
    fault::{DataError, Place},
    table::{Cell, RowHandler, Wanted, pick},
};

/// Rows of one batch.
const BATCH: usize = 8192;

/// Reads `file`, handing each row on.
pub(crate) fn read(
    file: &Arc<Path>,
    wanted: &[Wanted],
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    // The library asserts what a damaged file may break. Nothing that a panic left half done is looked at again.
    let read = AssertUnwindSafe(|| read_checked(file, wanted, handler));
    panic::catch_unwind(read).unwrap_or_else(|_| Err(damaged(file, "it is damaged")))
}

fn damaged(file: &Path, problem: &str) -> DataError {
    let source = ParquetError::General(problem.to_owned());
    DataError::Parquet { file: file.to_owned(), source }
}

fn read_checked(file: &Arc<Path>, wanted: &[Wanted], handler: &mut dyn RowHandler) -> Result<(), DataError> {
    let io = |source| DataError::Read { file: file.to_path_buf(), source };
    let broken = |source| DataError::Parquet { file: file.to_path_buf(), source };
    let opened = File::open(file).map_err(io)?;
    let size = opened.metadata().map_err(io)?.len();
    if size == 0 {
        return Err(DataError::Empty { file: file.to_path_buf() });
    }
    let reader = SerializedFileReader::new(opened).map_err(broken)?;
    refuse_places_outside(file, reader.metadata(), size)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
    let picked = pick(file, &names, wanted)?;
    for column in picked.iter().flatten() {
        refuse_unreadable(file, &schema.column(*column))?;
    }
    handler.columns(&picked.iter().map(|i| i.map(|i| names[i].clone())).collect::<Vec<_>>());
    let mut place = Place { file: Arc::clone(file), unit: "row", number: 0 };
    let mut consumed = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(broken)?;
        read_group(group.as_ref(), &picked, &mut place, handler)?;
        consumed += u64::try_from(group.metadata().compressed_size()).unwrap_or(0);
        handler.consumed(consumed);
    }
    if place.number == 0 {
        return Err(DataError::NoRows { file: file.to_path_buf() });
    }
    Ok(())
}

/// Refuses column chunks that the file cannot hold, before memory is taken for them.
fn refuse_places_outside(file: &Path, metadata: &ParquetMetaData, size: u64) -> Result<(), DataError> {
    let lies_inside = |column: &ColumnChunkMetaData| {
        let start =
            u64::try_from(column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset()));
        let length = u64::try_from(column.compressed_size());
        matches!((start, length), (Ok(start), Ok(length)) if start.checked_add(length).is_some_and(|end| end <= size))
    };
    let mut columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    if columns.all(lies_inside) { Ok(()) } else { Err(damaged(file, "a column lies outside the file")) }
}

fn refuse_unreadable(file: &Path, column: &ColumnDescPtr) -> Result<(), DataError> {
    let refuse = |what: String| {
        let problem = format!("column `{}` {what}: expected text or a number", column.path().string());
        Err(DataError::Format { file: file.to_owned(), problem })
    };
    if column.max_rep_level() > 0 {
        return refuse("holds lists".to_owned());
    }
    match column.physical_type() {
        Physical::BOOLEAN | Physical::INT96 => refuse(format!("has type {}", column.physical_type())),
        _ => Ok(()),
    }
}

fn read_group(
    group: &dyn RowGroupReader,
    picked: &[Option<usize>],
    place: &mut Place,
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    let file = place.file.to_path_buf();
    let broken = |source| DataError::Parquet { file: file.clone(), source };
    let mut columns = Vec::with_capacity(picked.len());
    for index in picked {
        columns.push(match index {
            Some(index) => Some(Column::open(group, *index).map_err(broken)?),
            None => None,
        });
    }
    let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    while left > 0 {
        let n = left.min(BATCH);
        for column in columns.iter_mut().flatten() {
            column.fill(n).map_err(broken)?;
        }
        for _ in 0..n {
            place.number += 1;
            let cells: Vec<Cell<'_>> =
                columns.iter_mut().map(|column| column.as_mut().map_or(Cell::Null, Column::take)).collect();
            handler.row(place, &cells)?;
        }
        left -= n;
    }
    Ok(())
}

/// One column of a row group: its reader and the batch read last.
struct Column {
    reader: ColumnReader,
    batch: Batch,
    /// Definition levels of the batch, where values may be missing.
    levels: Vec<i16>,
    /// Level of a value that is there; 0 where none may be missing.
    present: i16,
    /// Next row of the batch, and next value.
    row: usize,
    value: usize,
}

/// The values of a batch, without the missing ones.
enum Batch {
    Integer32(Vec<i32>),
    Integer64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Text(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Column {
    fn open(group: &dyn RowGroupReader, index: usize) -> Result<Self, ParquetError> {
        let present = group.metadata().column(index).column_descr().max_def_level();
        let reader = group.get_column_reader(index)?;
        let batch = match &reader {
            ColumnReader::Int32ColumnReader(_) => Batch::Integer32(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Batch::Integer64(Vec::new()),
            ColumnReader::FloatColumnReader(_) => Batch::Float(Vec::new()),
            ColumnReader::DoubleColumnReader(_) => Batch::Double(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Batch::Text(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => Batch::Fixed(Vec::new()),
            _ => return Err(ParquetError::General("column type is neither text nor number".to_owned())),
        };
        Ok(Self { reader, batch, levels: Vec::new(), present, row: 0, value: 0 })
    }

    /// Reads the next `n` rows.
    fn fill(&mut self, n: usize) -> Result<(), ParquetError> {
        let Self { reader, batch, levels, .. } = self;
        let read = match (reader, batch) {
            (ColumnReader::Int32ColumnReader(reader), Batch::Integer32(values)) => {
                rows(reader, n, levels, values)
            }
            (ColumnReader::Int64ColumnReader(reader), Batch::Integer64(values)) => {
                rows(reader, n, levels, values)
            }
            (ColumnReader::FloatColumnReader(reader), Batch::Float(values)) => {
                rows(reader, n, levels, values)
            }
            (ColumnReader::DoubleColumnReader(reader), Batch::Double(values)) => {
                rows(reader, n, levels, values)
            }
            (ColumnReader::ByteArrayColumnReader(reader), Batch::Text(values)) => {
                rows(reader, n, levels, values)
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Batch::Fixed(values)) => {
                rows(reader, n, levels, values)
            }
            _ => Err(ParquetError::General("column type changed within the file".to_owned())),
        }?;
        (self.row, self.value) = (0, 0);
        let values =
            if self.present == 0 { n } else { self.levels.iter().filter(|l| **l == self.present).count() };
        if read == n && self.batch.len() == values && (self.present == 0 || self.levels.len() == n) {
            return Ok(());
        }
        Err(ParquetError::General(format!(
            "a column ends {} rows before its row group does",
            n - read.min(n)
        )))
    }

    /// The cell of the next row.
    fn take(&mut self) -> Cell<'_> {
        let missing = self.present > 0 && self.levels.get(self.row) != Some(&self.present);
        self.row += 1;
        if missing {
            return Cell::Null;
        }
        self.value += 1;
        self.batch.cell(self.value - 1)
    }
}

fn rows<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    n: usize,
    levels: &mut Vec<i16>,
    values: &mut Vec<T::T>,
) -> Result<usize, ParquetError> {
    levels.clear();
    values.clear();
    let mut read = 0;
    while read < n {
        let (records, _, _) = reader.read_records(n - read, Some(levels), None, values)?;
        if records == 0 {
            break;
        }
        read += records;
    }
    Ok(read)
}

impl Batch {
    fn len(&self) -> usize {
        match self {
            Self::Integer32(values) => values.len(),
            Self::Integer64(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Fixed(values) => values.len(),
        }
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        let cell = match self {
            Self::Integer32(values) => values.get(index).map(|v| Cell::Integer(i64::from(*v))),
            Self::Integer64(values) => values.get(index).map(|v| Cell::Integer(*v)),
            Self::Float(values) => values.get(index).map(|v| Cell::Float(f64::from(*v))),
            Self::Double(values) => values.get(index).map(|v| Cell::Float(*v)),
            Self::Text(values) => values.get(index).map(|v| Cell::Text(v.data())),
            Self::Fixed(values) => values.get(index).map(|v| Cell::Text(v.data())),
        };
        cell.unwrap_or(Cell::Null)
    }
}
