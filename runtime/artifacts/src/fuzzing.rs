//! What the fuzz targets and the bounded run in the tests call. Each gives whether the parser took the input, and
//! panics where a parser broke a promise.

use bytes::Bytes;

use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::{IdTable, TitleRow, parse_catalogue, parse_weights};

/// A manifest that is taken must be taken again after a round trip, and mean the same.
pub fn manifest(bytes: &[u8]) -> bool {
    let limits = Limits::default();
    let Ok(manifest) = Manifest::parse(bytes, &limits) else { return false };
    let again = serde_json::to_vec(&manifest).map(|json| Manifest::parse(&json, &limits));
    assert!(
        matches!(again, Ok(Ok(again)) if again == manifest),
        "a manifest changes when it is written and read"
    );
    assert!(manifest.declared_bytes() <= limits.total_bytes);
    true
}

/// Tensors that are taken lie within the file, are as long as their shape says, and do not overlap.
pub fn weights(bytes: &[u8]) -> bool {
    let file = Bytes::copy_from_slice(bytes);
    let Ok(tensors) = parse_weights(&file, &Limits::default()) else { return false };
    let range = file.as_ptr_range();
    let mut total = 0;
    for tensor in tensors.values() {
        let slice = tensor.data.as_ptr_range();
        let inside = range.start <= slice.start && slice.end <= range.end;
        assert!(inside || tensor.data.is_empty(), "a tensor lies outside its file");
        assert_eq!(
            tensor.len() * tensor.dtype.size(),
            tensor.data.len(),
            "a tensor is not as long as its shape"
        );
        tensor.first_not_finite();
        total += tensor.data.len();
    }
    assert!(total <= bytes.len(), "tensors overlap");
    true
}

/// Id tables and catalogues: every id that is taken is found at its row.
pub fn lines(bytes: &[u8]) -> bool {
    let limits = Limits::default();
    let count = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64;
    let ids = IdTable::<TitleRow>::parse(bytes, count, &limits).ok();
    let catalogue = parse_catalogue(bytes, count, &limits).ok().map(|(_, ids)| ids);
    for table in ids.iter().chain(&catalogue) {
        for (row, id) in table.iter().enumerate() {
            assert_eq!(table.row(id), Some(TitleRow(row as u32)), "an id is not found at its row");
        }
    }
    ids.is_some() || catalogue.is_some()
}
