//! Rust text as tokens: no comments, no string contents, no unit tests.

/// A name, a number, one sign, or `::`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token<'a> {
    /// Counted from 1.
    pub line: usize,
    /// As it is written.
    pub text: &'a str,
}

impl Token<'_> {
    /// Whether this is a name or a keyword.
    pub fn is_name(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// The code of a source, without what stands below `#[cfg(test)]` in a module of its own.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    without_tests(&all_tokens(text))
}

/// The code of a source, unit tests included.
pub fn all_tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let (length, kept) = next(rest);
        if kept {
            found.push(Token { line, text: &rest[..length] });
        }
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

/// Length of what stands first, and whether it is code.
fn next(rest: &str) -> (usize, bool) {
    let first = rest.chars().next().map_or(' ', |first| first);
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), false);
    }
    if let Some(length) = string(rest) {
        return (length, false);
    }
    if first.is_alphabetic() || first == '_' {
        return (rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()), true);
    }
    match rest.starts_with("::") {
        true => (2, true),
        false => (first.len_utf8(), !first.is_whitespace()),
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    for (at, _) in rest.char_indices() {
        match rest.get(at..at + 2) {
            Some("/*") => depth += 1,
            Some("*/") if depth == 1 => return at + 2,
            Some("*/") => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

/// Length of a string, a raw string, a letter in quotes or a lifetime that stands first.
fn string(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|after| {
            after.starts_with('"')
                || (prefix.ends_with('r')
                    && after.starts_with('#')
                    && after.trim_start_matches('#').starts_with('"'))
                || (!prefix.ends_with('r') && *prefix != "c" && after.starts_with('\''))
        })
    })?;
    let body = &rest[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let inner = prefix.len() + hashes + 1;
        return Some(rest[inner..].find(&end).map_or(rest.len(), |at| inner + at + end.len()));
    }
    let quote = body.chars().next()?;
    if quote == '\'' && !is_letter(body) {
        let name = body[1..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(body.len() - 1);
        return Some(1 + name);
    }
    let mut escaped = false;
    for (at, letter) in body.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return Some(prefix.len() + at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// `'a'` and `'\n'`, not the lifetime `'a`.
fn is_letter(body: &str) -> bool {
    let mut letters = body.chars().skip(1);
    letters.next() == Some('\\') || letters.next() == Some('\'')
}

fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_test = words[at..].starts_with(&["#", "[", "cfg", "(", "test", ")", "]", "mod"])
            && words.get(at + 9) == Some(&"{");
        at = if is_test {
            block_end(&words, at + 9)
        } else {
            kept.push(tokens[at]);
            at + 1
        };
    }
    kept
}

/// The place after the brace that closes the one at `open`.
fn block_end(words: &[&str], open: usize) -> usize {
    let mut depth = 0;
    for (at, word) in words.iter().enumerate().skip(open) {
        match *word {
            "{" => depth += 1,
            "}" if depth == 1 => return at + 1,
            "}" => depth -= 1,
            _ => {}
        }
    }
    words.len()
}
