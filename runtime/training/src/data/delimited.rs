//! Delimited text, streamed: memory is bounded by the longest line, and that is bounded too.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::{
    fault::{BadRow, DataError, Place, quoted},
    table::{Cell, Delimiter, RowHandler, Wanted, pick},
};

/// Longest line that is read. A file without line breaks (a binary one, say) would be taken into memory whole.
const LONGEST_LINE: usize = 1 << 20;
/// Rows between two calls of [`RowHandler::consumed`].
const PROGRESS_ROWS: u64 = 8192;

/// Reads `file`, handing each row on.
pub(crate) fn read(
    file: &Arc<Path>,
    delimiter: Delimiter,
    header: bool,
    wanted: &[Wanted],
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    let opened = File::open(file).map_err(|source| DataError::Read { file: file.to_path_buf(), source })?;
    read_from(opened, &Shape { file: Arc::clone(file), delimiter, header }, wanted, handler)
}

/// What is known of the file before it is read.
pub(crate) struct Shape {
    /// Its name, for messages.
    pub file: Arc<Path>,
    /// Between fields.
    pub delimiter: Delimiter,
    /// Whether the first line names the columns.
    pub header: bool,
}

/// Reads rows from anywhere.
pub(crate) fn read_from(
    input: impl Read,
    shape: &Shape,
    wanted: &[Wanted],
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(shape.delimiter.0)
        .quoting(shape.delimiter.quotes())
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(LineGuard { input, run: 0, line: 1 });
    let file = shape.file.to_path_buf();
    let mut record = ByteRecord::new();
    if !next(&mut reader, &mut record, &file)? {
        return Err(DataError::Empty { file });
    }
    let names = column_names(&record, shape)?;
    let picked = pick(&shape.file, &names, wanted)?;
    handler.columns(&picked.iter().map(|i| i.map(|i| names[i].clone())).collect::<Vec<_>>());
    let mut more = !shape.header || next(&mut reader, &mut record, &file)?;
    if !more {
        return Err(DataError::NoRows { file });
    }
    let mut rows = 0_u64;
    while more {
        let number = record.position().map_or(0, csv::Position::line);
        let place = Place { file: Arc::clone(&shape.file), unit: "line", number };
        if record.len() == names.len() {
            let bytes = record.as_slice();
            let cell = |i: Option<usize>| {
                i.and_then(|i| record.range(i)).map_or(Cell::Null, |at| Cell::Text(&bytes[at]))
            };
            let cells: Vec<Cell<'_>> = picked.iter().map(|index| cell(*index)).collect();
            handler.row(&place, &cells)?;
        } else {
            handler.bad(wrong_width(place, names.len(), &record))?;
        }
        rows += 1;
        if rows.is_multiple_of(PROGRESS_ROWS) {
            handler.consumed(reader.position().byte());
        }
        more = next(&mut reader, &mut record, &file)?;
    }
    handler.consumed(reader.position().byte());
    Ok(())
}

fn next(
    reader: &mut csv::Reader<impl Read>,
    record: &mut ByteRecord,
    file: &Path,
) -> Result<bool, DataError> {
    reader.read_byte_record(record).map_err(|error| {
        let text = error.to_string();
        let source = match error.into_kind() {
            ErrorKind::Io(source) => source,
            _ => io::Error::new(io::ErrorKind::InvalidData, text),
        };
        DataError::Read { file: file.to_owned(), source }
    })
}

fn column_names(record: &ByteRecord, shape: &Shape) -> Result<Vec<String>, DataError> {
    if !shape.header {
        return Ok((1..=record.len()).map(|n| n.to_string()).collect());
    }
    let name = |field: &[u8]| match std::str::from_utf8(field) {
        Ok(text) if !text.chars().any(char::is_control) => {
            Ok(text.trim().trim_start_matches('\u{feff}').to_owned())
        }
        _ => Err(DataError::Format {
            file: shape.file.to_path_buf(),
            problem: format!(
                "the header is not text, it has {}: is this a delimited text file?",
                quoted(field)
            ),
        }),
    };
    record.iter().map(name).collect()
}

fn wrong_width(place: Place, expected: usize, record: &ByteRecord) -> BadRow {
    let plural = |n: usize| if n == 1 { "1 field".to_owned() } else { format!("{n} fields") };
    let first = record.get(0).map(quoted).unwrap_or_default();
    BadRow {
        place,
        column: None,
        expected: plural(expected),
        found: format!("{} (the first is {first})", plural(record.len())),
    }
}

/// Refuses a line that is longer than [`LONGEST_LINE`] before it lies in memory.
struct LineGuard<R> {
    input: R,
    /// Bytes since the last line break.
    run: usize,
    /// Line being read.
    line: u64,
}

impl<R: Read> Read for LineGuard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        for part in buffer[..n].split_inclusive(|b| *b == b'\n') {
            self.run += part.len();
            if self.run > LONGEST_LINE {
                let text = format!(
                    "line {} is longer than {LONGEST_LINE} bytes: is this a delimited text file?",
                    self.line
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            if part.ends_with(b"\n") {
                self.run = 0;
                self.line += 1;
            }
        }
        Ok(n)
    }
}
