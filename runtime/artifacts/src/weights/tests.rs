use super::*;

fn file(header: &str, data: &[u8]) -> Bytes {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat().into()
}

fn parse(bytes: &Bytes) -> Result<BTreeMap<String, RawTensor>, Finding> {
    parse_weights(bytes, &Limits::default())
}

#[test]
fn tensors_are_slices_of_the_file() {
    let header = r#"{"__metadata__":{"by":"hand"},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#;
    let header = format!("{header:<136}"); // a multiple of eight
    let bytes = file(&header, &[0, 0, 0x80, 0x3f, 7, 8]);
    let tensors = parse(&bytes).unwrap();
    assert_eq!((tensors["a"].as_f32(), tensors["a"].len()), (Some(&[1.0][..]), 1));
    assert_eq!(&tensors["b"].data[..], [7, 8]);
    assert!(bytes.as_ptr_range().contains(&tensors["b"].data.as_ptr()), "nothing is copied");
}

#[test]
fn a_header_that_lies_is_named() {
    #[rustfmt::skip]
    let cases = [
        // why                        header                                                                   data  message
        ("a hole before",             r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,              2, "expected tensor data from byte 0 on without holes, found data_offsets [1, 2]"),
        ("a hole after",              r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,              2, "expected 1 bytes of tensor data after the header, found 2"),
        ("past the end",              r#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#,              2, "expected 3 bytes of tensor data after the header, found 2"),
        ("backwards",                 r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,1]}}"#, 2, "expected tensor data from byte 2 on without holes, found data_offsets [2, 1]"),
        ("a negative size",           r#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,2]}}"#,             2, "expected a safetensors header, found invalid value: integer `-1`, expected usize at line 1 column 30"),
        ("not an object",             r#"[1]"#,                                                                0, "expected a safetensors header, found invalid type: sequence, expected an object of tensors by name at line 1 column 0"),
        ("an unknown word",           r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}"#,        1, "expected a safetensors header, found unknown field `x`, expected one of `dtype`, `shape`, `data_offsets` at line 1 column 55"),
        ("floats at an odd place",    r#"{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#, 5, "expected tensor `a` aligned to 4 bytes, found file offset 115"),
        ("nine dimensions",           r#"{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}"#, 1, "expected the bytes of U8 [1, 1, 1, 1, 1, 1, 1, 1, 1] for tensor `a`, found 1"),
    ];
    for (why, header, data, message) in cases {
        let error = parse(&file(header, &vec![0; data])).expect_err(why);
        assert_eq!(error.to_string(), message, "{why}");
    }
}

#[test]
fn a_file_shorter_than_its_prefix_is_refused() {
    let error = parse(&Bytes::from_static(b"1234")).unwrap_err();
    assert_eq!(error.to_string(), "expected a safetensors file of 8 bytes or more, found a file of 4");
}

#[test]
fn a_file_of_no_tensors_is_read() {
    assert!(parse(&file("{}", &[])).unwrap().is_empty());
}
