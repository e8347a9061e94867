//! Reads plain scalars as kubectl does (YAML 1.1, as in `sigs.k8s.io/yaml`), so that a folder and a cluster agree on `yes`,
//! `010` and `1_000`.

use serde_json::Number;

use super::node::Value;

const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];
const TRUE: [&str; 11] = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
const FALSE: [&str; 11] = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
const NOT_FINITE: [&str; 12] =
    [".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"];

/// The value of a plain scalar. `None` for infinity and not-a-number, which JSON cannot represent.
pub(crate) fn plain(text: String) -> Option<Value> {
    if NULL.contains(&text.as_str()) {
        return Some(Value::Null);
    }
    if TRUE.contains(&text.as_str()) || FALSE.contains(&text.as_str()) {
        return Some(Value::Bool { value: TRUE.contains(&text.as_str()), written: text });
    }
    if NOT_FINITE.contains(&text.as_str()) {
        return None;
    }
    match number(&text) {
        Some(value) => Some(Value::Number { value, written: text }),
        None => Some(Value::Text(text)),
    }
}

/// The number in `text`, if it is one.
pub(crate) fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    whole(&plain).or_else(|| if is_decimal(&plain) { Number::from_f64(plain.parse().ok()?) } else { None })
}

fn whole(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, radix) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (&digits[2..], 16),
        Some("0o") => (&digits[2..], 8),
        Some("0b") => (&digits[2..], 2),
        _ if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    if negative { 0i64.checked_sub_unsigned(size).map(Number::from) } else { Some(Number::from(size)) }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (before, after) = number.split_once('.').unwrap_or((number, ""));
    let some_digits = !before.is_empty() || !after.is_empty();
    some_digits
        && digits(before)
        && digits(after)
        && exponent.is_none_or(|text| !text.is_empty() && digits(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Value, plain};

    #[test]
    fn a_plain_scalar_means_what_kubectl_takes_it_for() {
        #[rustfmt::skip]
        let cases = [
            ("null",                  json!(null)), ("~",            json!(null)),   ("",          json!(null)),
            ("true",                  json!(true)), ("yes",          json!(true)),   ("y",         json!(true)),
            ("off",                   json!(false)), ("N",           json!(false)),  ("yEs",       json!("yEs")),
            ("0",                     json!(0)),    ("32",           json!(32)),     ("-7",        json!(-7)),
            ("+7",                    json!(7)),    ("1_000",        json!(1000)),   ("0x1F",      json!(31)),
            ("010",                   json!(8)),    ("0o10",         json!(8)),      ("0b11",      json!(3)),
            ("08",                    json!(8.0)),  ("1.5",          json!(1.5)),    ("1.",        json!(1.0)),
            (".5",                    json!(0.5)),  ("1e3",          json!(1000.0)), ("-1E-2",     json!(-0.01)),
            ("18446744073709551615",  json!(u64::MAX)),
            ("18446744073709551616",  json!(18446744073709551616.0)),
            ("-9223372036854775808",  json!(i64::MIN)),
            ("100ms",                 json!("100ms")), ("1.2.3",     json!("1.2.3")), ("-",         json!("-")),
            ("2026-11-23",            json!("2026-11-23")), (".",    json!(".")),     ("e3",        json!("e3")),
            ("1e",                    json!("1e")),    ("0x",        json!("0x")),    ("--1",       json!("--1")),
            ("人気",                   json!("人気")),   ("-é",        json!("-é")),    ("0é",        json!("0é")),
        ];
        for (written, value) in cases {
            let read = match plain(written.to_owned()).unwrap() {
                Value::Null => json!(null),
                Value::Bool { value, .. } => json!(value),
                Value::Number { value, .. } => json!(value),
                Value::Text(text) => json!(text),
                other => panic!("{other:?}"),
            };
            assert_eq!(read, value, "{written:?}");
        }
        assert!(plain(".inf".into()).is_none() && plain(".NaN".into()).is_none(), "no JSON holds them");
        assert!(matches!(plain("1e999".into()), Some(Value::Text(_))), "over what a float holds");
    }
}
