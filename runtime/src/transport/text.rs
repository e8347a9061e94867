//! Strings that borrow from the request buffer where possible.

use std::{fmt, io::Write, ops::Deref};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// Digits of the longest number, `-9223372036854775808` or `18446744073709551615`.
const DIGITS: usize = 20;

/// A string without an allocation, unless it had to be unescaped: it borrows from the request, or holds decimal digits.
///
/// `Vec<Cow<str>>` would copy every element: serde borrows a `Cow` only where a field says so.
#[derive(Clone)]
pub struct Text<'a>(Kept<'a>);

#[derive(Clone)]
enum Kept<'a> {
    Borrowed(&'a str),
    Owned(Box<str>),
    Number { digits: [u8; DIGITS], n_digits: u8 },
}

impl Text<'_> {
    /// A number in decimal.
    pub fn number(number: impl Into<i128>) -> Self {
        let mut digits = [0; DIGITS];
        let mut rest = &mut digits[..];
        // Every 64-bit number fits. Longer numbers are cut: no id is that long.
        let _ = write!(rest, "{}", number.into());
        let n_digits = (DIGITS - rest.len()) as u8;
        Self(Kept::Number { digits, n_digits })
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Kept::Borrowed(text) => text,
            Kept::Owned(text) => text,
            // Digits are always UTF-8.
            Kept::Number { digits, n_digits } => {
                str::from_utf8(&digits[..usize::from(*n_digits)]).unwrap_or_default()
            }
        }
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self(Kept::Borrowed(""))
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Kept::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Kept::Owned(text.into()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(text.into())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(text.to_owned().into())
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_borrowed_unless_escaped() {
        let json = String::from(r#"["plain","\u0041"]"#);
        let texts: Vec<Text<'_>> = serde_json::from_str(&json).unwrap();
        assert_eq!((&*texts[0], &*texts[1]), ("plain", "A"));
        assert!(
            json.as_bytes().as_ptr_range().contains(&texts[0].as_ptr()),
            "a plain text lies in the request"
        );
    }

    #[test]
    fn every_number_fits() {
        let numbers =
            [Text::number(0_u64), Text::number(u64::MAX), Text::number(i64::MIN), Text::number(-1_i64)];
        assert_eq!(
            numbers.map(|text| text.to_string()),
            ["0", "18446744073709551615", "-9223372036854775808", "-1"]
        );
        assert!(size_of::<Text<'_>>() <= 24);
    }
}
