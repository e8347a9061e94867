//! Data types of ids, and their format in raw bytes.

use super::super::text::Text;
use crate::service::types::ServeError;

/// A data type of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// Strings, each after its length in 4 bytes.
    Bytes,
    /// Signed integers with this number of bytes.
    Signed(usize),
    /// Unsigned integers with this number of bytes.
    Unsigned(usize),
}

impl Datatype {
    /// Parses the name of the data type of `tensor`.
    ///
    /// # Errors
    /// Invalid, with the data types that are supported.
    pub fn parse(name: &str, tensor: &str) -> Result<Self, ServeError> {
        Ok(match name {
            "BYTES" => Self::Bytes,
            "INT8" => Self::Signed(1),
            "INT16" => Self::Signed(2),
            "INT32" => Self::Signed(4),
            "INT64" => Self::Signed(8),
            "UINT8" => Self::Unsigned(1),
            "UINT16" => Self::Unsigned(2),
            "UINT32" => Self::Unsigned(4),
            "UINT64" => Self::Unsigned(8),
            _ => {
                return Err(ServeError::Invalid(format!(
                    "input {tensor:?} has the data type {name:?}: send ids as BYTES, or as INT8 to INT64 or UINT8 to UINT64"
                )));
            }
        })
    }

    /// Reads ids from raw bytes: integers are little-endian, strings follow their length in 4 bytes.
    ///
    /// # Errors
    /// Invalid: incomplete, or not UTF-8.
    pub fn decode<'a>(self, raw: &'a [u8], tensor: &str) -> Result<Vec<Text<'a>>, ServeError> {
        match self {
            Self::Bytes => texts(raw, tensor),
            Self::Signed(width) => numbers(raw, width, tensor, |bytes| {
                let unsigned = little_endian(bytes);
                // Shifting up and back copies the sign bit.
                let shift = 64 - 8 * width as u32;
                Text::number(((unsigned << shift) as i64) >> shift)
            }),
            Self::Unsigned(width) => numbers(raw, width, tensor, |bytes| Text::number(little_endian(bytes))),
        }
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn numbers<'a>(
    raw: &[u8],
    width: usize,
    tensor: &str,
    text: impl Fn(&[u8]) -> Text<'a>,
) -> Result<Vec<Text<'a>>, ServeError> {
    let chunks = raw.chunks_exact(width);
    if !chunks.remainder().is_empty() {
        let found = raw.len();
        let message = format!("input {tensor:?} has {found} raw bytes: expected a multiple of {width}");
        return Err(ServeError::Invalid(message));
    }
    Ok(chunks.map(text).collect())
}

fn texts<'a>(mut raw: &'a [u8], tensor: &str) -> Result<Vec<Text<'a>>, ServeError> {
    let short = |at: usize| {
        ServeError::Invalid(format!(
            "input {tensor:?} ends in the middle of element {at}: send each element as its length in 4 bytes, little-endian, and its text"
        ))
    };
    let mut texts = Vec::with_capacity(raw.len() / 8);
    while !raw.is_empty() {
        let at = texts.len();
        let (length, rest) = raw.split_first_chunk::<4>().ok_or_else(|| short(at))?;
        let (text, rest) =
            rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(|| short(at))?;
        texts.push(utf8(text, tensor, at)?);
        raw = rest;
    }
    Ok(texts)
}

/// An element as a string.
///
/// # Errors
/// Invalid: not UTF-8.
pub fn utf8<'a>(bytes: &'a [u8], tensor: &str, at: usize) -> Result<Text<'a>, ServeError> {
    str::from_utf8(bytes)
        .map(Text::from)
        .map_err(|_| ServeError::Invalid(format!("element {at} of input {tensor:?} is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(name: &str, raw: &[u8]) -> Result<Vec<String>, String> {
        let datatype = Datatype::parse(name, "titles").map_err(|error| error.to_string())?;
        let ids = datatype.decode(raw, "titles").map_err(|error| error.to_string())?;
        Ok(ids.iter().map(|id| id.to_string()).collect())
    }

    #[test]
    fn raw_bytes_become_ids() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &[&str]); 8] = [
            ("BYTES",  b"\x02\0\0\0ab\0\0\0\0\x01\0\0\0c", &["ab", "", "c"]),
            ("BYTES",  b"",                                    &[]),
            ("INT8",   &[0xff, 0x7f],                          &["-1", "127"]),
            ("UINT8",  &[0xff],                                &["255"]),
            ("INT16",  &[0x00, 0x80],                          &["-32768"]),
            ("UINT32", &[1, 1, 0, 0],                          &["257"]),
            ("INT64",  &[0xff; 8],                             &["-1"]),
            ("UINT64", &[0xff; 8],                             &["18446744073709551615"]),
        ];
        for (name, raw, ids) in cases {
            assert_eq!(decoded(name, raw).unwrap(), ids, "{name}");
        }
    }

    #[test]
    fn malformed_bytes_are_refused() {
        #[rustfmt::skip]
        let cases: [(&str, &str, &[u8], &str); 6] = [
            ("a length cut short",      "BYTES",  b"\x02\0",                  "ends in the middle of element 0"),
            ("a text cut short",        "BYTES",  b"\x01\0\0\0a\x09\0\0\0b", "ends in the middle of element 1"),
            ("a length of 4 GiB",       "BYTES",  b"\xff\xff\xff\xffa",     "ends in the middle of element 0"),
            ("not UTF-8",               "BYTES",  b"\x01\0\0\0\xff",        "element 0 of input \"titles\" is not UTF-8"),
            ("half a number",           "INT32",  &[1, 2, 3],                "has 3 raw bytes: expected a multiple of 4"),
            ("a type that no id has",   "FP32",   &[],                       "send ids as BYTES"),
        ];
        for (why, name, raw, message) in cases {
            let error = decoded(name, raw).unwrap_err();
            assert!(error.contains(message), "{why}: {error}");
        }
    }
}
