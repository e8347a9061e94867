//! Times as seconds since 1970, whatever they were written as.

/// Days from 1970-01-01 to a date of the Gregorian calendar; `None` for one that is not in it.
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last of its year; 400 of them are 146,097 days.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Seconds of a date or a time as ISO 8601 writes it: `2014-05-20`, `2014-05-20T23:37:52.25Z`, `2014-05-20 23:37+02:00`.
/// Without an offset it is UTC.
pub(crate) fn iso(text: &str) -> Option<f64> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = fields::<3>(date, "-", [4, 2, 2])?;
    let days = days(year, month, day)?;
    let (clock, offset) = match rest.strip_prefix(['T', 't', ' ']) {
        Some(rest) => split_offset(rest.trim_start())?,
        None if rest.is_empty() => ("00:00", 0),
        None => return None,
    };
    let (whole, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let [hour, minute, second] = match whole.len() {
        8 => fields::<3>(whole, ":", [2, 2, 2])?,
        _ => {
            let [hour, minute] = fields::<2>(whole, ":", [2, 2])?;
            [hour, minute, 0]
        }
    };
    // 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    #[expect(clippy::cast_precision_loss, reason = "years have four digits")]
    let seconds = seconds as f64;
    Some(seconds + format!("0.{fraction}").parse::<f64>().ok()?)
}

/// A clock time without its offset, and the offset in seconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = ["Z", "z", " UTC", "UTC"].iter().find_map(|zone| text.strip_suffix(zone)) {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let (clock, offset) = text.split_at(at);
    let (sign, offset) = offset.split_at(1);
    let (hours, minutes) = match offset.len() {
        2 => (offset, "00"),
        4 => offset.split_at_checked(2)?,
        5 => offset.split_once(':')?,
        _ => return None,
    };
    let [hours, minutes] = [number(hours)?, number(minutes)?];
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some((clock.trim_end(), if sign == "-" { -seconds } else { seconds }))
}

fn fields<const N: usize>(text: &str, between: &str, digits: [usize; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut pieces = text.split(between);
    for (found, digits) in found.iter_mut().zip(digits) {
        *found = pieces.next().filter(|part| part.len() == digits).and_then(number)?;
    }
    pieces.next().is_none().then_some(found)
}

fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// How a time was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeForm {
    /// As a date and a time: ISO 8601, or a type of Parquet.
    Written,
    /// Number of seconds since 1970.
    Seconds,
    /// Number of milliseconds since 1970.
    Milliseconds,
    /// Number of microseconds since 1970.
    Microseconds,
    /// Number of nanoseconds since 1970.
    Nanoseconds,
}

impl TimeForm {
    /// Of a number, told by its size: each unit's range begins where the one before is past the year 5000.
    pub(crate) fn of(value: f64) -> Self {
        match value.abs() {
            size if size < 1e11 => Self::Seconds,
            size if size < 1e14 => Self::Milliseconds,
            size if size < 1e17 => Self::Microseconds,
            _ => Self::Nanoseconds,
        }
    }

    /// So many of it are a second.
    pub(crate) fn a_second(self) -> f64 {
        match self {
            Self::Written | Self::Seconds => 1.0,
            Self::Milliseconds => 1e3,
            Self::Microseconds => 1e6,
            Self::Nanoseconds => 1e9,
        }
    }

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Written => "dates and times as written",
            Self::Seconds => "seconds since 1970",
            Self::Milliseconds => "milliseconds since 1970",
            Self::Microseconds => "microseconds since 1970",
            Self::Nanoseconds => "nanoseconds since 1970",
        }
    }
}

/// Seconds in 1970 to 2100: what plays may have as their time.
pub(crate) const PLAUSIBLE: std::ops::Range<f64> = 0.0..4_102_444_800.0;

/// Seconds of the year 1970.
pub(crate) const YEAR: f64 = 31_536_000.0;

/// Seconds of a Unix time in whatever unit its size says. Numbers below 10¹¹ stay as they are, whatever they count.
pub(crate) fn seconds(value: f64) -> f64 {
    value / TimeForm::of(value).a_second()
}

/// `2014-05-20 23:37`, for people. `None` for what is no time since 1900.
pub(crate) fn shown(seconds: f64) -> Option<String> {
    if !(-2_208_988_800.0..1e11).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    let minutes = (seconds / 60.0).floor() as i64;
    let (day, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    // The year is guessed from its mean length, and mended by one where the guess is past the day.
    let mut year = 1970 + day.div_euclid(365) + 1;
    while days(year, 1, 1)? > day {
        year -= 1;
    }
    let mut month = 12;
    while days(year, month, 1)? > day {
        month -= 1;
    }
    let of_month = day - days(year, month, 1)? + 1;
    Some(format!("{year:04}-{month:02}-{of_month:02} {:02}:{:02}", minute / 60, minute % 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_times_are_seconds_and_nonsense_is_nothing() {
        #[rustfmt::skip]
        let cases = [
            ("1970-01-01",                      Some(0.0)),
            ("2014-05-20 23:37:52",             Some(1_400_629_072.0)),
            ("2014-05-20T23:37:52Z",            Some(1_400_629_072.0)),
            ("2014-05-20T23:37:52.25Z",         Some(1_400_629_072.25)),
            ("2014-05-20T23:37:52,25",          Some(1_400_629_072.25)),
            ("2014-05-20 23:37:52 UTC",         Some(1_400_629_072.0)),
            ("2014-05-21T01:37:52+02:00",       Some(1_400_629_072.0)),
            ("2014-05-21T01:37:52+0200",        Some(1_400_629_072.0)),
            ("2014-05-20 19:37:52-04",          Some(1_400_629_072.0)),
            ("2014-05-20T23:37",                Some(1_400_629_020.0)),
            ("2000-02-29",                      Some(951_782_400.0)),
            ("1969-12-31T23:59:59Z",            Some(-1.0)),
            ("2016-12-31T23:59:60Z",            Some(1_483_228_800.0)),
            ("1900-02-29",                      None),
            ("2014-13-01",                      None),
            ("2014-00-01",                      None),
            ("2014-05-20T24:00:00Z",            None),
            ("2014-05-20T23:60:00Z",            None),
            ("2014-05-20T",                     None),
            ("2014-05-20Z",                     None),
            ("2014-05-20T23:37:52.Z",           None),
            ("2014-05-20T23:37:52+2",           None),
            ("20-05-2014",                      None),
            ("May 20, 2014",                    None),
            ("2014-5-20",                       None),
            ("2014-05-20T+3:37:52",             None),
            ("２014-05-20",                     None),
            ("",                                None),
        ];
        for (text, expected) in cases {
            assert_eq!(iso(text), expected, "{text}");
        }
    }

    #[test]
    fn every_day_comes_back_as_it_was_shown() {
        let mut before = None;
        for day in days(1900, 1, 1).unwrap()..days(2101, 1, 1).unwrap() {
            #[allow(clippy::cast_precision_loss)]
            let text = shown(day as f64 * 86_400.0 + 3_661.0).unwrap();
            #[allow(clippy::cast_precision_loss)]
            let expected = day as f64 * 86_400.0 + 3_660.0;
            assert_eq!(iso(&text), Some(expected), "{text}");
            assert!(before.is_none_or(|before| before < text), "{text}");
            before = Some(text);
        }
        assert_eq!((shown(-3e9), shown(1e12)), (None, None));
    }

    #[test]
    fn a_unit_is_told_by_its_size() {
        for (raw, expected) in [
            (1_400_629_072.0, 1_400_629_072.0),
            (1_400_629_072_250.0, 1_400_629_072.25),
            (1_400_629_072_250_000.0, 1_400_629_072.25),
            (1_400_629_072_250_000_000.0, 1_400_629_072.25),
            (17.0, 17.0),
            (-5.0, -5.0),
        ] {
            assert!((seconds(raw) - expected).abs() < 1e-6, "{raw}: {}", seconds(raw));
        }
    }
}
