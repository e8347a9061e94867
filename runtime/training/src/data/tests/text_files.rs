//! Text as people really have it: each file is read right, or refused with what is wrong and the mend.

use std::io::Write;

use super::*;

type Change = fn(&mut DataSpec);

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn read_file(name: &str, bytes: &[u8], change: Change) -> Result<Ratings, String> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, bytes).unwrap();
    let mut spec = spec(&[&file]);
    change(&mut spec);
    let found = read(&spec, Needs { plays: false, rating: true, time: true }, &mut |_| ());
    found.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn the_same_rows_are_the_same_data_whatever_the_file_looks_like() {
    let good = "viewer,title,rating,time\na,x,5,1400629072\na,y y,3.5,1400629073\nb,x,4,1400629074\n";
    let plain = |_: &mut DataSpec| ();
    let spaced = good.replace(',', ", ");
    let iso = |second: u32| format!("2014-05-20T23:37:{second}Z");
    let times = |a: &str, b: &str, c: &str| {
        good.replace("1400629072", a).replace("1400629073", b).replace("1400629074", c)
    };
    let no_header = good.split_once('\n').unwrap().1.replace(',', "::");
    let json: String = good
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            format!(
                "{{\"user\":{{}},\"viewer\":\"{}\",\"title\":\"{}\",\"rating\":{},\"time\":{}}}\n",
                fields[0], fields[1], fields[2], fields[3]
            )
        })
        .collect();
    let euro = good.replace(',', ";").replace("3.5", "3,5");
    #[rustfmt::skip]
    let same: Vec<(&str, &str, Vec<u8>, Change)> = vec![
        ("plain", "r.csv", good.into(), plain),
        ("spaces after the delimiter", "r.csv", spaced.clone().into(), plain),
        ("spaces before it, and tabs", "r.csv", good.replace(',', " \t,\t").into(), plain),
        ("quoted, with spaces", "r.csv", spaced.replace("y y", "\"y y\"").into(), plain),
        ("a quoted header", "r.csv", good.replace("viewer,title", "\"viewer\",\"title\"").into(), plain),
        ("line ends of Windows", "r.csv", good.replace('\n', "\r\n").into(), plain),
        ("a byte order mark", "r.csv", format!("\u{feff}{good}").into(), plain),
        ("semicolons and decimal commas", "r.csv", euro.clone().into(), plain),
        ("the same in UTF-16", "r.txt", utf_16(&euro.replace('\n', "\r\n"), u16::to_le_bytes), plain),
        ("the same, bytes swapped", "r.txt", utf_16(&euro, u16::to_be_bytes), plain),
        ("UTF-16 that is said to be", "r.csv", good.encode_utf16().flat_map(u16::to_le_bytes).collect(), |spec| spec.layout.encoding = Some(Encoding::Utf16)),
        ("tabs in spite of the extension", "r.csv", good.replace(',', "\t").into(), plain),
        ("an extension that says nothing", "r.txt", good.into(), plain),
        ("no extension", "ratings", good.replace(',', "|").into(), plain),
        ("decimal commas that are said to be", "r.tsv", euro.replace(';', "\t").into(), |spec| spec.layout.decimal = Some(Decimal::Comma)),
        ("several bytes between fields", "r.dat", good.replace(',', "::").into(), plain),
        ("the same, said, without header", "r.dat", no_header.into(), |spec| {
            spec.layout.delimiter = Some("::".parse().unwrap());
            spec.layout.header = false;
            let column = |n: u8| Some(n.to_string());
            spec.columns = Columns { viewer: column(1), title: column(2), rating: column(3), time: column(4) };
        }),
        ("gzip", "r.csv.gz", gzip(good.as_bytes()), plain),
        ("gzip in two members", "r.csv.gz", [gzip(&good.as_bytes()[..30]), gzip(&good.as_bytes()[30..])].concat(), plain),
        ("gzip without saying so", "r.csv", gzip(good.as_bytes()), plain),
        ("zstd", "r.csv.zst", zstd::encode_all(good.as_bytes(), 1).unwrap(), plain),
        ("UTF-16 in gzip", "r.csv.gz", gzip(&utf_16(&euro, u16::to_le_bytes)), plain),
        ("JSON lines", "r.jsonl", json.clone().into(), plain),
        ("JSON lines with a mark, packed", "r.json.gz", gzip(format!("\u{feff}{json}").as_bytes()), plain),
        ("JSON lines by their look", "r.txt", json.replace('\n', "\r\n\r\n").into(), plain),
        ("times of ISO 8601", "r.csv", times(&iso(52), "2014-05-21 01:37:53+02:00", "2014-05-20 23:37:54").into(), plain),
        ("milliseconds", "r.csv", times("1400629072000", "1400629073000", "1400629074000").into(), plain),
        ("all units, mixed", "r.csv", times(&iso(52), "1400629073000000", "1400629074000000000").into(), plain),
        ("a column that nothing needs in Latin-1", "r.csv", good.replace("time\n", "time,no te\n").replace("072\n", "072,Caf\u{1}\n").replace("073\n", "073,\n").replace("074\n", "074,\n").into_bytes().into_iter().map(|b| if b == 1 { 0xe9 } else { b }).collect(), plain),
        ("a note of several lines that nothing needs", "r.csv", good.replace("time\n", "time,note\n").replace("072\n", "072,\"two\nlines, \"\"quoted\"\"\"\n").replace("073\n", "073,\n").replace("074\n", "074,\n").into(), plain),
        ("backslashes before quotes", "r.csv", good.replace("time\n", "time,note\n").replace("072\n", "072,\"say \\\"b\\\", or c\"\n").replace("073\n", "073,\n").replace("074\n", "074,\n").into(), plain),
    ];
    let digest = read_file("r.csv", good.as_bytes(), plain).unwrap().facts.digest;
    for (why, name, bytes, change) in same {
        let found = read_file(name, &bytes, change).unwrap_or_else(|error| panic!("{why}: {error}"));
        assert_eq!(found.facts.digest, digest, "{why}: {:?}", (found.titles, found.rating, found.time));
    }
}

#[test]
fn latin_1_is_read_when_it_is_said_and_named_when_it_is_not() {
    let text = b"viewer,title,rating,time\na,Caf\xe9,5,1\nb,y,3,2\nb,\x80,3,2\n";
    let found = read_file("r.csv", text, |spec| spec.layout.encoding = Some(Encoding::Latin1)).unwrap();
    assert_eq!(found.titles.iter().collect::<Vec<_>>(), ["Café", "y", "€"]);
    let error = read_file("r.csv", text, |_| ()).unwrap_err();
    let expected = "r.csv line 2, column `title`: expected an id in UTF-8, found `Caf\u{fffd}` (is the file in Latin-1? give --encoding latin1)";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn what_cannot_be_read_is_refused_with_the_mend() {
    let head = "viewer,title,rating,time\na,x,5,1\n";
    let plain = |_: &mut DataSpec| ();
    let skip = |spec: &mut DataSpec| spec.skip_bad_rows = 10;
    #[rustfmt::skip]
    let cases: Vec<(&str, &str, Vec<u8>, Change, &str)> = vec![
        ("a stray quote swallows rows", "r.csv", format!("{head}b,\"y,3,2\nc,z,1,3\nd,z,1,3\n").into(), skip,
            "r.csv line 3 opens a quote that takes in line 4, which looks like a row: mend the line, give --quotes plain if quotes are plain characters, or --multi-line if fields hold such lines"),
        ("a stray quote in the last row", "r.csv", format!("{head}b,\"y,3,2\n").into(), skip,
            "r.csv line 3 opens a quote that nothing closes: mend the line, give --quotes plain if quotes are plain characters, or --multi-line if fields hold such lines"),
        ("backslashes far below", "r.csv", format!("{head}{}b,\"y\\\" z\",3,2\n", "a,x,5,1\n".repeat(9000)).into(), plain,
            "r.csv line 9003 opens a quote, and its closing quote stands within a field: give --quotes backslash if a backslash stands before each quote within a field"),
        ("a needed column twice", "r.csv", "viewer,title,rating,time,rating\n".into(), plain,
            "r.csv: column `rating` stands there twice: rename one, or name another with --rating-column"),
        ("no header, several bytes", "r.dat", "1::2::3::4\n".into(), |spec| spec.layout.header = false,
            "r.dat: cannot tell the delimiter from the extension `dat` (csv, tsv, tab, inter, item, user, data, psv, jsonl and parquet are known): give --delimiter ::"),
        ("a workbook", "r.csv", b"PK\x03\x04....".to_vec(), plain, "r.csv: is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV"),
        ("bzip2", "r.csv.bz2", b"BZh91AY".to_vec(), plain, "r.csv.bz2: is compressed with bzip2, which is not read: unpack it, or compress it with gzip or zstd"),
        ("Parquet in gzip", "r.parquet.gz", gzip(b"PAR1...."), plain, "r.parquet.gz: is a compressed Parquet file: unpack it, Parquet is compressed within"),
        ("a JSON list", "r.json", b"[{\"viewer\":1}]".to_vec(), plain, "r.json: holds one JSON list: write one object a line, for example with jq -c '.[]'"),
        ("a broken JSON line", "r.jsonl", b"{\"viewer\":1,\"title\":2,\"rating\":3,\"time\":4}\n{oops\n".to_vec(), plain,
            "r.jsonl line 2: expected a JSON object, found `{oops`; mend it, or pass over up to N such rows with --skip-bad-rows N"),
        ("an object for an id", "r.jsonl", b"{\"viewer\":{},\"title\":2,\"rating\":3,\"time\":4}\n".to_vec(), plain,
            "r.jsonl line 1, column `viewer`: expected text or a whole number, found an object; mend it, or pass over up to N such rows with --skip-bad-rows N"),
    ];
    for (why, name, bytes, change, expected) in cases {
        assert_eq!(read_file(name, &bytes, change).expect_err(why), expected, "{why}");
    }
    let cut = gzip(GOOD.repeat(100).as_bytes());
    let error = read_file("r.csv.gz", &cut[..cut.len() / 2], plain).unwrap_err();
    assert!(error.starts_with("r.csv.gz cannot be read"), "{error}");
}

#[test]
fn a_field_that_turns_up_late_is_not_lost_in_silence() {
    let mut text = "{\"viewer\":1,\"title\":2}\n{\"viewer\":3,\"title\":4}\n".repeat(2000);
    text += "{\"viewer\":1,\"title\":2,\"rating\":3}\n";
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.jsonl");
    fs::write(&file, text).unwrap();
    let error = read(&spec(&[&file]), Needs::default(), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("line 4001 has the field `rating` for the first time"), "{error}");
}

#[test]
fn optional_columns_of_another_meaning_are_passed_over_and_named() {
    for (text, unread) in [
        ("viewer,title,rating\na,x,PG-13\nb,y,R\n", "rating: it has no ratings ("),
        ("viewer,title,time\na,x,5\nb,y,May 3\n", "time: it has no times ("),
    ] {
        let found = read_text(text, |_| ()).unwrap();
        assert!(found.facts.unread_columns[0].starts_with(unread), "{:?}", found.facts);
        assert_eq!((found.rating, found.time), (vec![1.0; 2], vec![0.0; 2]));
    }
}

#[test]
fn rows_rated_too_low_are_no_plays() {
    let text = "viewer,title,rating\na,shown,0\na,hated,-1\na,x,1\na,y,5\nb,x,2\nb,x,0\nc,shown,0\n";
    let plays = |change: Change| {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("r.csv");
        fs::write(&file, text).unwrap();
        let mut spec = spec(&[&file]);
        change(&mut spec);
        read_any(&spec, Needs { plays: true, ..Needs::default() }, &mut |_| ())
    };
    let found = plays(|_| ()).unwrap();
    assert_eq!((found.len(), found.facts.not_plays, found.facts.rows_read), (3, 4, 7));
    assert_eq!(found.titles.iter().collect::<Vec<_>>(), ["x", "y"], "what nobody played is no title");
    assert_eq!(found.viewers.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(plays(|spec| spec.positive_from = Some(2.0)).unwrap().len(), 2);
    assert_eq!(plays(|spec| spec.positive_from = Some(-1.0)).unwrap().len(), 6, "one is a duplicate");
    let none = plays(|spec| spec.positive_from = Some(9.0)).unwrap_err().to_string();
    assert!(
        none.starts_with("each of the 7 rows is rated too low for a play: give --positive-from"),
        "{none}"
    );
    let all = read_text(text, |_| ()).unwrap();
    assert_eq!((all.len(), all.facts.not_plays), (6, 0), "what learns from ratings learns from low ones");
}

#[test]
fn a_folder_of_files_is_a_data_set_and_empty_files_are_passed_over() {
    let folder = TempDir::new().unwrap();
    let all = folder.path().join("ratings.csv");
    fs::create_dir_all(all.join("year=2014/.hidden")).unwrap();
    let (head, rows) = GOOD.split_once('\n').unwrap();
    let (first, others) = rows.split_once('\n').unwrap();
    let write = |name: &str, text: String| fs::write(all.join(name), text).unwrap();
    write("_SUCCESS", String::new());
    write(".part-0.csv.crc", "junk".to_owned());
    write("part-0.csv", format!("{head}\n{first}\n"));
    write("part-1.csv", format!("{head}\n"));
    write("part-2.csv", String::new());
    write("year=2014/part-3.csv", format!("{head}\n{others}"));
    write("year=2014/.hidden/part-4.csv", "junk".to_owned());
    let found = read(&spec(&[&all]), Needs::default(), &mut |_| ()).unwrap();
    assert_eq!(found.facts.digest, read_text(GOOD, |_| ()).unwrap().facts.digest);
    assert_eq!(found.facts.empty_files, 2);

    let message = |names: &[&str]| {
        let files: Vec<_> = names.iter().map(|name| all.join(name)).collect();
        let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
        let error = read(&spec(&files), Needs::default(), &mut |_| ()).unwrap_err().to_string();
        error.replace(&format!("{}/", all.display()), "")
    };
    assert_eq!(message(&["part-1.csv", "part-2.csv"]), "part-1.csv has a header and no rows");
    let empty = "year=2014/.hidden holds no data file: names that begin with . or _ are passed over";
    fs::remove_file(all.join("year=2014/.hidden/part-4.csv")).unwrap();
    assert_eq!(message(&["year=2014/.hidden"]), empty);
}
