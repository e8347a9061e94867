//! Title metadata: what a page shows of a title.

use serde::{Deserialize, Serialize};

use crate::error::{Fault, Finding, json_line_fault, quoted};
use crate::ids::{IdTable, check_count_fits, lines, too_many_lines};
use crate::limits::Limits;
use crate::rows::TitleRow;

/// One title of a catalogue; one line of `catalogue.jsonl`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogueEntry {
    /// As the models' title tables write it.
    pub id: String,
    /// As shown.
    pub name: String,
    /// Of release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<i32>,
    /// As shown, the foremost first.
    #[serde(default)]
    pub genres: Vec<String>,
    /// How often it was watched: its popularity.
    #[serde(default)]
    pub plays: u64,
}

/// Genres of one title.
const MAX_GENRES: usize = 64;
/// Bytes of a title's name.
const MAX_NAME_BYTES: usize = 1024;
/// Bytes of a genre's name.
const MAX_GENRE_BYTES: usize = 128;

impl CatalogueEntry {
    /// Refuses, naming `line`, what a page cannot show.
    pub(crate) fn check(&self, line: usize) -> Result<(), Finding> {
        check_text("a name", &self.name, MAX_NAME_BYTES, line)?;
        self.genres.iter().try_for_each(|genre| check_text("a genre", genre, MAX_GENRE_BYTES, line))?;
        if self.genres.len() > MAX_GENRES {
            let found = format!("{} in line {line}", self.genres.len());
            return Err(Finding::new(Fault::Line, format!("at most {MAX_GENRES} genres"), found));
        }
        Ok(())
    }
}

fn check_text(what: &str, text: &str, max_bytes: usize, line: usize) -> Result<(), Finding> {
    let plain = !text.trim().is_empty() && text.len() <= max_bytes && !text.chars().any(char::is_control);
    if plain {
        return Ok(());
    }
    let expected = format!("{what} of 1 to {max_bytes} bytes without control characters");
    Err(Finding::new(Fault::Line, expected, format!("{} in line {line}", quoted(text))))
}

/// Reads one JSON object a line; gives the entries and the table of their ids. `count` is what the manifest declares.
pub fn parse_catalogue(
    bytes: &[u8],
    count: u64,
    limits: &Limits,
) -> Result<(Vec<CatalogueEntry>, IdTable<TitleRow>), Finding> {
    check_count_fits(bytes.len() as u64, count)?;
    let mut entries = Vec::new();
    for (line_idx, line) in lines(bytes).enumerate() {
        if line_idx as u64 == count {
            return Err(too_many_lines(count));
        }
        entries.push(parse_line(line, line_idx + 1, limits)?);
    }
    if (entries.len() as u64) < count {
        return Err(Finding::new(Fault::Count, format!("{count} lines"), format!("{}", entries.len())));
    }
    let ids = IdTable::from_ids_within(entries.iter().map(|entry| &entry.id), limits)?;
    Ok((entries, ids))
}

fn parse_line(bytes: &[u8], line: usize, limits: &Limits) -> Result<CatalogueEntry, Finding> {
    if bytes.len() > limits.line_bytes {
        let found = format!("{} in line {line}", bytes.len());
        return Err(Finding::new(
            Fault::Line,
            format!("a line of at most {} bytes", limits.line_bytes),
            found,
        ));
    }
    let entry: CatalogueEntry = serde_json::from_slice(bytes).map_err(|error| {
        Finding::new(Fault::Line, "one JSON object a line", json_line_fault(&error, bytes, line))
    })?;
    entry.check(line)?;
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAR_WARS: &str =
        r#"{"id":"50","name":"Star Wars","year":1977,"genres":["Action","Sci-Fi"],"plays":583}"#;

    #[test]
    fn an_entry_reads_as_it_is_written() {
        let text = format!("{STAR_WARS}\n{}\n", r#"{"id":"51","name":"Legends of the Fall"}"#);
        let (entries, ids) = parse_catalogue(text.as_bytes(), 2, &Limits::default()).unwrap();
        assert_eq!(serde_json::to_string(&entries[0]).unwrap(), STAR_WARS);
        assert_eq!((entries[1].year, entries[1].plays, ids.row("51")), (None, 0, Some(TitleRow(1))));
    }

    #[test]
    fn a_bad_line_is_named() {
        #[rustfmt::skip]
        let cases = [
            ("an unknown field",   r#"{"id":"1","name":"A","yaer":1}"#,        "expected one JSON object a line, found unknown field `yaer`, expected one of `id`, `name`, `year`, `genres`, `plays` in line 1, column 27"),
            ("no name",            r#"{"id":"1"}"#,                            "expected one JSON object a line, found missing field `name` in line 1, column 10"),
            ("a blank name",       r#"{"id":"1","name":" "}"#,                 "expected a name of 1 to 1024 bytes without control characters, found ` ` in line 1"),
            ("a bell in a genre",  r#"{"id":"1","name":"A","genres":["\u0007"]}"#, "expected a genre of 1 to 128 bytes without control characters, found `\\u{7}` in line 1"),
            ("negative plays",     r#"{"id":"1","name":"A","plays":-1}"#,      "expected one JSON object a line, found invalid value: integer `-1`, expected u64 in line 1, column 31"),
            ("an empty id",        r#"{"id":"","name":"A"}"#,                  "expected an id, found an empty one in line 1"),
        ];
        for (why, line, message) in cases {
            let error = parse_catalogue(line.as_bytes(), 1, &Limits::default()).expect_err(why);
            assert_eq!(error.to_string(), message, "{why}");
        }
    }
}
