//! Every physical type of Parquet with every logical one: read as what it means, or refused by its name.

use std::sync::Arc;

use parquet::{
    basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
        FloatType, Int32Type, Int64Type, Int96, Int96Type,
    },
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

use super::*;

/// Values of the column under test.
enum Values {
    I32(&'static [i32]),
    I64(&'static [i64]),
    I96(&'static [[u32; 3]]),
    F32(&'static [f32]),
    F64(&'static [f64]),
    Bytes(&'static [&'static [u8]]),
    Fixed(&'static [&'static [u8]]),
    Bool(&'static [bool]),
}

/// Writes `viewer`, `title` and a column of the type `column`, which is called `x`.
fn write(file: &Path, column: &str, values: &Values, compression: Compression) {
    fn all<T: DataType>(
        group: &mut parquet::file::writer::SerializedRowGroupWriter<'_, fs::File>,
        values: &[T::T],
        levels: Option<&[i16]>,
    ) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, levels, None).unwrap();
        column.close().unwrap();
    }
    let schema = format!(
        "message rows {{ required binary viewer (UTF8); required binary title (UTF8); required {column}; }}"
    );
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(fs::File::create(file).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let n = match values {
        Values::I32(values) => values.len(),
        Values::I64(values) => values.len(),
        Values::I96(values) => values.len(),
        Values::F32(values) => values.len(),
        Values::F64(values) => values.len(),
        Values::Bytes(values) | Values::Fixed(values) => values.len(),
        Values::Bool(values) => values.len(),
    };
    let ids: Vec<ByteArray> = (0..n).map(|i| ByteArray::from(format!("id{i}").as_str())).collect();
    all::<ByteArrayType>(&mut group, &ids, None);
    all::<ByteArrayType>(&mut group, &ids, None);
    match values {
        Values::I32(values) => all::<Int32Type>(&mut group, values, None),
        Values::I64(values) => all::<Int64Type>(&mut group, values, None),
        Values::I96(words) => {
            let values: Vec<Int96> = words
                .iter()
                .map(|words| {
                    let mut value = Int96::new();
                    value.set_data(words[0], words[1], words[2]);
                    value
                })
                .collect();
            all::<Int96Type>(&mut group, &values, None);
        }
        Values::F32(values) => all::<FloatType>(&mut group, values, None),
        Values::F64(values) => all::<DoubleType>(&mut group, values, None),
        Values::Bytes(values) => {
            let values: Vec<ByteArray> = values.iter().map(|value| ByteArray::from(value.to_vec())).collect();
            all::<ByteArrayType>(&mut group, &values, None);
        }
        Values::Fixed(values) => {
            let values: Vec<FixedLenByteArray> =
                values.iter().map(|value| FixedLenByteArray::from(value.to_vec())).collect();
            all::<FixedLenByteArrayType>(&mut group, &values, None);
        }
        Values::Bool(values) => all::<BoolType>(&mut group, values, None),
    }
    group.close().unwrap();
    writer.close().unwrap();
}

/// What the column `x` is as an id, as a rating and as a time: its values, or the message.
fn read_as(file: &Path) -> [String; 3] {
    let read = |change: fn(&mut DataSpec), show: fn(&Ratings) -> Vec<String>| {
        let mut spec = spec(&[file]);
        change(&mut spec);
        match read_any(&spec, Needs::default(), &mut |_| ()) {
            Ok(found) => show(&found).join(" "),
            Err(error) => {
                let text = error.to_string();
                let (_, text) = text.split_once("`x`").unwrap();
                let text = text.split(';').next().unwrap();
                text.trim_start_matches([' ', ':']).split(": expected").next().unwrap().to_owned()
            }
        }
    };
    [
        read(
            |spec| spec.columns.title = Some("x".to_owned()),
            |found| found.titles.iter().map(str::to_owned).collect(),
        ),
        read(
            |spec| spec.columns.rating = Some("x".to_owned()),
            |found| found.rating.iter().map(ToString::to_string).collect(),
        ),
        read(
            |spec| spec.columns.time = Some("x".to_owned()),
            |found| found.time.iter().map(ToString::to_string).collect(),
        ),
    ]
}

#[test]
fn every_type_is_read_as_what_it_means_or_refused_by_its_name() {
    use Values::{Bool, Bytes, F32, F64, Fixed, I32, I64, I96};
    const UUID: &[u8] = b"\x6f\xa4\x59\xea\xee\x8a\x3c\xa4\x89\x4e\xdb\x77\xe1\x60\x35\x5e";
    #[rustfmt::skip]
    let cases: Vec<(&str, Values, [&str; 3])> = vec![
        // type                                     values                                as an id                    as a rating      as a time
        ("int32 x",                                 I32(&[7, -8]),                        ["7 -8",                    "7 -8",          "7 -8"]),
        ("int32 x (INTEGER(8,true))",               I32(&[7, -8]),                        ["7 -8",                    "7 -8",          "7 -8"]),
        ("int32 x (INTEGER(16,true))",              I32(&[7, -8]),                        ["7 -8",                    "7 -8",          "7 -8"]),
        ("int32 x (INTEGER(32,true))",              I32(&[7, -8]),                        ["7 -8",                    "7 -8",          "7 -8"]),
        ("int32 x (INTEGER(8,false))",              I32(&[7, 200]),                       ["7 200",                   "7 200",         "7 200"]),
        ("int32 x (INTEGER(16,false))",             I32(&[7, 60_000]),                    ["7 60000",                 "7 60000",       "7 60000"]),
        ("int32 x (INTEGER(32,false))",             I32(&[7, -1_294_967_286]),            ["7 3000000010",            "7 3000000000",  "7 3000000010"]),
        ("int32 x (UINT_32)",                       I32(&[-1]),                           ["4294967295",              "4294967300",    "4294967295"]),
        ("int32 x (UINT_8)",                        I32(&[200]),                          ["200",                     "200",           "200"]),
        ("int32 x (UINT_16)",                       I32(&[60_000]),                       ["60000",                   "60000",         "60000"]),
        ("int32 x (INT_8)",                         I32(&[-8]),                           ["-8",                      "-8",            "-8"]),
        ("int32 x (INT_16)",                        I32(&[-8]),                           ["-8",                      "-8",            "-8"]),
        ("int32 x (INT_32)",                        I32(&[-8]),                           ["-8",                      "-8",            "-8"]),
        ("int32 x (DECIMAL(9,0))",                  I32(&[7, -8]),                        ["7 -8",                    "7 -8",          "7 -8"]),
        ("int32 x (DECIMAL(9,1))",                  I32(&[35, -5, 0]),                    ["3.5 -0.5 0.0",            "3.5 -0.5 0",    "3.5 -0.5 0"]),
        ("int32 x (DATE)",                          I32(&[1, -1]),                        ["has type DATE",           "has type DATE", "86400 -86400"]),
        ("int32 x (TIME(MILLIS,true))",             I32(&[1]),                            ["has type TIME in milliseconds", "has type TIME in milliseconds", "has type TIME in milliseconds"]),
        ("int32 x (TIME_MILLIS)",                   I32(&[1]),                            ["has type TIME_MILLIS",    "has type TIME_MILLIS", "has type TIME_MILLIS"]),
        ("int64 x",                                 I64(&[7, i64::MIN]),                  ["7 -9223372036854775808",  "7 -9223372000000000000", "7 -9223372036.854776"]),
        ("int64 x (INTEGER(64,true))",              I64(&[-8]),                           ["-8",                      "-8",            "-8"]),
        ("int64 x (INT_64)",                        I64(&[-8]),                           ["-8",                      "-8",            "-8"]),
        ("int64 x (INTEGER(64,false))",             I64(&[-4_539_648_215_598_759_936]),   ["13907095858110791680",    "13907096000000000000", "13907095858.110792"]),
        ("int64 x (UINT_64)",                       I64(&[-1]),                           ["18446744073709551615",    "18446744000000000000", "18446744073.709553"]),
        ("int64 x (DECIMAL(18,0))",                 I64(&[123_456_789_012_345_678]),      ["123456789012345678",      "123456790000000000", "123456789.01234569"]),
        ("int64 x (DECIMAL(18,2))",                 I64(&[12_345, -50]),                  ["123.45 -0.50",            "123.45 -0.5",   "123.45 -0.5"]),
        ("int64 x (TIMESTAMP(MILLIS,true))",        I64(&[1_400_629_072_250]),            ["has type TIMESTAMP in milliseconds", "has type TIMESTAMP in milliseconds", "1400629072.25"]),
        ("int64 x (TIMESTAMP(MICROS,false))",       I64(&[1_400_629_072_250_000]),        ["has type TIMESTAMP in microseconds", "has type TIMESTAMP in microseconds", "1400629072.25"]),
        ("int64 x (TIMESTAMP(NANOS,true))",         I64(&[1_400_629_072_250_000_000]),    ["has type TIMESTAMP in nanoseconds", "has type TIMESTAMP in nanoseconds", "1400629072.25"]),
        ("int64 x (TIMESTAMP_MILLIS)",              I64(&[-250]),                         ["has type TIMESTAMP_MILLIS", "has type TIMESTAMP_MILLIS", "-0.25"]),
        ("int64 x (TIMESTAMP_MICROS)",              I64(&[-250]),                         ["has type TIMESTAMP_MICROS", "has type TIMESTAMP_MICROS", "-0.00025"]),
        ("int64 x (TIME(MICROS,true))",             I64(&[1]),                            ["has type TIME in microseconds", "has type TIME in microseconds", "has type TIME in microseconds"]),
        ("int64 x (TIME(NANOS,true))",              I64(&[1]),                            ["has type TIME in nanoseconds", "has type TIME in nanoseconds", "has type TIME in nanoseconds"]),
        ("int64 x (TIME_MICROS)",                   I64(&[1]),                            ["has type TIME_MICROS",    "has type TIME_MICROS", "has type TIME_MICROS"]),
        // Midnight of Julian day 2,440,588, the first of 1970, and noon of the day before.
        ("int96 x",                                 I96(&[[0, 0, 2_440_588], [1_218_936_832, 10_058, 2_440_587]]), ["has type INT96", "has type INT96", "0 -43200"]),
        ("float x",                                 F32(&[3.5, -1.0]),                    ["expected an id (text or a whole number), found `3.5`", "3.5 -1", "3.5 -1"]),
        ("double x",                                F64(&[3.5, -1.0]),                    ["expected an id (text or a whole number), found `3.5`", "3.5 -1", "3.5 -1"]),
        ("double x",                                F64(&[f64::NAN]),                     ["expected an id (text or a whole number), found `NaN`", "expected a finite number, found `NaN`", "expected a finite number, found `NaN`"]),
        ("boolean x",                               Bool(&[true, false]),                 ["has type BOOLEAN",        "1 0",           "has type BOOLEAN"]),
        ("binary x",                                Bytes(&[b"7", b"3.5"]),               ["7 3.5",                   "7 3.5",         "7 3.5"]),
        ("binary x (STRING)",                       Bytes(&[b"7", b" 8"]),                ["7  8",                    "7 8",           "7 8"]),
        ("binary x (STRING)",                       Bytes(&[b"2014-05-20 23:37:52"]),     ["2014-05-20 23:37:52",     "expected a number, found `2014-05-20 23:37:52`", "1400629072"]),
        ("binary x (UTF8)",                         Bytes(&[b"\xff"]),                    ["expected an id in UTF-8, found `\u{fffd}` (is the file in Latin-1? give --encoding latin1)", "expected a number, found `\u{fffd}`", "expected a number or a time such as 2014-05-20T23:37:52Z, found `\u{fffd}`"]),
        ("binary x (ENUM)",                         Bytes(&[b"a"]),                       ["a",                       "expected a number, found `a`", "expected a number or a time such as 2014-05-20T23:37:52Z, found `a`"]),
        ("binary x (JSON)",                         Bytes(&[b"7"]),                       ["7",                       "7",             "7"]),
        ("binary x (BSON)",                         Bytes(&[b"7"]),                       ["has type BSON",           "has type BSON", "has type BSON"]),
        ("binary x (DECIMAL(4,2))",                 Bytes(&[b"\x01\x5e", b"\xff", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x64"]), ["3.50 -0.01 1.00", "3.5 -0.01 1", "3.5 -0.01 1"]),
        ("binary x (DECIMAL(60,0))",                Bytes(&[b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"]), ["expected an id (text or a whole number), found `NaN`", "expected a finite number, found `NaN`", "expected a finite number, found `NaN`"]),
        ("fixed_len_byte_array(2) x",               Fixed(&[b"ab"]),                      ["ab",                      "expected a number, found `ab`", "expected a number or a time such as 2014-05-20T23:37:52Z, found `ab`"]),
        ("fixed_len_byte_array(2) x (DECIMAL(4,1))", Fixed(&[b"\x00\x23", b"\xff\xfb"]),  ["3.5 -0.5",                "3.5 -0.5",      "3.5 -0.5"]),
        ("fixed_len_byte_array(17) x (DECIMAL(38,1))", Fixed(&[b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x23"]), ["has type DECIMAL(38, 1) in FIXED_LEN_BYTE_ARRAY", "has type DECIMAL(38, 1) in FIXED_LEN_BYTE_ARRAY", "has type DECIMAL(38, 1) in FIXED_LEN_BYTE_ARRAY"]),
        ("fixed_len_byte_array(16) x (UUID)",       Fixed(&[UUID]),                       ["6fa459ea-ee8a-3ca4-894e-db77e160355e", "has type UUID", "has type UUID"]),
        ("fixed_len_byte_array(2) x (FLOAT16)",     Fixed(&[b"\x00\x43", b"\x00\xbc", b"\x01\x00"]), ["has type FLOAT16", "3.5 -1 0.000000059604645", "3.5 -1 0.00000005960464477539063"]),
        ("fixed_len_byte_array(12) x (INTERVAL)",   Fixed(&[b"\0\0\0\0\0\0\0\0\0\0\0\0"]), ["has type INTERVAL",      "has type INTERVAL", "has type INTERVAL"]),
    ];
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.parquet");
    for (column, values, expected) in cases {
        write(&file, column, &values, Compression::UNCOMPRESSED);
        assert_eq!(read_as(&file), expected, "{column}");
    }
}

#[test]
fn every_codec_in_use_is_read() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.parquet");
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ] {
        write(&file, "int32 x", &Values::I32(&[5, 6, 7]), codec);
        assert_eq!(read_as(&file)[0], "5 6 7", "{codec}");
    }
}

#[test]
fn what_nothing_needs_may_be_of_any_type() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("r.parquet");
    for name in ["rating", "time", "anything"] {
        write(
            &file,
            &format!("fixed_len_byte_array(12) {name} (INTERVAL)"),
            &Values::Fixed(&[b"            ", b"            "]),
            Compression::SNAPPY,
        );
        let found = read(&spec(&[&file]), Needs::default(), &mut |_| ()).unwrap();
        assert_eq!(found.len(), 2, "{name}");
        assert!(found.facts.unread_columns[0].starts_with(name), "{:?}", found.facts);
    }
    let needs = Needs { rating: true, ..Needs::default() };
    write(&file, "int32 rating (DATE)", &Values::I32(&[1]), Compression::SNAPPY);
    let error = read(&spec(&[&file]), needs, &mut |_| ()).unwrap_err().to_string();
    let expected = "column `rating` has type DATE: expected a number; write it as such, or name another column with --rating-column";
    assert!(error.ends_with(expected), "{error}");
}
