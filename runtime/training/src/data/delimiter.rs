//! What stands between two fields of a line.

use std::{
    fmt,
    io::{self, Read},
    str::FromStr,
};

/// What stands between two fields of a line: one byte or several.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Delimiter {
    bytes: [u8; MOST],
    len: usize,
}

/// Most bytes of a delimiter.
const MOST: usize = 8;

/// What a delimiter of several bytes becomes within the program: ASCII's own unit separator, which no text has.
pub(crate) const UNIT_SEPARATOR: u8 = 0x1f;

const WORDS: [(&str, u8); 6] =
    [("tab", b'\t'), ("comma", b','), ("semicolon", b';'), ("pipe", b'|'), ("space", b' '), ("\\t", b'\t')];

impl Delimiter {
    /// One byte.
    pub const fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0, 0, 0, 0, 0], len: 1 }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Its text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.as_bytes()).into_owned()
    }

    /// Its only byte; `None` where it has several.
    pub fn single(&self) -> Option<u8> {
        (self.len == 1).then_some(self.bytes[0])
    }

    /// As it is written in a config file and as a flag.
    pub fn name(&self) -> String {
        let word = WORDS.iter().find(|(_, byte)| self.single() == Some(*byte));
        word.map_or_else(|| self.text(), |(word, _)| (*word).to_owned())
    }

    /// Whether a double quote opens a field in which the delimiter is text. Tab- and pipe-separated files do not quote by
    /// custom, and titles such as `"Heathers" at 30` would be torn.
    pub fn quotes(&self) -> bool {
        !matches!(self.single(), Some(b'\t' | b'|') | None)
    }

    /// How many fields `line` has, quotes not looked at.
    pub(crate) fn count_fields(&self, line: &[u8]) -> usize {
        let (mut fields, mut at) = (1, 0);
        while at + self.len <= line.len() {
            if &line[at..at + self.len] == self.as_bytes() {
                fields += 1;
                at += self.len;
            } else {
                at += 1;
            }
        }
        fields
    }
}

impl fmt::Debug for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delimiter({})", self.name())
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, byte)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(Self::byte(*byte));
        }
        let is_fit = !text.is_empty()
            && text.len() <= MOST
            && !text.chars().any(|c| matches!(c, '"' | '\n' | '\r' | '\\') || c.is_alphanumeric());
        if !is_fit {
            return Err(format!(
                "`{}` is not a delimiter: expected one to {MOST} bytes without letters, digits, quotes and line ends, or tab, \
                 comma, semicolon, pipe, space",
                text.escape_debug()
            ));
        }
        let mut bytes = [0; MOST];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes, len: text.len() })
    }
}

/// Text in which a delimiter of several bytes is replaced by [`UNIT_SEPARATOR`].
pub(crate) struct Replaced<R> {
    input: R,
    delimiter: Delimiter,
    /// Raw bytes: up to `len` are read, up to `at` are handed on.
    raw: Box<[u8]>,
    at: usize,
    len: usize,
    is_at_end: bool,
}

impl<R: Read> Replaced<R> {
    /// Replaces `delimiter` in `input`.
    pub(crate) fn new(input: R, delimiter: Delimiter) -> Self {
        Self { input, delimiter, raw: vec![0; 1 << 16].into_boxed_slice(), at: 0, len: 0, is_at_end: false }
    }

    /// Makes sure that a whole delimiter would be seen at `at`, except at the end.
    fn refill(&mut self) -> io::Result<()> {
        while self.len - self.at < self.delimiter.len && !self.is_at_end {
            self.raw.copy_within(self.at..self.len, 0);
            (self.len, self.at) = (self.len - self.at, 0);
            let n = self.input.read(&mut self.raw[self.len..])?;
            self.is_at_end = n == 0;
            self.len += n;
        }
        Ok(())
    }
}

impl<R: Read> Read for Replaced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.refill()?;
        let mut written = 0;
        for to in buffer {
            let left = &self.raw[self.at..self.len];
            if left.starts_with(self.delimiter.as_bytes()) {
                *to = UNIT_SEPARATOR;
                self.at += self.delimiter.len;
            } else if let Some(byte) =
                left.first().filter(|_| left.len() >= self.delimiter.len || self.is_at_end)
            {
                *to = *byte;
                self.at += 1;
            } else {
                break;
            }
            written += 1;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_read_as_they_are_named() {
        for (text, bytes) in [
            ("tab", "\t"),
            ("\\t", "\t"),
            ("comma", ","),
            ("::", "::"),
            ("||", "||"),
            ("¦", "¦"),
            ("\t", "\t"),
        ] {
            let found: Delimiter = text.parse().unwrap();
            assert_eq!(found.text(), bytes, "{text}");
            assert_eq!(found.name().parse::<Delimiter>().unwrap(), found, "{text}");
        }
        for text in ["", "ab", "1", "\"", "\n", "a:", ":::::::::"] {
            assert!(text.parse::<Delimiter>().is_err(), "{text}");
        }
    }

    /// Hands out a few bytes at a time.
    struct Sips<'a>(&'a [u8], usize);

    impl Read for Sips<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(n);
            buffer[..n].copy_from_slice(now);
            self.0 = later;
            Ok(n)
        }
    }

    #[test]
    fn several_bytes_are_replaced_wherever_reads_end() {
        let text = b"1::Star: A Tale::Drama\n2:::b::\n:";
        let expected = b"1\x1fStar: A Tale\x1fDrama\n2\x1f:b\x1f\n:";
        for sip in 1..9 {
            let mut found = Vec::new();
            Replaced::new(Sips(text, sip), "::".parse().unwrap()).read_to_end(&mut found).unwrap();
            assert_eq!(found, expected, "{sip} bytes at a time");
        }
        let delimiter: Delimiter = "::".parse().unwrap();
        assert_eq!(delimiter.count_fields(b"1::Star: A Tale::Drama"), 3);
    }
}
