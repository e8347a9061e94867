use std::{fs, path::Path};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

mod messages;
mod parquet_files;
mod parquet_types;
mod text_files;

fn spec(files: &[&Path]) -> DataSpec {
    DataSpec { files: files.iter().map(|file| file.to_path_buf()).collect(), ..DataSpec::default() }
}

fn read_text(text: &str, change: impl FnOnce(&mut DataSpec)) -> Result<Ratings, DataError> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.csv");
    fs::write(&file, text).unwrap();
    let mut spec = spec(&[&file]);
    change(&mut spec);
    read(&spec, Needs::default(), &mut |_| ())
}

const GOOD: &str = "viewer,title,rating,time\na,x,5,10\na,y,3,20\nb,x,4,15\n";

#[test]
fn rows_are_numbered_by_first_appearance_and_keep_their_order() {
    let found = read_text(GOOD, |_| ()).unwrap();
    assert_eq!(found.viewers.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(found.titles.iter().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!((found.viewer, found.title), (vec![0, 0, 1], vec![0, 1, 0]));
    assert_eq!((found.rating, found.time), (vec![5.0, 3.0, 4.0], vec![10.0, 20.0, 15.0]));
}

type Change = fn(&mut DataSpec);

#[test]
fn equal_rows_have_one_digest_whatever_the_file_looks_like() {
    let digest = |text: &str, change: Change| read_text(text, change).unwrap().facts.digest;
    let good = digest(GOOD, |_| ());
    #[rustfmt::skip]
    let same: [(&str, String, Change); 5] = [
        ("line ends of Windows", GOOD.replace('\n', "\r\n"), |_| ()),
        ("a byte order mark", format!("\u{feff}{GOOD}"), |_| ()),
        ("typed header", GOOD.replace("viewer,title", "viewer:token,title:token"), |_| ()),
        ("another delimiter", GOOD.replace(',', ";"), |spec| spec.layout.delimiter = Some(Delimiter::byte(b';'))),
        ("blank lines and no last line end", GOOD.replace("5,10\n", "5,10\n\n").trim_end().to_owned(), |_| ()),
    ];
    for (why, text, change) in same {
        assert_eq!(digest(&text, change), good, "{why}");
    }
    assert_ne!(digest(&GOOD.replace("4,15", "4,16"), |_| ()), good, "another time");
}

#[test]
fn a_file_without_header_has_columns_by_number() {
    let text = GOOD.split_once('\n').unwrap().1;
    let found = read_text(text, |spec| {
        spec.layout.header = false;
        spec.columns = Columns {
            viewer: Some("1".to_owned()),
            title: Some("2".to_owned()),
            rating: Some("3".to_owned()),
            time: Some("4".to_owned()),
        };
    });
    assert_eq!(found.unwrap().facts.digest, read_text(GOOD, |_| ()).unwrap().facts.digest);
}

#[test]
fn odd_ids_are_ids() {
    let ids = ["ü-ñ", "日本", "a b", "-1", "007", "'; DROP", "{}", "emoji 🎬", "\"quoted\""];
    let rows: String = ids.iter().map(|id| format!("{id}\tx\n{id}\ty\n")).collect();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.tsv");
    fs::write(&file, format!("viewer\ttitle\n{rows}")).unwrap();
    let found = read(&spec(&[&file]), Needs::default(), &mut |_| ()).unwrap();
    assert_eq!(found.viewers.iter().collect::<Vec<_>>(), ids);
    assert!(!found.facts.has_rating && found.rating.iter().all(|rating| *rating == 1.0));
}

#[test]
fn quotes_are_read_where_commas_separate() {
    let found = read_text("viewer,title\n\"Doe, Jane\",x\n\"a \"\"b\"\"\",y\n", |_| ()).unwrap();
    assert_eq!(found.viewers.iter().collect::<Vec<_>>(), ["Doe, Jane", "a \"b\""]);
}

#[test]
fn several_files_are_one() {
    let folder = TempDir::new().unwrap();
    let (one, two) = (folder.path().join("1.csv"), folder.path().join("2.tsv"));
    fs::write(&one, "viewer,title,rating,time\na,x,5,10\na,y,3,20\n").unwrap();
    fs::write(&two, "time\trating\ttitle\tviewer\n15\t4\tx\tb\n").unwrap();
    let mut calls = Vec::new();
    let found = read(&spec(&[&one, &two]), Needs::default(), &mut |progress| calls.push(progress)).unwrap();
    assert_eq!(found.facts.digest, read_text(GOOD, |_| ()).unwrap().facts.digest);
    let last = calls.last().unwrap();
    assert_eq!(last.bytes, last.total, "all bytes of both are accounted for");
}

#[test]
fn duplicates_follow_the_policy() {
    let text = "viewer,title,rating,time\na,x,1,30\na,x,2,10\na,x,3,30\nb,y,4,1\n";
    #[rustfmt::skip]
    let cases = [
        ("last by time, last in the file among equals", Duplicates::Last,  3.0),
        ("first by time",                               Duplicates::First, 2.0),
    ];
    for (why, policy, rating) in cases {
        let found = read_text(text, |spec| spec.duplicates = policy).unwrap();
        assert_eq!(found.rating, [rating, 4.0], "{why}");
        assert_eq!(found.facts.duplicates_dropped, 2, "{why}");
    }
}

#[test]
fn bad_rows_within_the_allowance_are_counted_and_told() {
    let text = "viewer,title,rating\na,x,5\na,y,?\nb,z,4\nb,y\n";
    let found = read_text(text, |spec| spec.skip_bad_rows = 2).unwrap();
    assert_eq!((found.len(), found.facts.rows_read, found.facts.bad_rows), (2, 4, 2));
    let examples = &found.facts.bad_row_examples;
    assert!(
        examples[0].ends_with("r.csv line 3, column `rating`: expected a number, found `?`"),
        "{examples:?}"
    );
    assert!(
        examples[1].ends_with("r.csv line 5: expected 3 fields, found 2 fields (the first is `b`)"),
        "{examples:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
        has_header in any::<bool>(),
        delimiter in prop::sample::select(vec![b',', b'\t', b';', b'|', b' ']),
    ) {
        if has_header {
            bytes.splice(0..0, format!("viewer{0}title{0}rating{0}time\n", char::from(delimiter)).into_bytes());
        }
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("fuzz");
        fs::write(&file, bytes).unwrap();
        let mut spec = spec(&[&file]);
        spec.skip_bad_rows = 50;
        spec.layout.header = has_header;
        spec.layout.delimiter = Some(Delimiter::byte(delimiter));
        let _ = read_any(&spec, Needs::default(), &mut |_| ());
    }

    #[test]
    fn rows_survive_the_way_through_a_file(
        rows in proptest::collection::vec(("[a-c]{1,2}", "[x-z]{1,2}", -5.0_f32..5.0, -1e6_f64..1e6), 2..40),
    ) {
        let body: String = rows.iter().map(|(v, t, r, s)| format!("{v},{t},{r},{s}\n")).collect();
        let spec_of = |spec: &mut DataSpec| spec.duplicates = Duplicates::Last;
        if let Ok(found) = read_text(&format!("viewer,title,rating,time\n{body}"), spec_of) {
            for i in 0..found.len() {
                let (v, t, r, s) = &rows[found.row[i] as usize];
                prop_assert_eq!(found.viewers.id(found.viewer[i]), v);
                prop_assert_eq!(found.titles.id(found.title[i]), t);
                prop_assert_eq!((found.rating[i], found.time[i]), (*r, *s));
            }
        }
    }
}
