//! Parquet: the same rows as text, and what is wrong with a file.

use parquet::{
    data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

use std::sync::Arc;

use super::*;

const ROWS: [(&str, i64, Option<f32>, f64); 5] = [
    ("a", 7, Some(5.0), 10.0),
    ("a", -8, Some(3.5), 20.0),
    ("b", 7, Some(4.0), 15.5),
    ("b", 9, None, 1.0),
    ("c", 7, Some(1.0), 2.0),
];

/// Text ids, whole-number titles, ratings that may be missing, times in 64 bits; a row group for every two rows.
fn write(file: &Path, compression: parquet::basic::Compression) {
    let schema = "message rows { required binary viewer (UTF8); required int64 title; optional float rating; required double time; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(fs::File::create(file).unwrap(), schema, properties).unwrap();
    for rows in ROWS.chunks(2) {
        let mut group = writer.next_row_group().unwrap();
        let viewers: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(row.0)).collect();
        let titles: Vec<i64> = rows.iter().map(|row| row.1).collect();
        let ratings: Vec<f32> = rows.iter().filter_map(|row| row.2).collect();
        let there: Vec<i16> = rows.iter().map(|row| i16::from(row.2.is_some())).collect();
        let times: Vec<f64> = rows.iter().map(|row| row.3).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&viewers, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&titles, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<FloatType>().write_batch(&ratings, Some(&there), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&times, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn parquet_and_text_with_the_same_rows_are_the_same_data() {
    use parquet::basic::{Compression, GzipLevel, ZstdLevel};
    let text = "viewer,title,rating,time\na,7,5,10\na,-8,3.5,20\nb,7,4,15.5\nb,9,,1\nc,7,1,2\n";
    let from_text = read_text(text, |spec| spec.skip_bad_rows = 1).unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.parquet");
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        write(&file, compression);
        let mut spec = spec(&[&file]);
        spec.skip_bad_rows = 1;
        let found = read(&spec, Needs::default(), &mut |_| ()).unwrap();
        assert_eq!(found.facts.digest, from_text.facts.digest, "{compression:?}");
        assert_eq!(
            (&found.viewer, &found.title, &found.rating),
            (&from_text.viewer, &from_text.title, &from_text.rating)
        );
        assert_eq!(found.titles.iter().collect::<Vec<_>>(), ["7", "-8"]);
    }
}

#[test]
fn what_is_wrong_is_named_by_row_and_column() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.parquet");
    write(&file, parquet::basic::Compression::UNCOMPRESSED);
    let message = |change: fn(&mut DataSpec)| {
        let mut spec = spec(&[&file]);
        change(&mut spec);
        let found = read(&spec, Needs::default(), &mut |_| ()).unwrap_err().to_string();
        found.replace(&format!("{}/", folder.path().display()), "")
    };
    let mend = "; mend it, or pass over up to N such rows with --skip-bad-rows N";
    assert_eq!(
        message(|_| ()),
        format!("r.parquet row 4, column `rating`: expected a number, found nothing{mend}")
    );
    let found = message(|spec| spec.columns.viewer = Some("time".to_owned()));
    assert_eq!(
        found,
        format!("r.parquet row 1, column `time`: expected an id (text or a whole number), found `10`{mend}")
    );
    let found = message(|spec| spec.columns.time = Some("viewer".to_owned()));
    assert_eq!(
        found,
        format!(
            "r.parquet row 1, column `viewer`: expected a number or a time such as 2014-05-20T23:37:52Z, found `a`{mend}"
        )
    );
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_panic() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.parquet");
    write(&file, parquet::basic::Compression::SNAPPY);
    let whole = fs::read(&file).unwrap();
    let reads = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let mut spec = spec(&[&file]);
        spec.skip_bad_rows = 10;
        read(&spec, Needs::default(), &mut |_| ()).is_ok()
    };
    for end in (0..whole.len()).step_by(7) {
        assert!(!reads(&whole[..end]), "cut off at {end}");
    }
    for at in (0..whole.len()).step_by(2) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        // Most are refused; a changed number may lawfully be another number.
        reads(&bytes);
    }
}
