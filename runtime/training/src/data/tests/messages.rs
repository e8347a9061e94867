//! The message of everything that can be wrong with delimited text.

use super::*;

fn message(name: &str, bytes: &[u8], change: impl FnOnce(&mut DataSpec)) -> String {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, bytes).unwrap();
    let mut spec = spec(&[&file]);
    change(&mut spec);
    let error = read(&spec, Needs { rating: true, time: true, plays: false }, &mut |_| ()).expect_err(name);
    let mut text = error.to_string();
    if let Some(cause) = std::error::Error::source(&error) {
        text += &format!(": {cause}");
    }
    text.replace(&format!("{}/", folder.path().display()), "")
}

const MEND: &str = "; mend it, or pass over up to N such rows with --skip-bad-rows N";

#[test]
fn bad_rows_are_named_by_file_line_and_column() {
    let head = "viewer,title,rating,time\na,x,5,10\n";
    let long = "q".repeat(600);
    #[rustfmt::skip]
    let cases: [(&str, Vec<u8>, &str); 15] = [
        ("a word for a rating",       b"a,y,good,20\n".to_vec(),    "column `rating`: expected a number, found `good`"),
        ("nothing for a rating",      b"a,y,,20\n".to_vec(),        "column `rating`: expected a number, found nothing"),
        ("NaN",                       b"a,y,NaN,20\n".to_vec(),     "column `rating`: expected a finite number, found `NaN`"),
        ("infinite",                  b"a,y,-inf,20\n".to_vec(),    "column `rating`: expected a finite number, found `-inf`"),
        ("larger than 32 bits hold",  b"a,y,1e39,20\n".to_vec(),    "column `rating`: expected a number that fits 32 bits, found `1000000000000000000000000000000000000000`"),
        ("a word for a time",         b"a,y,3,Friday\n".to_vec(),   "column `time`: expected a number or a time such as 2014-05-20T23:37:52Z, found `Friday`"),
        ("a decimal comma",           b"a,y,\"3,5\",20\n".to_vec(), "column `rating`: expected a number, found `3,5` (a decimal comma? give --decimal comma)"),
        ("no viewer",                 b",y,3,20\n".to_vec(),        "column `viewer`: expected an id, found nothing"),
        ("no title",                  b"a,,3,20\n".to_vec(),        "column `title`: expected an id, found nothing"),
        ("a bell in an id",           b"a,y\x07z,3,20\n".to_vec(),  r"column `title`: expected an id without control characters, found `y\u{7}z`"),
        ("a line break in an id",     b"a,\"y\nz\",3,20\n".to_vec(), r"column `title`: expected an id without control characters, found `y\nz`"),
        ("not UTF-8",                 b"a,y\xff,3,20\n".to_vec(),   "column `title`: expected an id in UTF-8, found `y\u{fffd}` (is the file in Latin-1? give --encoding latin1)"),
        ("an endless id",             format!("a,{long},3,20\n").into_bytes(), "column `title`: expected an id of at most 512 bytes, found 600 bytes"),
        ("too few fields",            b"a,y,3\n".to_vec(),          "expected 4 fields, found 3 fields (the first is `a`)"),
        ("too many fields",           b"a,y,3,20,9\n".to_vec(),     "expected 4 fields, found 5 fields (the first is `a`)"),
    ];
    for (why, row, expected) in cases {
        let found = message("r.csv", &[head.as_bytes(), &row].concat(), |_| ());
        let gap = if expected.starts_with("column") { ", " } else { ": " };
        assert_eq!(found, format!("r.csv line 3{gap}{expected}{MEND}"), "{why}");
    }
}

#[test]
fn files_and_columns_that_cannot_be_used_are_named() {
    let long_line = vec![b'x'; 3 << 20];
    #[rustfmt::skip]
    let cases: [(&str, &str, &[u8], &str); 10] = [
        ("an empty file", "r.csv", b"", "r.csv is empty: expected a header and at least one row"),
        ("a header alone", "r.csv", b"viewer,title,rating,time\n", "r.csv has a header and no rows"),
        ("a column that is missing", "r.csv", b"viewer,titel,rating,time\na,x,1,1\n",
            "r.csv: no column `title` or `title_id` or `item_id` or `movieId` or `item` for the title; \
             the columns are `viewer`, `titel`, `rating`, `time`; did you mean `titel`?: name it with --title-column"),
        ("no ratings for what needs them", "r.csv", b"viewer,title,stars,time\na,x,1,1\n",
            "r.csv: no column `rating` for the rating; the columns are `viewer`, `title`, `stars`, `time`: name it with --rating-column"),
        ("one viewer", "r.csv", b"viewer,title,rating,time\na,x,1,1\na,y,1,1\n",
            "the data has only one viewer, `a`: at least two are needed to learn what is alike (is --viewer-column the right column?)"),
        ("one title", "r.csv", b"viewer,title,rating,time\na,x,1,1\nb,x,1,1\n",
            "the data has only one title, `x`: at least two are needed to learn what is alike (is --title-column the right column?)"),
        ("an extension that says nothing", "r.txt", b"viewer,title\n",
            "r.txt: cannot tell the delimiter from the extension `txt` (csv, tsv, tab, inter, item, user, data, psv, jsonl and parquet are known): give --delimiter"),
        ("a binary file", "r.csv", b"\x00\x01\x02\x03\n", r"r.csv: the header is not text, it has `\0\u{1}\u{2}\u{3}`: is this a delimited text file?"),
        ("one endless line", "r.csv", &long_line, "r.csv cannot be read: line 1 is longer than 1048576 bytes: is this a delimited text file?"),
        ("no Parquet in spite of its name", "r.parquet", b"viewer,title\na,x\n", "r.parquet is not a readable Parquet file: Parquet error: Invalid Parquet file. Corrupt footer"),
    ];
    for (why, name, bytes, expected) in cases {
        assert_eq!(message(name, bytes, |_| ()), expected, "{why}");
    }
}

#[test]
fn policies_refuse_in_words() {
    let text = b"viewer,title,rating,time\na,x,?,1\nb,x,?,1\na,y,1,1\na,y,2,2\nb,y,1,1\n";
    let found = message("r.csv", text, |spec| spec.skip_bad_rows = 1);
    let expected = "r.csv line 3, column `rating`: expected a number, found `?`; that is bad row 2, and --skip-bad-rows passes over 1";
    assert_eq!(found, expected);
    let found = message("r.csv", text, |spec| (spec.skip_bad_rows, spec.duplicates) = (2, Duplicates::Error));
    let expected = "viewer `a` has title `y` twice, in rows 3 and 4 of the data: remove one, or set duplicates to last or first";
    assert_eq!(found, expected);
    let found = message("r.csv", b"viewer,title,rating,time\n,,,\n", |spec| spec.skip_bad_rows = 5);
    assert_eq!(found, "no usable row among 1: each was a bad row");
    let found = message("r.csv", b"", |spec| spec.files.clear());
    assert_eq!(found, "no data files given: name them with --data FILE or in the config under data.files");
    let found = message("r.csv", b"", |spec| spec.files[0].set_file_name("absent.csv"));
    assert_eq!(found, "absent.csv cannot be read: No such file or directory (os error 2)");
}

#[test]
fn a_counter_that_grows_past_the_size_of_a_unit_is_refused() {
    let rows = |times: [&str; 2]| {
        let [one, other] = times;
        format!("viewer,title,rating,time\na,x,5,{one}\nb,y,5,{other}\n").into_bytes()
    };
    // As times, the second would be before the first.
    let expected = "column `time` would be read as seconds since 1970 (1 row) and milliseconds since 1970 (1 row), and some of \
                    these times are after 2100: if the numbers count something else, divide them so that all are below \
                    100000000000; if they are times, write them in one unit";
    assert_eq!(message("r.csv", &rows(["99999999999", "100000000000"]), |_| ()), expected);
    #[rustfmt::skip]
    let cases = [
        ("a counter below",        ["99999999998", "99999999999"]),
        ("a counter above",        ["100000000000", "100000000001"]),
        ("times in both units",    ["881250949", "1400629073000"]),
        ("-1 for a missing time",  ["-1", "1400629073000"]),
        ("0 for a missing time",   ["0", "1400629073000"]),
    ];
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.csv");
    for (why, times) in cases {
        fs::write(&file, rows(times)).unwrap();
        let found = read(&spec(&[&file]), Needs { time: true, ..Needs::default() }, &mut |_| ()).unwrap();
        assert!(found.time[0] < found.time[1], "{why}: the order is kept");
    }
}
