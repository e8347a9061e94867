//! Watches quotes in delimited text: one that nothing closes would swallow the rows below it, in silence.

use std::{
    fmt,
    io::{self, Read},
};

/// Longest line, and longest quoted field. A file without line breaks (a binary one, say) would be taken into memory whole.
const LONGEST: usize = 1 << 20;

/// What is wrong with a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QuoteFault {
    /// Line in which the quote opens.
    pub line: u64,
    /// What is wrong with it, without the mend.
    pub problem: String,
    /// Whether a backslash stands before the quote that should not be there.
    pub is_escaped: bool,
}

impl fmt::Display for QuoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for QuoteFault {}

/// How quotes of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Between fields.
    pub delimiter: u8,
    /// Whether a backslash takes a quote's meaning.
    pub backslash: bool,
    /// Whether a quoted field may hold what looks like a row.
    pub multi_line: bool,
    /// Fields of a row.
    pub width: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a backslash within quotes.
    Escaped,
    /// After a quote within quotes: it closes the field, unless another follows.
    Closing,
    /// After a closing quote and spaces.
    Closed,
}

/// Follows the text byte by byte.
struct Scanner {
    rules: Rules,
    state: State,
    line: u64,
    /// Line of the last opening quote.
    opened: u64,
    /// Bytes of the quoted field.
    length: usize,
    /// Whether the present line began within quotes.
    is_continued: bool,
    /// Fields of the present line, as if it had begun outside.
    fields: usize,
    was_backslash: bool,
}

impl Scanner {
    fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::FieldStart,
            line: 1,
            opened: 1,
            length: 0,
            is_continued: false,
            fields: 1,
            was_backslash: false,
        }
    }

    /// Whether nothing but a quote matters to it.
    fn is_quiet(&self) -> bool {
        !self.is_continued && matches!(self.state, State::FieldStart | State::Plain)
    }

    /// Passes over text without quotes that holds `lines` line ends.
    fn pass(&mut self, text: &[u8], lines: u64) {
        self.line += lines;
        let Some(last) = text.last() else { return };
        let ends_field = *last == self.rules.delimiter || matches!(last, b'\n' | b'\r');
        self.state = if ends_field { State::FieldStart } else { State::Plain };
    }

    /// Takes the next byte. Whether it is part of the text: spaces before a field are not.
    fn step(&mut self, byte: u8) -> Result<bool, QuoteFault> {
        let is_delimiter = byte == self.rules.delimiter;
        match self.state {
            State::FieldStart if byte == b'"' => self.open(),
            State::FieldStart if byte == b' ' && !is_delimiter => return Ok(false),
            State::FieldStart | State::Plain => self.outside(byte)?,
            State::Escaped => {
                self.state = State::Quoted;
                self.within(byte)?;
            }
            State::Quoted if byte == b'"' => self.state = State::Closing,
            State::Quoted if byte == b'\\' && self.rules.backslash => self.state = State::Escaped,
            State::Quoted => self.within(byte)?,
            State::Closing if byte == b'"' => self.state = State::Quoted,
            State::Closing | State::Closed if is_delimiter || matches!(byte, b'\n' | b'\r') => {
                self.outside(byte)?;
            }
            State::Closing | State::Closed if byte == b' ' => self.state = State::Closed,
            State::Closing | State::Closed => {
                let is_escaped = self.was_backslash;
                let problem = "opens a quote, and its closing quote stands within a field".to_owned();
                return Err(QuoteFault { line: self.opened, problem, is_escaped });
            }
        }
        Ok(true)
    }

    fn open(&mut self) {
        (self.state, self.opened, self.length, self.was_backslash) = (State::Quoted, self.line, 0, false);
    }

    fn outside(&mut self, byte: u8) -> Result<(), QuoteFault> {
        self.state = State::Plain;
        if byte == self.rules.delimiter {
            self.fields += 1;
            self.state = State::FieldStart;
        } else if byte == b'\n' {
            self.end_line()?;
            (self.is_continued, self.state) = (false, State::FieldStart);
        } else if byte == b'\r' {
            self.state = State::FieldStart;
        }
        Ok(())
    }

    fn within(&mut self, byte: u8) -> Result<(), QuoteFault> {
        self.was_backslash = byte == b'\\';
        self.length += 1;
        if byte == self.rules.delimiter {
            self.fields += 1;
        } else if byte == b'\n' {
            self.end_line()?;
            self.is_continued = true;
        }
        if self.length > LONGEST {
            let problem = format!("opens a quote that nothing closes within {LONGEST} bytes");
            return Err(QuoteFault { line: self.opened, problem, is_escaped: false });
        }
        Ok(())
    }

    /// A line that began within quotes and has as many fields as a row has is a row that was swallowed.
    fn end_line(&mut self) -> Result<(), QuoteFault> {
        if self.is_continued && self.fields == self.rules.width && !self.rules.multi_line {
            let problem = format!("opens a quote that takes in line {}, which looks like a row", self.line);
            return Err(QuoteFault { line: self.opened, problem, is_escaped: false });
        }
        self.line += 1;
        self.fields = 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), QuoteFault> {
        if matches!(self.state, State::Quoted | State::Escaped) {
            let problem = "opens a quote that nothing closes".to_owned();
            return Err(QuoteFault { line: self.opened, problem, is_escaped: false });
        }
        if self.is_continued { self.end_line() } else { Ok(()) }
    }
}

/// Whether a backslash takes a quote's meaning in `start`, the beginning of a file.
pub(crate) fn has_backslashes(start: &[u8], rules: Rules) -> bool {
    let mut scanner = Scanner::new(Rules { backslash: false, multi_line: true, ..rules });
    start.iter().find_map(|byte| scanner.step(*byte).err()).is_some_and(|fault| fault.is_escaped)
}

/// Text whose lines are not too long and whose quotes are closed; an error otherwise.
pub(crate) struct Guarded<R> {
    input: R,
    /// Bytes since the last line break.
    run: usize,
    /// Line being read.
    line: u64,
    scanner: Option<Scanner>,
}

impl<R: Read> Guarded<R> {
    /// Guards `input`; without rules, quotes are plain characters.
    pub(crate) fn new(input: R, rules: Option<Rules>) -> Self {
        Self { input, run: 0, line: 1, scanner: rules.map(Scanner::new) }
    }

    /// Refuses a line that is too long before it lies in memory; how many lines end in `text`.
    fn measure(&mut self, text: &[u8]) -> io::Result<u64> {
        let before = self.line;
        for part in text.split_inclusive(|b| *b == b'\n') {
            self.run += part.len();
            if self.run > LONGEST {
                let text = format!(
                    "line {} is longer than {LONGEST} bytes: is this a delimited text file?",
                    self.line
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            if part.ends_with(b"\n") {
                self.run = 0;
                self.line += 1;
            }
        }
        Ok(self.line - before)
    }
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let fault = |fault| io::Error::new(io::ErrorKind::InvalidData, fault);
        loop {
            let n = self.input.read(buffer)?;
            let text = &mut buffer[..n];
            let lines = self.measure(text)?;
            let Some(scanner) = &mut self.scanner else { return Ok(n) };
            if n == 0 {
                return scanner.end().map(|()| 0).map_err(fault);
            }
            // Most text has no quotes. Spaces at the end may stand before one.
            if scanner.is_quiet() && !text.contains(&b'"') && !text.ends_with(b" ") {
                scanner.pass(text, lines);
                return Ok(n);
            }
            let mut kept = 0;
            for at in 0..n {
                let byte = text[at];
                if scanner.step(byte).map_err(fault)? {
                    text[kept] = byte;
                    kept += 1;
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests;
