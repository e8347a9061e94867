//! Values of a row as numbers, times and ids.

use super::{
    fault::quoted,
    table::Cell,
    times::{self, TimeForm},
};

/// Longest id, in bytes: what callers send with every request.
const LONGEST_ID: usize = 512;

/// What was expected, and what was found.
pub(crate) type Mismatch = (&'static str, String);

/// A number as ratings are kept.
pub(crate) fn finite_f32(value: f64) -> Result<f32, Mismatch> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ratings are kept in f32; what does not fit is refused below"
    )]
    let narrow = value as f32;
    if narrow.is_finite() { Ok(narrow) } else { Err(("a number that fits 32 bits", format!("`{value}`"))) }
}

/// A finite number.
pub(crate) fn number(cell: Cell<'_>) -> Result<f64, Mismatch> {
    #[expect(clippy::cast_precision_loss, reason = "times and ratings: 2^53 is far")]
    let value = match cell {
        Cell::Null => return Err(("a number", "nothing".to_owned())),
        Cell::Integer(value) => value as f64,
        Cell::Unsigned(value) => value as f64,
        Cell::Float(value) => value,
        Cell::Boolean(value) => f64::from(u8::from(value)),
        Cell::Time(value) => return Err(("a number", format!("the time {value}"))),
        Cell::List(_) => return Err(("a number", "a list".to_owned())),
        Cell::Text(text) => parsed(text).ok_or_else(|| ("a number", with_decimal_comma(text)))?,
    };
    if value.is_finite() {
        return Ok(value);
    }
    Err(("a finite number", format!("`{value}`")))
}

fn parsed(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// What was found, with the mend where a comma stands for the decimal point.
fn with_decimal_comma(text: &[u8]) -> String {
    let with_point: Vec<u8> = text.iter().map(|b| if *b == b',' { b'.' } else { *b }).collect();
    let mend = if parsed(&with_point).is_some() { " (a decimal comma? give --decimal comma)" } else { "" };
    quoted(text) + mend
}

/// Seconds since 1970, or any number that grows with time, and how it was written.
pub(crate) fn time(cell: Cell<'_>) -> Result<(f64, TimeForm), Mismatch> {
    let expected = "a number or a time such as 2014-05-20T23:37:52Z";
    match cell {
        Cell::Time(value) if value.is_finite() => Ok((value, TimeForm::Written)),
        Cell::Boolean(value) => Err((expected, format!("`{value}`"))),
        Cell::Text(text) if parsed(text).is_none() => std::str::from_utf8(text)
            .ok()
            .and_then(|text| times::iso(text.trim()))
            .map(|seconds| (seconds, TimeForm::Written))
            .ok_or_else(|| (expected, quoted(text))),
        other => match number(other) {
            Ok(value) => Ok((times::seconds(value), TimeForm::of(value))),
            Err((_, found)) if matches!(other, Cell::Null) => Err((expected, found)),
            Err(mismatch) => Err(mismatch),
        },
    }
}

/// An id: UTF-8 without control characters, neither empty nor over [`LONGEST_ID`]. Whole numbers become their decimals,
/// written into `decimals`.
pub(crate) fn id<'a>(cell: Cell<'a>, decimals: &'a mut [u8; 20]) -> Result<&'a str, Mismatch> {
    let bytes = match cell {
        Cell::Null => b"",
        Cell::Text(text) => text,
        Cell::Integer(value) => decimal(value.unsigned_abs(), value < 0, decimals),
        Cell::Unsigned(value) => decimal(value, false, decimals),
        Cell::Float(value) | Cell::Time(value) => {
            return Err(("an id (text or a whole number)", format!("`{value}`")));
        }
        Cell::Boolean(value) => return Err(("an id (text or a whole number)", format!("`{value}`"))),
        Cell::List(_) => return Err(("an id (text or a whole number)", "a list".to_owned())),
    };
    let text = std::str::from_utf8(bytes).map_err(|_| ("an id in UTF-8", other_encoding(bytes)))?;
    if text.is_empty() {
        return Err(("an id", "nothing".to_owned()));
    }
    if text.len() > LONGEST_ID {
        return Err(("an id of at most 512 bytes", format!("{} bytes", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(("an id without control characters", quoted(bytes)));
    }
    Ok(text)
}

/// What was found where UTF-8 was expected, with the mend.
pub(crate) fn other_encoding(bytes: &[u8]) -> String {
    quoted(bytes) + " (is the file in Latin-1? give --encoding latin1)"
}

fn decimal(mut left: u64, is_negative: bool, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if is_negative {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}
