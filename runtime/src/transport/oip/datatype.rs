//! Data types that ids may have, and how raw bytes hold them.

use super::super::text::Text;
use crate::service::types::ServeError;

/// A data type that an id may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datatype {
    /// Texts, each after its length in 4 bytes.
    Bytes,
    /// Signed numbers of so many bytes.
    Signed(usize),
    /// Unsigned numbers of so many bytes.
    Unsigned(usize),
}

impl Datatype {
    /// Reads the name of the data type of `tensor`.
    ///
    /// # Errors
    /// Invalid, and what is taken.
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

    /// The ids in raw bytes: numbers little-endian, texts after their length in 4 bytes.
    ///
    /// # Errors
    /// Invalid: cut short, or not UTF-8.
    pub fn decode<'a>(self, raw: &'a [u8], tensor: &str) -> Result<Vec<Text<'a>>, ServeError> {
        match self {
            Self::Bytes => texts(raw, tensor),
            Self::Signed(width) => numbers(raw, width, tensor, |bytes| {
                let unsigned = little_endian(bytes);
                // Moves the sign bit to the top, and back with its copies behind it.
                let shift = 64 - 8 * width as u32;
                (((unsigned << shift) as i64) >> shift).to_string()
            }),
            Self::Unsigned(width) => numbers(raw, width, tensor, |bytes| little_endian(bytes).to_string()),
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
    text: impl Fn(&[u8]) -> String,
) -> Result<Vec<Text<'a>>, ServeError> {
    let chunks = raw.chunks_exact(width);
    if !chunks.remainder().is_empty() {
        let found = raw.len();
        let message = format!("input {tensor:?} has {found} raw bytes: expected a multiple of {width}");
        return Err(ServeError::Invalid(message));
    }
    Ok(chunks.map(|chunk| text(chunk).into()).collect())
}

fn texts<'a>(mut raw: &'a [u8], tensor: &str) -> Result<Vec<Text<'a>>, ServeError> {
    let short = |at: usize| {
        ServeError::Invalid(format!("input {tensor:?} ends in the middle of element {at}: each is its length in 4 bytes, little-endian, and its text"))
    };
    let mut texts = Vec::with_capacity(raw.len() / 8);
    while !raw.is_empty() {
        let at = texts.len();
        let (length, rest) = raw.split_first_chunk::<4>().ok_or_else(|| short(at))?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(|| short(at))?;
        texts.push(utf8(text, tensor, at)?);
        raw = rest;
    }
    Ok(texts)
}

/// An element as text.
///
/// # Errors
/// Invalid: not UTF-8.
pub fn utf8<'a>(bytes: &'a [u8], tensor: &str, at: usize) -> Result<Text<'a>, ServeError> {
    str::from_utf8(bytes)
        .map(Text::from)
        .map_err(|_| ServeError::Invalid(format!("element {at} of input {tensor:?} is not UTF-8")))
}
