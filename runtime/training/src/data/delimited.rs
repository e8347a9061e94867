//! Delimited text, streamed: memory is bounded by the longest line, and that is bounded too.

use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::{
    delimiter::{Delimiter, Replaced, UNIT_SEPARATOR},
    fault::{BadRow, DataError, Place, quoted},
    quotes::{self, Guarded, QuoteFault, Rules},
    source::TextSource,
    table::{
        Cell, Decimal, FoundColumn, FoundColumns, Layout, Quotes, RowHandler, ValueKind, Wanted, extension,
        pick,
    },
};
use crate::wording::counted;

/// Rows between two calls of [`RowHandler::consumed`].
const PROGRESS_ROWS: u64 = 8192;

/// Delimiters that are tried on the header where the extension says none, or one that does not fit.
const TRIED: [&str; 6] = [",", "\t", ";", "::", "|", " "];

/// Reads `source`, handing each row on.
pub(crate) fn read(
    source: TextSource,
    file: &Arc<Path>,
    layout: &Layout,
    wanted: &[Wanted],
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    if source.start.is_empty() {
        return Err(DataError::Empty { file: file.to_path_buf() });
    }
    let text = Text { file, layout, delimiter: delimiter(file, layout, wanted, &source.start)? };
    let rules = text.rules(&source.start);
    let consumed = source.consumed;
    let input: Box<dyn Read> = match text.delimiter.single() {
        Some(_) => Box::new(Guarded::new(source.input, rules)),
        None => Box::new(Guarded::new(Replaced::new(source.input, text.delimiter), rules)),
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(text.delimiter.single().unwrap_or(UNIT_SEPARATOR))
        .quoting(rules.is_some())
        .escape(rules.filter(|rules| rules.backslash).map(|_| b'\\'))
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(input);
    let mut record = ByteRecord::new();
    if !text.next(&mut reader, &mut record)? {
        return Err(DataError::Empty { file: file.to_path_buf() });
    }
    let names = text.column_names(&record)?;
    let picked = pick(file, &names, wanted)?;
    handler.columns(&found(&names, &picked));
    if layout.header && !text.next(&mut reader, &mut record)? {
        return Err(DataError::NoRows { file: file.to_path_buf() });
    }
    let has_comma = text.has_decimal_comma();
    let numbers: Vec<bool> = wanted
        .iter()
        .map(|column| has_comma && matches!(column.kind, ValueKind::Number | ValueKind::Time))
        .collect();
    let mut rows = 0_u64;
    loop {
        let number = record.position().map_or(0, csv::Position::line);
        let place = Place { file: Arc::clone(file), unit: "line", number };
        if record.len() == names.len() {
            let bytes = record.as_slice();
            let cell = |(i, is_number): (&Option<usize>, &bool)| {
                let Some(at) = i.and_then(|i| record.range(i)) else { return Cell::Null };
                let text = bytes[at].trim_ascii();
                is_number.then(|| decimal_comma(text)).flatten().unwrap_or(Cell::Text(text))
            };
            let cells: Vec<Cell<'_>> = picked.iter().zip(&numbers).map(cell).collect();
            handler.row(&place, &cells)?;
        } else {
            handler.bad(wrong_width(place, names.len(), &record))?;
        }
        rows += 1;
        if rows.is_multiple_of(PROGRESS_ROWS) {
            handler.consumed(consumed.get());
        }
        if !text.next(&mut reader, &mut record)? {
            handler.consumed(consumed.get());
            return Ok(());
        }
    }
}

/// A file of which the delimiter is known.
struct Text<'a> {
    file: &'a Arc<Path>,
    layout: &'a Layout,
    delimiter: Delimiter,
}

impl Text<'_> {
    /// How quotes are read; `None` where they are plain characters.
    fn rules(&self, start: &[u8]) -> Option<Rules> {
        let quotes = match self.layout.quotes {
            Some(quotes) => quotes,
            None if self.delimiter.quotes() => Quotes::Doubled,
            None => Quotes::Plain,
        };
        let rules = Rules {
            delimiter: self.delimiter.single().unwrap_or(UNIT_SEPARATOR),
            backslash: quotes == Quotes::Backslash,
            multi_line: self.layout.multi_line,
            width: self.delimiter.count_fields(first_line(start)),
        };
        let backslash =
            rules.backslash || (self.layout.quotes.is_none() && quotes::has_backslashes(start, rules));
        (quotes != Quotes::Plain).then_some(Rules { backslash, ..rules })
    }

    /// Whether `3,5` is a number: where fields are not separated by commas, programs of Excel's kind write it so.
    fn has_decimal_comma(&self) -> bool {
        match self.layout.decimal {
            Some(decimal) => decimal == Decimal::Comma,
            None => self.delimiter.single() == Some(b';'),
        }
    }

    fn next(&self, reader: &mut csv::Reader<impl Read>, record: &mut ByteRecord) -> Result<bool, DataError> {
        reader.read_byte_record(record).map_err(|error| {
            let text = error.to_string();
            let source = match error.into_kind() {
                ErrorKind::Io(source) => source,
                _ => io::Error::new(io::ErrorKind::InvalidData, text),
            };
            match source.get_ref().and_then(|inner| inner.downcast_ref::<QuoteFault>()) {
                Some(fault) => self.quote_error(fault),
                None => DataError::Read { file: self.file.to_path_buf(), source },
            }
        })
    }

    fn quote_error(&self, fault: &QuoteFault) -> DataError {
        let prefix = self.layout.prefix;
        let mend = match fault.is_escaped {
            true => format!(
                "give {prefix}quotes backslash if a backslash stands before each quote within a field"
            ),
            false => format!(
                "mend the line, give {prefix}quotes plain if quotes are plain characters, or {prefix}multi-line if fields hold \
                 such lines"
            ),
        };
        let place = Place { file: Arc::clone(self.file), unit: "line", number: fault.line };
        DataError::Quote { place, problem: fault.problem.clone(), mend }
    }

    fn column_names(&self, record: &ByteRecord) -> Result<Vec<String>, DataError> {
        if !self.layout.header {
            return Ok((1..=record.len()).map(|n| n.to_string()).collect());
        }
        // Only the names that are needed must be right: others may be of another encoding.
        let name = |field: &[u8]| {
            let text = String::from_utf8_lossy(field.trim_ascii());
            if text.chars().any(char::is_control) {
                return Err(DataError::Format {
                    file: self.file.to_path_buf(),
                    problem: format!(
                        "the header is not text, it has {}: is this a delimited text file?",
                        quoted(field)
                    ),
                });
            }
            Ok(text.trim().to_owned())
        };
        record.iter().map(name).collect()
    }
}

fn found(names: &[String], picked: &[Option<usize>]) -> FoundColumns {
    let column = |i: usize| FoundColumn { name: names[i].clone(), type_name: "text".to_owned() };
    let others = names.iter().enumerate().filter(|(i, _)| !picked.contains(&Some(*i)));
    FoundColumns {
        picked: picked.iter().map(|i| i.map(column)).collect(),
        unread: others.map(|(_, name)| name.clone()).collect(),
    }
}

/// The number of a text with one comma and no point.
fn decimal_comma(text: &[u8]) -> Option<Cell<'static>> {
    let (whole, fraction) = std::str::from_utf8(text).ok()?.split_once(',')?;
    if fraction.contains([',', '.']) || whole.contains('.') {
        return None;
    }
    format!("{whole}.{fraction}").parse().ok().map(Cell::Float)
}

fn first_line(start: &[u8]) -> &[u8] {
    let mut lines = start.split(|b| matches!(b, b'\n' | b'\r')).filter(|line| !line.is_empty());
    lines.next().unwrap_or_default()
}

/// The delimiter: as given, else the first by which the header has every column that is needed, that of the extension before
/// the others.
fn delimiter(file: &Path, layout: &Layout, wanted: &[Wanted], start: &[u8]) -> Result<Delimiter, DataError> {
    if let Some(delimiter) = layout.delimiter {
        return Ok(delimiter);
    }
    let extension = extension(file);
    let customary = match extension.as_str() {
        "csv" => Some(b','),
        // RecBole's atomic files, GroupLens's u.data
        "tsv" | "tab" | "inter" | "item" | "user" | "data" => Some(b'\t'),
        "psv" => Some(b'|'),
        _ => None,
    };
    let customary = customary.map(Delimiter::byte);
    let line = String::from_utf8_lossy(first_line(start));
    let fits = |delimiter: &Delimiter| {
        let text = delimiter.text();
        let names: Vec<String> =
            line.split(&text).map(|name| name.trim().trim_matches('"').to_owned()).collect();
        names.len() > 1 && pick(file, &names, wanted).is_ok()
    };
    let tried = || TRIED.iter().filter_map(|text| text.parse::<Delimiter>().ok());
    let by_header = || customary.into_iter().chain(tried()).find(fits);
    if let Some(delimiter) = layout.header.then(by_header).flatten().or(customary) {
        return Ok(delimiter);
    }
    let count = |delimiter: &Delimiter| delimiter.count_fields(line.as_bytes());
    let guess = tried().filter(|delimiter| count(delimiter) > 2).max_by_key(count);
    let guess = guess.map_or_else(String::new, |delimiter| format!(" {}", delimiter.name()));
    Err(DataError::Format {
        file: file.to_owned(),
        problem: format!(
            "cannot tell the delimiter from the extension `{extension}` (csv, tsv, tab, inter, item, user, data, psv, jsonl and \
             parquet are known): give {}delimiter{guess}",
            layout.prefix
        ),
    })
}

fn wrong_width(place: Place, expected: usize, record: &ByteRecord) -> BadRow {
    let first = record.get(0).map(quoted).unwrap_or_default();
    BadRow {
        place,
        column: None,
        expected: counted(expected, "field"),
        found: format!("{} (the first is {first})", counted(record.len(), "field")),
    }
}
