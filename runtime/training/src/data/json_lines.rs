//! JSON lines: one object a line, its fields by name.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    fault::{BadRow, DataError, Place, quoted},
    quotes::Guarded,
    source::TextSource,
    table::{Cell, FoundColumn, FoundColumns, RowHandler, ValueKind, Wanted, pick},
};

/// Rows between two calls of [`RowHandler::consumed`].
const PROGRESS_ROWS: u64 = 8192;

/// Whether text with such a beginning is JSON lines, whatever it is called.
pub(crate) fn looks_like(start: &[u8]) -> bool {
    start.trim_ascii_start().starts_with(b"{")
}

/// Reads `source`, handing each row on.
pub(crate) fn read(
    source: TextSource,
    file: &Arc<Path>,
    wanted: &[Wanted],
    handler: &mut dyn RowHandler,
) -> Result<(), DataError> {
    let start = source.start.trim_ascii_start();
    if start.is_empty() {
        return Err(DataError::Empty { file: file.to_path_buf() });
    }
    if start.starts_with(b"[") {
        let problem = "holds one JSON list: write one object a line, for example with jq -c '.[]'".to_owned();
        return Err(DataError::Format { file: file.to_path_buf(), problem });
    }
    let names = fields(&source.start);
    let picked = pick(file, &names, wanted)?;
    handler.columns(&found(&names, &picked));
    let reader = Reader { names: &names, picked: &picked, wanted, late: late_fields(wanted, &picked) };
    let consumed = source.consumed;
    let mut input = BufReader::new(Guarded::new(source.input, None));
    let (mut line, mut number, mut rows) = (Vec::new(), 0, 0_u64);
    loop {
        line.clear();
        let n = input
            .read_until(b'\n', &mut line)
            .map_err(|source| DataError::Read { file: file.to_path_buf(), source })?;
        if n == 0 {
            handler.consumed(consumed.get());
            return Ok(());
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = Place { file: Arc::clone(file), unit: "line", number };
        reader.row(&line, &place, handler)?;
        rows += 1;
        if rows.is_multiple_of(PROGRESS_ROWS) {
            handler.consumed(consumed.get());
        }
    }
}

/// Fields of the objects at the beginning, each once, in the order of their appearance.
fn fields(start: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in start.split(|b| *b == b'\n') {
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(line) else { continue };
        for name in object.keys() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

fn found(names: &[String], picked: &[Option<usize>]) -> FoundColumns {
    let column = |i: usize| FoundColumn { name: names[i].clone(), type_name: "JSON value".to_owned() };
    let others = names.iter().enumerate().filter(|(i, _)| !picked.contains(&Some(*i)));
    FoundColumns {
        picked: picked.iter().map(|i| i.map(column)).collect(),
        unread: others.map(|(_, name)| name.clone()).collect(),
    }
}

/// Names by which a column that the beginning lacks may turn up below.
fn late_fields<'a>(wanted: &'a [Wanted], picked: &[Option<usize>]) -> Vec<(&'a str, &'a str)> {
    let missing = wanted.iter().zip(picked).filter(|(_, picked)| picked.is_none());
    missing.flat_map(|(one, _)| one.names.iter().map(|name| (name.as_str(), one.flag))).collect()
}

/// What every line of a file is read with.
struct Reader<'a> {
    names: &'a [String],
    picked: &'a [Option<usize>],
    wanted: &'a [Wanted],
    /// Names by which a missing column may turn up late, with the flag that names another.
    late: Vec<(&'a str, &'a str)>,
}

impl Reader<'_> {
    fn row(&self, line: &[u8], place: &Place, handler: &mut dyn RowHandler) -> Result<(), DataError> {
        let bad = |column: Option<&String>, expected: &str, found: String| BadRow {
            place: place.clone(),
            column: column.cloned(),
            expected: expected.to_owned(),
            found,
        };
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(line) else {
            return handler.bad(bad(None, "a JSON object", quoted(line.trim_ascii())));
        };
        self.refuse_late_field(&object, place)?;
        let fields = || {
            self.picked.iter().zip(self.wanted).map(|(index, wanted)| {
                let name = index.map(|i| &self.names[i]);
                (name, name.and_then(|name| object.get(name)).unwrap_or(&Value::Null), wanted)
            })
        };
        let lists: Vec<Option<Vec<String>>> =
            fields().map(|(_, value, wanted)| list(value, wanted)).collect();
        let mut cells = Vec::with_capacity(self.picked.len());
        for ((name, value, wanted), list) in fields().zip(&lists) {
            cells.push(match (value, list) {
                (_, Some(list)) => Cell::List(list),
                (Value::Array(_), _) if wanted.required || wanted.kind == ValueKind::List => {
                    let expected = match wanted.kind {
                        ValueKind::List => "text or a list of texts",
                        kind => kind.expected(),
                    };
                    return handler.bad(bad(name, expected, "a list".to_owned()));
                }
                (Value::Object(_), _) if wanted.required || wanted.kind == ValueKind::List => {
                    return handler.bad(bad(name, wanted.kind.expected(), "an object".to_owned()));
                }
                (value, _) => scalar(value),
            });
        }
        handler.row(place, &cells)
    }

    fn refuse_late_field(&self, object: &Map<String, Value>, place: &Place) -> Result<(), DataError> {
        let is_there = |name: &str| object.get(name).is_some_and(|value| !value.is_null());
        let Some((name, flag)) = self.late.iter().find(|(name, _)| is_there(name)) else { return Ok(()) };
        let problem = format!(
            "{place} has the field `{name}` for the first time: give it to a line at the beginning, or name another field with {flag}"
        );
        Err(DataError::Format { file: place.file.to_path_buf(), problem })
    }
}

/// The texts of a list, where one is wanted.
fn list(value: &Value, wanted: &Wanted) -> Option<Vec<String>> {
    match value {
        Value::Array(values) if wanted.kind == ValueKind::List => {
            let text = |value: &Value| Some(value.as_str()?.to_owned());
            values.iter().filter(|value| !value.is_null()).map(text).collect()
        }
        _ => None,
    }
}

/// A value that is no list; one of another kind where none is needed counts as absent.
fn scalar(value: &Value) -> Cell<'_> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Null,
        Value::Bool(value) => Cell::Boolean(*value),
        Value::String(text) => Cell::Text(text.as_bytes()),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => Cell::Integer(value),
            (_, Some(value), _) => Cell::Unsigned(value),
            (_, _, value) => Cell::Float(value.unwrap_or(f64::NAN)),
        },
    }
}
