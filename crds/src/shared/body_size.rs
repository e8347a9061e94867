//! The size of a request body, in the format of Kubernetes.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A whole number of KiB or MiB, such as `512Ki` or `8Mi`.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(try_from = "String", into = "String")]
pub struct BodySize {
    kibibytes: u64,
}

/// The text is not a size.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a size: write a whole number and Ki or Mi, such as 8Mi")]
pub struct BodySizeError(String);

/// Units and their KiB, largest first.
const UNITS: [(&str, u64); 2] = [("Mi", 1024), ("Ki", 1)];

/// Accepts 64Ki to 1024Mi.
const BOUNDS: &str = "self.matches('^[1-9][0-9]{0,6}(Ki|Mi)$') && (self.endsWith('Ki') \
    ? int(self.replace('Ki', '')) >= 64 && int(self.replace('Ki', '')) <= 1048576 \
    : int(self.replace('Mi', '')) <= 1024)";

/// What to write instead.
const MEND: &str =
    "maxBody is not a size from 64Ki to 1024Mi: write a whole number and Ki or Mi, such as 8Mi";

/// Longest text that is parsed; the schema has the same limit.
const MAX_LENGTH: usize = 9;

impl BodySize {
    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.kibibytes * 1024
    }
}

fn parse(text: &str) -> Option<BodySize> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let (number, unit) = UNITS.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)))?;
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let kibibytes = number.parse::<u64>().ok().filter(|_| plain)?;
    Some(BodySize { kibibytes: kibibytes * unit })
}

impl FromStr for BodySize {
    type Err = BodySizeError;

    fn from_str(text: &str) -> Result<Self, BodySizeError> {
        parse(text).ok_or_else(|| BodySizeError(text.chars().take(MAX_LENGTH * 2).collect()))
    }
}

impl TryFrom<String> for BodySize {
    type Error = BodySizeError;

    fn try_from(text: String) -> Result<Self, BodySizeError> {
        text.parse()
    }
}

impl From<BodySize> for String {
    fn from(size: BodySize) -> Self {
        size.to_string()
    }
}

impl fmt::Display for BodySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, unit): &&(&str, u64)| self.kibibytes.is_multiple_of(*unit);
        let (name, unit) = UNITS.iter().find(fits).unwrap_or(&("Ki", 1));
        write!(f, "{}{name}", self.kibibytes / unit)
    }
}

impl JsonSchema for BodySize {
    fn schema_name() -> Cow<'static, str> {
        "BodySize".into()
    }

    fn inline_schema() -> bool {
        true
    }

    /// With its rule, which `Serving` cannot have: a derived schema with rules has no defaults.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 3, "maxLength": MAX_LENGTH,
            "x-kubernetes-validations": [{ "rule": BOUNDS, "message": MEND }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::BodySize;

    #[test]
    fn a_size_is_one_whole_number_and_one_unit() {
        #[rustfmt::skip]
        let cases = [
            // why                       text          bytes             written again
            ("MiB",                      "8Mi",        Some((8 << 20,    "8Mi"))),
            ("KiB",                      "512Ki",      Some((512 << 10,  "512Ki"))),
            ("KiB that are MiB",         "2048Ki",     Some((2 << 20,    "2Mi"))),
            ("no unit",                  "4194304",    None),
            ("decimal",                  "8M",         None),
            ("a fraction",               "1.5Mi",      None),
            ("a sign",                   "+8Mi",       None),
            ("a space",                  "8 Mi",       None),
            ("no number",                "Mi",         None),
            ("over long",                "0000000001Mi", None),
        ];
        for (why, text, expected) in cases {
            let size = text.parse::<BodySize>().ok().map(|size| (size.bytes(), size.to_string()));
            assert_eq!(size, expected.map(|(bytes, text)| (bytes, text.to_owned())), "{why}: {text}");
        }
    }
}
