//! Genres as lists and as text.

use std::{fs, path::Path, sync::Arc};

use parquet::{
    data_type::{ByteArray, ByteArrayType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use tempfile::TempDir;

use super::*;

fn read_file(file: &Path) -> Result<Metadata, String> {
    read(&MetadataSpec {
        files: vec![file.to_owned()],
        layout: Layout::default(),
        id: None,
        name: None,
        year: None,
        genres: None,
        genre_separator: Delimiter::byte(b'|'),
        article_first: false,
        skip_bad_rows: 0,
    })
    .map_err(|error| error.to_string().replace(&format!("{}/", file.parent().unwrap().display()), ""))
}

#[test]
fn genres_of_json_lines_are_lists_or_texts() {
    #[rustfmt::skip]
    let cases = [
        ("a list",               r#"["Action", "Sci-Fi"]"#,      Ok(vec!["Action", "Sci-Fi"])),
        ("a separator within",   r#"["Film|Noir", " War "]"#,    Ok(vec!["Film|Noir", "War"])),
        ("one twice, one null",  r#"["War", null, "War", ""]"#,  Ok(vec!["War"])),
        ("an empty list",        "[]",                           Ok(vec![])),
        ("a text",               r#""Action|Sci-Fi""#,           Ok(vec!["Action", "Sci-Fi"])),
        ("null",                 "null",                         Ok(vec![])),
        ("a list of objects",    r#"[{"name": "War"}]"#,         Err("expected text or a list of texts, found a list")),
        ("an object",            r#"{"name": "War"}"#,           Err("expected text with a separator, found an object")),
        ("a control character",  r#"["W\u0007r"]"#,              Err("expected genres without control characters, found `W\\u{7}r`")),
    ];
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("t.jsonl");
    for (why, genres, expected) in cases {
        fs::write(&file, format!("{{\"id\": 1, \"name\": \"A\", \"genres\": {genres}}}\n")).unwrap();
        match (read_file(&file), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.entries[0].genres, expected, "{why}"),
            (Err(found), Err(expected)) => {
                let expected = format!("t.jsonl line 1, column `genres`: {expected}; mend it");
                assert!(found.starts_with(&expected), "{why}: {found}");
            }
            (found, expected) => panic!("{why}: found {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn genre_lists_of_parquet_are_refused_by_name_with_the_mend() {
    let schema = "message titles { required binary id (UTF8); required binary name (UTF8); \
                  optional group genres (LIST) { repeated group list { optional binary element (UTF8); } } }";
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("t.parquet");
    let properties = Arc::new(WriterProperties::builder().build());
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(fs::File::create(&file).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let levels: [Option<&[i16]>; 3] = [None, None, Some(&[3, 3])];
    for (texts, levels) in [vec!["1"], vec!["A"], vec!["War", "Drama"]].into_iter().zip(levels) {
        let values: Vec<ByteArray> = texts.into_iter().map(ByteArray::from).collect();
        let mut column = group.next_column().unwrap().unwrap();
        let repeated: Option<&[i16]> = levels.map(|_| &[0, 1][..]);
        column.typed::<ByteArrayType>().write_batch(&values, levels, repeated).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    let expected = "t.parquet: column `genres` holds lists: expected text with a separator; write it as such, or name \
                    another column with --genres-column";
    assert_eq!(read_file(&file).unwrap_err(), expected);
}
