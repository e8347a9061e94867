//! Parquet, streamed: one batch of the wanted columns in memory at a time.

mod types;

use std::{
    fs::File,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Arc,
};

use parquet::{
    basic::Compression,
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType, FixedLenByteArray, Int96},
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData},
        reader::{FileReader, RowGroupReader, SerializedFileReader},
    },
    schema::types::SchemaDescriptor,
};
use types::Reading;

use super::{
    fault::{DataError, Place},
    table::{Cell, FoundColumn, FoundColumns, RowHandler, ValueKind, Wanted, pick},
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

/// How many rows `file` says that it has.
pub(crate) fn count_rows(file: &Path) -> Result<u64, DataError> {
    let opened = File::open(file).map_err(|source| DataError::Read { file: file.to_owned(), source })?;
    let open = AssertUnwindSafe(|| SerializedFileReader::new(opened));
    let reader =
        panic::catch_unwind(open).unwrap_or_else(|_| Err(ParquetError::General("damaged".to_owned())));
    let reader = reader.map_err(|source| DataError::Parquet { file: file.to_owned(), source })?;
    Ok(u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0))
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
    let names: Vec<String> = (0..schema.num_columns()).map(|column| name_of(&schema, column)).collect();
    let picked = pick(file, &names, wanted)?;
    let (picked, found) = plan(file, reader.metadata(), &picked, wanted)?;
    handler.columns(&found);
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

/// A column that is read: its index and how.
type Planned = (usize, Reading);

/// How each picked column is read. One that is needed and cannot be is refused; an optional one is passed over, and so is
/// every other column, whatever it holds.
fn plan(
    file: &Path,
    metadata: &ParquetMetaData,
    picked: &[Option<usize>],
    wanted: &[Wanted],
) -> Result<(Vec<Option<Planned>>, FoundColumns), DataError> {
    let schema = metadata.file_metadata().schema_descr_ptr();
    let mut found = FoundColumns::default();
    let mut planned = Vec::with_capacity(picked.len());
    for (index, wanted) in picked.iter().zip(wanted) {
        let Some(index) = *index else {
            planned.push(None);
            found.picked.push(None);
            continue;
        };
        let column = schema.column(index);
        let name = name_of(&schema, index);
        let reading = refuse_codec(metadata, index).and_then(|()| types::reading(&column, wanted.kind));
        match reading {
            Ok(reading) => {
                planned.push(Some((index, reading)));
                found.picked.push(Some(FoundColumn { name, type_name: types::type_name(&column) }));
            }
            Err(problem) if wanted.required || wanted.kind == ValueKind::List => {
                let problem = format!(
                    "column `{name}` {problem}; write it as such, or name another column with {}",
                    wanted.flag
                );
                return Err(DataError::Format { file: file.to_owned(), problem });
            }
            Err(problem) => {
                planned.push(None);
                found.picked.push(None);
                found.unread.push(format!("{name}: it {problem}"));
            }
        }
    }
    let others = (0..schema.num_columns()).filter(|column| !picked.contains(&Some(*column)));
    found.unread.extend(others.map(|column| name_of(&schema, column)));
    Ok((planned, found))
}

/// The name of a column as people know it: that of the list where its values are in lists (`genres`, not `genres.list.element`).
fn name_of(schema: &SchemaDescriptor, column: usize) -> String {
    let found = schema.column(column);
    match found.max_rep_level() {
        0 => found.path().string(),
        _ => schema.get_column_root(column).name().to_owned(),
    }
}

/// Refuses a column whose compression no part of this program reads.
fn refuse_codec(metadata: &ParquetMetaData, column: usize) -> Result<(), String> {
    let codec = |group: &RowGroupMetaData| group.columns().get(column).map(ColumnChunkMetaData::compression);
    match metadata.row_groups().iter().filter_map(codec).find(|codec| matches!(codec, Compression::LZO)) {
        Some(codec) => Err(format!(
            "is compressed with {codec}, which is not read: expected SNAPPY, ZSTD, GZIP, LZ4_RAW, LZ4, BROTLI or UNCOMPRESSED"
        )),
        None => Ok(()),
    }
}

fn read_group(
    group: &dyn RowGroupReader,
    picked: &[Option<Planned>],
    place: &mut Place,
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    let file = place.file.to_path_buf();
    let broken = |source| DataError::Parquet { file: file.clone(), source };
    let mut columns = Vec::with_capacity(picked.len());
    for index in picked {
        columns.push(match index {
            Some(planned) => Some(Column::open(group, *planned).map_err(broken)?),
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
    reading: Reading,
    batch: Batch,
    /// The cell taken last, where it is text that the file does not hold as such.
    text: Vec<u8>,
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
    Boolean(Vec<bool>),
    Integer96(Vec<Int96>),
}

impl Column {
    fn open(group: &dyn RowGroupReader, (index, reading): Planned) -> Result<Self, ParquetError> {
        let present = group.metadata().column(index).column_descr().max_def_level();
        let reader = group.get_column_reader(index)?;
        let batch = match &reader {
            ColumnReader::Int32ColumnReader(_) => Batch::Integer32(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Batch::Integer64(Vec::new()),
            ColumnReader::FloatColumnReader(_) => Batch::Float(Vec::new()),
            ColumnReader::DoubleColumnReader(_) => Batch::Double(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Batch::Text(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => Batch::Fixed(Vec::new()),
            ColumnReader::BoolColumnReader(_) => Batch::Boolean(Vec::new()),
            ColumnReader::Int96ColumnReader(_) => Batch::Integer96(Vec::new()),
        };
        let (levels, text) = (Vec::new(), Vec::new());
        Ok(Self { reader, reading, batch, text, levels, present, row: 0, value: 0 })
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
            (ColumnReader::BoolColumnReader(reader), Batch::Boolean(values)) => {
                rows(reader, n, levels, values)
            }
            (ColumnReader::Int96ColumnReader(reader), Batch::Integer96(values)) => {
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
        self.batch.cell(self.value - 1, self.reading, &mut self.text).unwrap_or(Cell::Null)
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
            Self::Boolean(values) => values.len(),
            Self::Integer96(values) => values.len(),
        }
    }

    /// The value at `index`. `text` holds what the file holds in another form.
    fn cell<'a>(&'a self, index: usize, reading: Reading, text: &'a mut Vec<u8>) -> Option<Cell<'a>> {
        match self {
            Self::Integer32(values) => {
                let value = *values.get(index)?;
                Some(match reading {
                    Reading::Unsigned => Cell::Integer(i64::from(value.cast_unsigned())),
                    _ => whole(i64::from(value), reading, text),
                })
            }
            Self::Integer64(values) => Some(whole(*values.get(index)?, reading, text)),
            Self::Float(values) => values.get(index).map(|v| Cell::Float(f64::from(*v))),
            Self::Double(values) => values.get(index).map(|v| Cell::Float(*v)),
            Self::Text(values) => Some(bytes(values.get(index)?.data(), reading, text)),
            Self::Fixed(values) => Some(bytes(values.get(index)?.data(), reading, text)),
            Self::Boolean(values) => values.get(index).map(|v| Cell::Boolean(*v)),
            Self::Integer96(values) => values.get(index).map(|v| Cell::Time(julian(v.data()))),
        }
    }
}

fn whole(value: i64, reading: Reading, text: &mut Vec<u8>) -> Cell<'_> {
    #[expect(clippy::cast_precision_loss, reason = "below a microsecond, times need no order")]
    match reading {
        Reading::Unsigned => Cell::Unsigned(value.cast_unsigned()),
        Reading::Decimal(scale) => {
            types::write_decimal(i128::from(value), scale, text);
            Cell::Text(text)
        }
        Reading::Date => Cell::Time(value as f64 * 86_400.0),
        Reading::Timestamp(a_second) => {
            // Whole seconds and the rest each fit a float; nanoseconds since 1970 do not.
            let rest = (value % a_second) as f64 / a_second as f64;
            Cell::Time((value / a_second) as f64 + rest)
        }
        _ => Cell::Integer(value),
    }
}

fn bytes<'a>(value: &'a [u8], reading: Reading, text: &'a mut Vec<u8>) -> Cell<'a> {
    match reading {
        // A number that is too long to be read is neither a finite number nor an id: the row is refused.
        Reading::Decimal(scale) => match types::from_bytes(value) {
            Some(unscaled) => types::write_decimal(unscaled, scale, text),
            None => return Cell::Float(f64::NAN),
        },
        Reading::Uuid => types::write_uuid(value, text),
        Reading::Half => {
            let bits = value.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
            return Cell::Float(types::half(bits));
        }
        _ => return Cell::Text(value),
    }
    Cell::Text(text)
}

/// Seconds since 1970 of the nanoseconds of a day, in two words, and its Julian number.
fn julian(words: &[u32]) -> f64 {
    let word = |i: usize| words.get(i).copied().unwrap_or(0);
    let nanoseconds = u64::from(word(1)) << 32 | u64::from(word(0));
    #[expect(clippy::cast_precision_loss, reason = "a day has fewer nanoseconds than 2^53")]
    let of_day = nanoseconds as f64 / 1e9;
    (f64::from(word(2)) - 2_440_588.0) * 86_400.0 + of_day
}
