//! The safetensors format: eight bytes of header length, a JSON header, then the tensors without holes.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::error::{Fault, Finding, quoted};
use crate::limits::Limits;
use crate::manifest::TensorSpec;
use crate::tensor::{Dtype, RawTensor};

/// Bytes before the header.
const PREFIX: usize = 8;

/// The tensors of a safetensors file, by name; slices of `file`, nothing is copied.
///
/// Lengths, offsets and alignment are checked against the file; the values are not looked at.
pub fn parse_weights(file: &Bytes, limits: &Limits) -> Result<BTreeMap<String, RawTensor>, Finding> {
    let header_bytes = header_length(file, limits)?;
    let data_start = PREFIX + header_bytes;
    let header: Header = serde_json::from_slice(&file[PREFIX..data_start])
        .map_err(|error| Finding::new(Fault::Header, "a safetensors header", error.to_string()))?;
    if header.0.len() > limits.tensors {
        let expected = format!("at most {} tensors", limits.tensors);
        return Err(Finding::new(Fault::TooLarge, expected, header.0.len().to_string()));
    }
    check_no_holes(&header, file.len() - data_start)?;
    let mut tensors = BTreeMap::new();
    for (name, entry) in header.0 {
        let tensor = tensor(file, data_start, &name, &entry)?;
        let again = format!("{} twice", quoted(&name));
        if tensors.insert(name, tensor).is_some() {
            return Err(Finding::new(Fault::Header, "every tensor once", again));
        }
    }
    Ok(tensors)
}

/// Length of the header, once it is known to fit the file and the limit.
fn header_length(file: &[u8], limits: &Limits) -> Result<usize, Finding> {
    let Some(prefix) = file.first_chunk::<PREFIX>() else {
        let found = format!("a file of {}", file.len());
        return Err(Finding::new(Fault::Header, "a safetensors file of 8 bytes or more", found));
    };
    let declared = u64::from_le_bytes(*prefix);
    let room = (file.len() - PREFIX) as u64;
    if declared > room {
        let expected = format!("a header of at most {room} bytes, which is the rest of the file");
        return Err(Finding::new(Fault::Header, expected, format!("{declared} declared")));
    }
    if declared > limits.header_bytes {
        let expected = format!("a header of at most {} bytes", limits.header_bytes);
        return Err(Finding::new(Fault::TooLarge, expected, declared.to_string()));
    }
    Ok(declared as usize)
}

/// Tensors must follow one another without hole or overlap and fill the file, as the format demands: then no byte
/// is covered by two tensors and none is smuggled in beside them.
fn check_no_holes(header: &Header, data_bytes: usize) -> Result<(), Finding> {
    let mut spans: Vec<(usize, usize)> = header.0.iter().map(|(_, entry)| entry.data_offsets).collect();
    spans.sort_unstable();
    let mut at = 0;
    for (begin, end) in spans {
        if begin != at || end < begin {
            let expected = format!("tensor data from byte {at} on without holes");
            return Err(Finding::new(Fault::Header, expected, format!("data_offsets [{begin}, {end}]")));
        }
        at = end;
    }
    if at != data_bytes {
        let expected = format!("{at} bytes of tensor data after the header");
        return Err(Finding::new(Fault::Header, expected, data_bytes.to_string()));
    }
    Ok(())
}

/// One tensor; its offsets are known to lie in the file.
fn tensor(file: &Bytes, data_start: usize, name: &str, entry: &Entry) -> Result<RawTensor, Finding> {
    let Some(dtype) = Dtype::from_name(&entry.dtype) else {
        let expected = format!("dtype F32, F64, U32, I64 or U8 for tensor {}", quoted(name));
        return Err(Finding::new(Fault::Tensor, expected, quoted(&entry.dtype)));
    };
    let (begin, end) = entry.data_offsets;
    let spec = TensorSpec { dtype, shape: entry.shape.clone() };
    if crate::manifest::tensor_bytes(&spec) != Some((end - begin) as u64) {
        let expected = format!("the bytes of {dtype} {:?} for tensor {}", spec.shape, quoted(name));
        return Err(Finding::new(Fault::Header, expected, format!("{}", end - begin)));
    }
    let data = file.slice(data_start + begin..data_start + end);
    if !data.as_ptr().addr().is_multiple_of(dtype.size()) && !data.is_empty() {
        let expected = format!("tensor {} aligned to {} bytes", quoted(name), dtype.size());
        return Err(Finding::new(Fault::Header, expected, format!("file offset {}", data_start + begin)));
    }
    Ok(RawTensor { dtype, shape: spec.shape, data })
}

/// The header in the order of the file; a map would hide that a name stands twice.
struct Header(Vec<(String, Entry)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
            } else {
                entries.push((name, map.next_value()?));
            }
        }
        Ok(Header(entries))
    }
}

/// A header for tensors that follow in this order, padded so that their data begins at a multiple of 64 bytes.
pub(crate) fn header<'a>(tensors: impl Iterator<Item = (&'a str, &'a TensorSpec)>) -> Vec<u8> {
    let mut entries = serde_json::Map::new();
    let mut at = 0u64;
    for (name, spec) in tensors {
        let end = at + crate::manifest::tensor_bytes(spec).unwrap_or(0);
        let entry = serde_json::json!({
            "dtype": spec.dtype.name(), "shape": spec.shape, "data_offsets": [at, end]
        });
        entries.insert(name.to_owned(), entry);
        at = end;
    }
    let mut json = serde_json::Value::Object(entries).to_string().into_bytes();
    json.resize((PREFIX + json.len()).next_multiple_of(64) - PREFIX, b' ');
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut json);
    bytes
}

#[cfg(test)]
mod tests;
