//! Builds one [`Node`] for each document from the events of the YAML parser.
//!
//! It expands aliases, as kubectl does, up to [`MAX_VALUES`] and [`MAX_ALIASED_BYTES`], so that it stops an alias bomb
//! early.

use std::collections::{HashMap, HashSet};

use yaml_rust2::{
    parser::{Event, Parser, Tag},
    scanner::{Marker, ScanError, TScalarStyle},
};

use super::{
    node::{Entry, Node, Value},
    scalar,
};
use crate::{
    error::{Fault, clip},
    limits::{MAX_ALIASED_BYTES, MAX_DEPTH, MAX_VALUES},
    position::Position,
};

/// An error that ends the document.
type Stop = (Position, Fault);

/// Reads the documents of one chunk of a file. The chunk starts at line `first_line` of the file.
pub(crate) struct Composer<'a> {
    parser: Parser<std::str::Chars<'a>>,
    first_line: usize,
    /// Nodes that an alias may refer to; `None` until a node is complete.
    anchors: HashMap<usize, Option<Node>>,
    values: usize,
    aliased_bytes: usize,
    /// Errors that do not stop the reading.
    pub(crate) faults: Vec<(Position, Fault)>,
}

impl<'a> Composer<'a> {
    pub(crate) fn new(text: &'a str, first_line: usize) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            first_line,
            anchors: HashMap::new(),
            values: 0,
            aliased_bytes: 0,
            faults: Vec::new(),
        }
    }

    /// The next document; `None` at the end.
    pub(crate) fn document(&mut self) -> Result<Option<Node>, Stop> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(None),
                (Event::DocumentStart, _) => {
                    (self.values, self.aliased_bytes) = (0, 0);
                    self.anchors.clear();
                    let (event, at) = self.next()?;
                    return self.node(event, at, 0).map(Some);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event, Position), Stop> {
        match self.parser.next_token() {
            Ok((event, marker)) => Ok((event, self.position(&marker))),
            Err(error) => Err((self.position(error.marker()), syntax(&error))),
        }
    }

    fn position(&self, marker: &Marker) -> Position {
        Position { line: self.first_line + marker.line() - 1, column: marker.col() + 1 }
    }

    fn node(&mut self, event: Event, mut at: Position, depth: usize) -> Result<Node, Stop> {
        self.count(1, at)?;
        if depth > MAX_DEPTH {
            return Err((at, Fault::TooDeep));
        }
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at),
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(text, style, tag, at)),
            Event::SequenceStart(anchor, tag) => {
                self.open(anchor, tag, at);
                (anchor, Value::List(self.list(depth)?))
            }
            Event::MappingStart(anchor, tag) => {
                self.open(anchor, tag, at);
                let (entries, first) = self.object(depth)?;
                // The parser reports a block object only at its first colon.
                at = first.map_or(at, |first| first.min(at));
                (anchor, Value::Object(entries))
            }
            _ => return Err((at, Fault::Syntax { what: "a value is missing".into(), mend: "" })),
        };
        let node = Node { at, value };
        if anchor != 0 {
            self.anchors.insert(anchor, Some(node.clone()));
            let (values, bytes) = node.weight();
            self.charge(values, bytes, at)?;
        }
        Ok(node)
    }

    fn count(&mut self, values: usize, at: Position) -> Result<(), Stop> {
        self.values += values;
        if self.values > MAX_VALUES { Err((at, Fault::TooManyValues)) } else { Ok(()) }
    }

    /// Counts the cost of a copy against the limits.
    fn charge(&mut self, values: usize, bytes: usize, at: Position) -> Result<(), Stop> {
        self.aliased_bytes += bytes;
        if self.aliased_bytes > MAX_ALIASED_BYTES {
            return Err((at, Fault::TooManyValues));
        }
        self.count(values, at)
    }

    /// Starts an anchored list or object. Until it ends, no alias can refer to it.
    fn open(&mut self, anchor: usize, tag: Option<Tag>, at: Position) {
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        if let Some(tag) = tag.filter(|tag| !matches!(tag.suffix.as_str(), "seq" | "map")) {
            self.faults.push((at, Fault::Tag { tag: clip(&format!("{}{}", tag.handle, tag.suffix)) }));
        }
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<Node, Stop> {
        let Some(Some(node)) = self.anchors.get(&anchor) else {
            return Err((at, Fault::AliasOfItself));
        };
        let (values, bytes) = node.weight();
        let value = node.value.clone();
        self.charge(values, bytes, at)?;
        Ok(Node { at, value })
    }

    fn scalar(&mut self, text: String, style: TScalarStyle, tag: Option<Tag>, at: Position) -> Value {
        let core = tag.as_ref().filter(|tag| tag.handle == "tag:yaml.org,2002:" || tag.handle == "!!");
        match (core.map(|tag| tag.suffix.as_str()), tag.is_some(), style) {
            (Some("str"), ..) => Value::Text(text),
            (Some("int" | "float" | "bool" | "null"), ..) | (None, false, TScalarStyle::Plain) => {
                scalar::plain(text).unwrap_or_else(|| {
                    self.faults.push((at, Fault::NotFinite));
                    Value::Null
                })
            }
            (None, false, _) => Value::Text(text),
            _ => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix)).unwrap_or_default();
                self.faults.push((at, Fault::Tag { tag: clip(&tag) }));
                Value::Text(text)
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Stop> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                (event, at) => nodes.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    /// The fields of an object, and the position of the first one.
    fn object(&mut self, depth: usize) -> Result<(Vec<Entry>, Option<Position>), Stop> {
        let mut first = None;
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Vec<Entry> = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            first = first.or(Some(at));
            let is_merge =
                matches!(&event, Event::Scalar(text, TScalarStyle::Plain, _, None) if text == "<<");
            let name = name(self.node(event, at, depth + 1)?);
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at, depth + 1)?;
            match name {
                Some(_) if is_merge => merged.extend(self.merge(node)),
                Some(name) if names.insert(name.clone()) => entries.push(Entry { name, at, node }),
                Some(name) => self.faults.push((at, Fault::DuplicateField { name: clip(&name) })),
                None => self.faults.push((at, Fault::NameNotText)),
            }
        }
        // Own fields win over merged fields, and earlier merges win over later ones.
        entries.extend(merged.into_iter().filter(|entry| names.insert(entry.name.clone())));
        Ok((entries, first))
    }

    /// The fields that `<<: *alias` or `<<: [*one, *other]` adds.
    fn merge(&mut self, node: Node) -> Vec<Entry> {
        match node.value {
            Value::Object(entries) => entries,
            Value::List(nodes) => nodes.into_iter().flat_map(|node| self.merge(node)).collect(),
            _ => {
                self.faults.push((node.at, Fault::MergeNotObject));
                Vec::new()
            }
        }
    }
}

/// The name of a field. Numbers and booleans become their text, as in JSON.
fn name(key: Node) -> Option<String> {
    match key.value {
        Value::Text(text) => Some(text),
        Value::Bool { value, .. } => Some(value.to_string()),
        Value::Number { written, .. } => Some(written),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    }
}

/// The parser's message, and a fix where the message makes the mistake clear.
fn syntax(error: &ScanError) -> Fault {
    let what = error.info();
    let mend = if what.contains("tab") {
        ": indent with spaces"
    } else if what.contains("mapping values are not allowed") {
        ": quote a value that holds a colon and a space"
    } else if what.contains("unknown anchor") {
        ": define it above with &, or quote a value that begins with *"
    } else if what.contains("simple key") || what.contains("block mapping") || what.contains("indentation") {
        ": write `name: value`, and indent all fields of an object equally"
    } else if what.contains("unexpected character") {
        ": quote the value"
    } else {
        ""
    };
    Fault::Syntax { what: what.to_owned(), mend }
}
