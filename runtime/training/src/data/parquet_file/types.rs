//! What each type of Parquet is read as: every physical type with every logical one is read as what it means, or refused by
//! its name.

use parquet::{
    basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical},
    schema::types::ColumnDescriptor,
};

use crate::data::table::ValueKind;

/// How the values of a column become cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    /// Bytes that should be UTF-8.
    Text,
    /// Whole numbers as they are stored.
    Signed,
    /// Whole numbers whose bits are those of an unsigned number.
    Unsigned,
    /// 32 or 64 bits of floating point.
    Float,
    /// 16 bits of floating point.
    Half,
    /// Counted from before the point: the number of digits behind it.
    Decimal(usize),
    /// True or false.
    Boolean,
    /// Sixteen bytes, as people write them: `6fa459ea-ee8a-3ca4-894e-db77e160355e`.
    Uuid,
    /// Days since 1970.
    Date,
    /// So many a second since 1970.
    Timestamp(i64),
    /// Nanoseconds of a Julian day.
    Int96,
}

/// Most bytes of a decimal: 38 digits.
const LONGEST_DECIMAL: i32 = 16;

/// How `column` is read as `kind`; the reason why it cannot be.
pub(super) fn reading(column: &ColumnDescriptor, kind: ValueKind) -> Result<Reading, String> {
    let refuse =
        |why: &str| Err(format!("has type {}{why}: expected {}", type_name(column), kind.expected()));
    if column.max_rep_level() > 0 {
        return Err(format!("holds lists: expected {}", kind.expected()));
    }
    let Some(reading) = meaning(column) else { return refuse("") };
    let fits = match reading {
        Reading::Text | Reading::Signed | Reading::Unsigned | Reading::Decimal(_) => true,
        Reading::Uuid => matches!(kind, ValueKind::Id | ValueKind::Text | ValueKind::List),
        // Whole numbers with gaps become floats in some programs: each value says whether it is an id.
        Reading::Float => true,
        Reading::Half => kind != ValueKind::Id,
        Reading::Boolean => kind == ValueKind::Number,
        Reading::Date | Reading::Timestamp(_) | Reading::Int96 => kind == ValueKind::Time,
    };
    if fits { Ok(reading) } else { refuse("") }
}

/// What the values of `column` are; `None` for what is not read at all.
fn meaning(column: &ColumnDescriptor) -> Option<Reading> {
    use Physical as P;
    let physical = column.physical_type();
    let (bytes, whole) = (
        matches!(physical, P::BYTE_ARRAY | P::FIXED_LEN_BYTE_ARRAY),
        matches!(physical, P::INT32 | P::INT64),
    );
    let decimal = |scale: i32| {
        let fits = whole
            || physical == P::BYTE_ARRAY
            || (physical == P::FIXED_LEN_BYTE_ARRAY && column.type_length() <= LONGEST_DECIMAL);
        usize::try_from(scale).ok().filter(|scale| fits && *scale <= 38).map(Reading::Decimal)
    };
    if let Some(logical) = column.logical_type_ref() {
        return match logical {
            LogicalType::String | LogicalType::Enum | LogicalType::Json if bytes => Some(Reading::Text),
            LogicalType::Decimal(of) => decimal(of.scale),
            LogicalType::Integer(of) if whole => {
                Some(if of.is_signed { Reading::Signed } else { Reading::Unsigned })
            }
            LogicalType::Date if physical == P::INT32 => Some(Reading::Date),
            LogicalType::Timestamp(of) if physical == P::INT64 => {
                Some(Reading::Timestamp(per_second(&of.unit)))
            }
            LogicalType::Uuid if physical == P::FIXED_LEN_BYTE_ARRAY && column.type_length() == 16 => {
                Some(Reading::Uuid)
            }
            LogicalType::Float16 if physical == P::FIXED_LEN_BYTE_ARRAY && column.type_length() == 2 => {
                Some(Reading::Half)
            }
            // A column without any value.
            LogicalType::Unknown => plain(physical),
            _ => None,
        };
    }
    use ConvertedType as C;
    match column.converted_type() {
        C::NONE => plain(physical),
        C::UTF8 | C::ENUM | C::JSON if bytes => Some(Reading::Text),
        C::DECIMAL => decimal(column.type_scale()),
        C::UINT_8 | C::UINT_16 | C::UINT_32 | C::UINT_64 if whole => Some(Reading::Unsigned),
        C::INT_8 | C::INT_16 | C::INT_32 | C::INT_64 if whole => Some(Reading::Signed),
        C::DATE if physical == P::INT32 => Some(Reading::Date),
        C::TIMESTAMP_MILLIS if physical == P::INT64 => Some(Reading::Timestamp(1_000)),
        C::TIMESTAMP_MICROS if physical == P::INT64 => Some(Reading::Timestamp(1_000_000)),
        _ => None,
    }
}

/// What a physical type without a logical one means.
fn plain(physical: Physical) -> Option<Reading> {
    Some(match physical {
        Physical::BOOLEAN => Reading::Boolean,
        Physical::INT32 | Physical::INT64 => Reading::Signed,
        Physical::INT96 => Reading::Int96,
        Physical::FLOAT | Physical::DOUBLE => Reading::Float,
        Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => Reading::Text,
    })
}

fn per_second(unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    }
}

/// The type as people name it: `UINT_32`, `DECIMAL(9, 2) in INT32`, `TIMESTAMP in microseconds`.
pub(super) fn type_name(column: &ColumnDescriptor) -> String {
    let physical = column.physical_type();
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => "milliseconds",
        TimeUnit::MICROS => "microseconds",
        TimeUnit::NANOS => "nanoseconds",
    };
    match column.logical_type_ref() {
        Some(LogicalType::String) => "text".to_owned(),
        Some(LogicalType::Decimal(of)) => format!("DECIMAL({}, {}) in {physical}", of.precision, of.scale),
        Some(LogicalType::Timestamp(of)) => format!("TIMESTAMP in {}", unit(&of.unit)),
        Some(LogicalType::Time(of)) => format!("TIME in {}", unit(&of.unit)),
        Some(LogicalType::Integer(of)) => {
            format!("{}INT_{}", if of.is_signed { "" } else { "U" }, of.bit_width)
        }
        Some(LogicalType::Date) => "DATE".to_owned(),
        Some(LogicalType::Uuid) => "UUID".to_owned(),
        Some(LogicalType::Float16) => "FLOAT16".to_owned(),
        Some(LogicalType::Json) => "JSON".to_owned(),
        Some(LogicalType::Bson) => "BSON".to_owned(),
        Some(LogicalType::Enum) => "ENUM".to_owned(),
        Some(LogicalType::Variant(_)) => "VARIANT".to_owned(),
        Some(LogicalType::Geometry(_)) => "GEOMETRY".to_owned(),
        Some(LogicalType::Geography(_)) => "GEOGRAPHY".to_owned(),
        Some(LogicalType::Unknown) => "no value".to_owned(),
        Some(_) => format!("{physical} with a logical type that is not known"),
        None => match column.converted_type() {
            ConvertedType::NONE => physical.to_string(),
            ConvertedType::UTF8 => "text".to_owned(),
            ConvertedType::DECIMAL => {
                format!("DECIMAL({}, {}) in {physical}", column.type_precision(), column.type_scale())
            }
            other => other.to_string(),
        },
    }
}

/// Writes the digits of `unscaled` / 10^`scale`.
pub(super) fn write_decimal(unscaled: i128, scale: usize, out: &mut Vec<u8>) {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.clear();
    if unscaled < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(whole.as_bytes());
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// A whole number from its bytes, most significant first; `None` for one of more than 38 digits.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    let sign = if first & 0x80 == 0 { 0 } else { 0xff };
    let spare = bytes.len().saturating_sub(16);
    let (extension, rest) = bytes.split_at(spare);
    let same_sign = rest.first().is_some_and(|b| (b & 0x80 == 0) == (sign == 0));
    if extension.iter().any(|b| *b != sign) || (spare > 0 && !same_sign) {
        return None;
    }
    let mut whole = [sign; 16];
    whole[16 - rest.len()..].copy_from_slice(rest);
    Some(i128::from_be_bytes(whole))
}

/// Writes a UUID as people do.
pub(super) fn write_uuid(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.clear();
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// The value of 16 bits of floating point.
pub(super) fn half(bits: u16) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15, (bits >> 10) & 31, f64::from(bits & 1023) / 1024.0);
    let size = match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(i32::from(exponent) - 15),
    };
    if sign == 0 { size } else { -size }
}
