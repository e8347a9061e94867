use super::*;
use crate::TitleRow;

fn parse(text: &str, count: u64) -> Result<IdTable<TitleRow>, Finding> {
    IdTable::parse(text.as_bytes(), count, &Limits::default())
}

#[test]
fn every_id_is_found_at_its_row() {
    let ids: Vec<String> = (0..10_000).map(|row| format!("viewer-{}", row * 7919 % 10_007)).collect();
    let table = IdTable::<TitleRow>::from_ids(&ids).unwrap();
    for (row, id) in ids.iter().enumerate() {
        assert_eq!(
            (table.id(TitleRow(row as u32)), table.row(id)),
            (id.as_str(), Some(TitleRow(row as u32)))
        );
    }
    assert_eq!(table.row("viewer-10007"), None);
    assert_eq!(table.row(""), None);
}

#[test]
fn a_table_reads_what_json_may_write() {
    let table = parse("\"plain\"\n\"tab\\u00e9\"\n\"\u{1f3ac}\"\r\n \"spaced\" ", 4).unwrap();
    assert_eq!(table.iter().collect::<Vec<_>>(), ["plain", "tabé", "\u{1f3ac}", "spaced"]);
}

#[test]
fn an_empty_table_finds_nothing() {
    let table = parse("", 0).unwrap();
    assert_eq!((table.len(), table.row("a")), (0, None));
}

#[test]
fn a_bad_line_is_named() {
    #[rustfmt::skip]
    let cases = [
        // why                          text                    count  message
        ("an id twice",                 "\"a\"\n\"b\"\n\"a\"",   3, "expected every id once, found `a` in lines 1 and 3"),
        ("twice, spelt in two ways",    "\"a\"\n\"\\u0061\"",    2, "expected every id once, found `a` in lines 1 and 2"),
        ("an empty id",                 "\"b\"\n\"\" ",          2, "expected an id, found an empty one in line 2"),
        ("a control character",         "\"a\\u0007\"",          1, "expected an id without control characters, found `a\\u{7}` in line 1"),
        ("a raw control character",     "\"a\tb\"",              1, "expected one JSON string a line, found control character (\\u0000-\\u001F) found while parsing a string in line 1, column 3"),
        ("a number is not a string",    "1234",                  1, "expected one JSON string a line, found invalid type: integer `1234`, expected a string in line 1, column 4"),
        ("two strings in a line",       "\"a\" \"b\"",           1, "expected one JSON string a line, found trailing characters in line 1, column 5"),
        ("a blank line between",        "\"a\"\n\n\"b\"",        2, "expected one JSON string a line, found EOF while parsing a value in line 2, column 0"),
        ("fewer lines than declared",   "\"abcdef\"\n",          2, "expected 2 lines, found 1"),
        ("more lines than declared",    "\"a\"\n\"b\"\n",        1, "expected 1 lines, found more"),
        ("a count no file could hold",  "\"a\"\n",               9, "expected 9 lines, found 4 bytes, which cannot hold them"),
    ];
    for (why, text, count, message) in cases {
        assert_eq!(parse(text, count).expect_err(why).to_string(), message, "{why}");
    }
}

#[test]
fn a_huge_count_takes_no_memory() {
    assert_eq!(parse("\"a\"", u64::MAX).unwrap_err().fault, Fault::Count);
}

#[test]
fn invalid_utf8_is_refused() {
    let error = IdTable::<TitleRow>::parse(b"\"ok\"\n\"\xff\xfe\"", 2, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "expected one JSON string a line, found invalid UTF-8 in line 2");
}

#[test]
fn an_id_over_the_limit_is_cut_in_the_message() {
    let limits = Limits { id_bytes: 100, ..Limits::default() };
    let error =
        IdTable::<TitleRow>::parse(format!("\"{}\"", "x".repeat(101)).as_bytes(), 1, &limits).unwrap_err();
    let cut = "x".repeat(60);
    assert_eq!(
        error.to_string(),
        format!("expected an id of at most 100 bytes, found `{cut}…` of 101 bytes in line 1")
    );
}

#[test]
fn a_row_costs_its_text_and_at_most_sixteen_bytes() {
    let ids: Vec<String> = (0..100_000).map(|row| format!("{row:08}")).collect();
    let table = IdTable::<TitleRow>::from_ids(&ids).unwrap();
    assert!(table.memory_bytes() <= 100_000 * (8 + 16), "{}", table.memory_bytes());
}
