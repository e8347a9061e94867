//! Parses the text of a file into documents; each value keeps its position.
//!
//! One bad document does not hide the errors of the others.

mod compose;
mod node;
mod scalar;

pub(crate) use node::{Entry, Node, Value};
pub(crate) use scalar::number;

use crate::{error::Fault, limits::MAX_DOCUMENTS, position::Position};

/// The content of a file.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// Documents that are not empty, in order.
    pub(crate) nodes: Vec<Node>,
    /// Errors, in order.
    pub(crate) faults: Vec<(Position, Fault)>,
}

/// Parses UTF-8 text.
pub(crate) fn documents(text: &str) -> Documents {
    let mut found = Documents::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some((at, fault)) = unprintable(text) {
        found.faults.push((at, fault));
        return found;
    }
    for (index, (first_line, chunk)) in chunks(text).into_iter().enumerate() {
        if index >= MAX_DOCUMENTS {
            found.faults.push((Position { line: first_line, column: 1 }, Fault::TooManyDocuments));
            break;
        }
        let mut composer = compose::Composer::new(chunk, first_line);
        loop {
            match composer.document() {
                Ok(Some(node)) if node.is_null() => {}
                Ok(Some(node)) => found.nodes.push(node),
                Ok(None) => break,
                Err(stop) => {
                    composer.faults.push(stop);
                    break;
                }
            }
        }
        found.faults.append(&mut composer.faults);
    }
    found
}

/// The first forbidden character. The parser would read some of them as the end of the file.
fn unprintable(text: &str) -> Option<(Position, Fault)> {
    let allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{85}');
    for (index, line) in text.split('\n').enumerate() {
        if let Some((column, c)) = line.chars().enumerate().find(|(_, c)| !allowed(*c)) {
            let at = Position { line: index + 1, column: column + 1 };
            return Some((at, Fault::Unprintable { code: u32::from(c) }));
        }
    }
    None
}

/// The text between lines that start with `---`, each with the number of its first line.
fn chunks(text: &str) -> Vec<(usize, &str)> {
    let mut chunks = Vec::new();
    let (mut start, mut first_line, mut offset) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let separates = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if separates && offset > start && !is_preamble(&text[start..offset]) {
            chunks.push((first_line, &text[start..offset]));
            (start, first_line) = (offset, index + 1);
        }
        offset += line.len();
    }
    chunks.push((first_line, &text[start..]));
    chunks
}

/// Comments and directives before the first `---` belong to the document after it.
fn is_preamble(chunk: &str) -> bool {
    !chunk.starts_with("---")
        && chunk.lines().all(|line| line.trim().is_empty() || line.starts_with(['#', '%']))
}

/// Replaces surrogate pairs by the characters that they encode.
///
/// JSON may write a character above U+FFFF as two `\u` escapes; YAML does not know such pairs.
pub(crate) fn without_surrogates(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find('\\') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let pair = (unit(rest), rest.get(6..).and_then(unit));
        let decoded = match pair {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                char::decode_utf16([high, low]).next()
            }
            _ => None,
        };
        let taken = match decoded {
            Some(Ok(c)) => {
                text.push(c);
                12
            }
            // Skip the escaped character too: after `\\` no escape starts.
            _ => {
                let end = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
                text.push_str(&rest[..end]);
                end
            }
        };
        rest = &rest[taken..];
    }
    text.push_str(rest);
    text
}

/// The code unit of a `\uXXXX` at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        u16::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
