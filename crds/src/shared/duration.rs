//! Durations in the format of Kubernetes.

use std::{borrow::Cow, fmt, str::FromStr, time};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A length of time in one unit, such as `50ms`, `1.5s` or `2m`; exact to the nanosecond.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(pub time::Duration);

/// The text is not a duration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a duration: write a number and a unit (us, ms, s, m), such as 50ms")]
pub struct DurationError(String);

/// Units and their nanoseconds, largest first.
const UNITS: [(&str, u128); 4] =
    [("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)];

/// Longest text that is parsed; the schema has the same limit.
const MAX_LENGTH: usize = 16;

impl Duration {
    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(time::Duration::from_millis(millis))
    }
}

/// Parses `text`; `None` if it is not a duration. Fractions of a nanosecond are cut off.
fn parse(text: &str) -> Option<Duration> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (digits(whole)?, Some(fraction)),
        None => (digits(number)?, None),
    };
    let fraction = match fraction {
        Some(fraction) => digits(fraction)? * nanos / 10u128.pow(u32::try_from(fraction.len()).ok()?),
        None => 0,
    };
    let nanos = whole * nanos + fraction;
    let secs = u64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Duration(time::Duration::new(secs, u32::try_from(nanos % 1_000_000_000).ok()?)))
}

/// The number in `text`, if it has only digits. It has at most [`MAX_LENGTH`] digits, so nothing overflows.
fn digits(text: &str) -> Option<u128> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        parse(text).ok_or_else(|| DurationError(text.chars().take(MAX_LENGTH * 2).collect()))
    }
}

impl TryFrom<String> for Duration {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, DurationError> {
        text.parse()
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration.to_string()
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0ms");
        }
        match UNITS.iter().find(|(_, unit)| nanos.is_multiple_of(*unit)) {
            Some((name, unit)) => write!(f, "{}{name}", nanos / unit),
            None => {
                let fraction = format!("{:03}", nanos % 1_000);
                write!(f, "{}.{}us", nanos / 1_000, fraction.trim_end_matches('0'))
            }
        }
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    /// Each field adds a rule for its bounds (`rules::duration`).
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 2, "maxLength": MAX_LENGTH })
    }
}

#[cfg(test)]
mod tests {
    use std::time;

    use proptest::prelude::*;

    use super::Duration;

    #[test]
    fn a_duration_is_one_number_and_one_unit() {
        #[rustfmt::skip]
        let cases = [
            // why                                text                  nanoseconds
            ("zero",                              "0ms",                Some(0)),
            ("a page's deadline",                 "100ms",              Some(100_000_000)),
            ("a fraction, exactly",               "0.1s",               Some(100_000_000)),
            ("a fraction of a microsecond",       "1.5us",              Some(1_500)),
            ("minutes",                           "2m",                 Some(120_000_000_000)),
            ("finer than a nanosecond is cut",    "0.0005us",           Some(0)),
            ("no unit",                           "100",                None),
            ("no number",                         "ms",                 None),
            ("a unit that is not known",          "1h",                 None),
            ("two units",                         "1m30s",              None),
            ("a sign",                            "-5ms",               None),
            ("a sign that changes nothing",       "+5ms",               None),
            ("no digit before the point",         ".5s",                None),
            ("no digit after the point",          "5.s",                None),
            ("an exponent",                       "1e3ms",              None),
            ("a space between",                   "5 ms",               None),
            ("digits of another script",          "٥ms",                None),
            ("nothing",                           "",                   None),
            ("over long",                         "00000000000000001s", None),
        ];
        for (why, text, nanos) in cases {
            let read = text.parse::<Duration>().ok().map(|d| d.0);
            assert_eq!(read, nanos.map(time::Duration::from_nanos), "{why}: {text}");
        }
    }

    #[test]
    fn the_message_says_the_mend() {
        let error = "soon".parse::<Duration>().unwrap_err().to_string();
        assert_eq!(
            error,
            r#""soon" is not a duration: write a number and a unit (us, ms, s, m), such as 50ms"#
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0u64..1_000_000_000_000) {
            let duration = Duration(time::Duration::from_nanos(nanos));
            prop_assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<Duration>();
        }
    }
}
