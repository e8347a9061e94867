//! A value and its position.

use serde_json::Number;

use crate::position::Position;

/// A value and the position where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

/// The content of a node. Booleans and numbers keep their original text for messages.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool { value: bool, written: String },
    Number { value: Number, written: String },
    Text(String),
    List(Vec<Node>),
    Object(Vec<Entry>),
}

/// A field of an object: its name, the position of the name, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) at: Position,
    pub(crate) node: Node,
}

impl Node {
    /// The fields; empty if this is not an object.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The field of that name. A null field counts as absent.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.name == name && !entry.node.is_null())
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Values in it and bytes of text in it: what an alias of it costs.
    pub(crate) fn weight(&self) -> (usize, usize) {
        let add =
            |(values, bytes): (usize, usize), (more, text): (usize, usize)| (values + more, bytes + text);
        match &self.value {
            Value::Null => (1, 0),
            Value::Bool { written: text, .. } | Value::Number { written: text, .. } | Value::Text(text) => {
                (1, text.len())
            }
            Value::List(nodes) => nodes.iter().map(Self::weight).fold((1, 0), add),
            Value::Object(entries) => {
                entries.iter().map(|entry| add(entry.node.weight(), (0, entry.name.len()))).fold((1, 0), add)
            }
        }
    }

    /// Position of the field at `path` (`spec.candidateRows[1].name`).
    ///
    /// A default has no position in the file: then the nearest object around it is returned.
    pub(crate) fn locate(&self, path: &str) -> Position {
        let (found, nearest, at) = self.walk(path);
        match nearest.value {
            Value::List(_) | Value::Object(_) => at,
            _ if found => nearest.at,
            _ => at,
        }
    }

    /// The value at `path`, if the file contains it.
    pub(crate) fn at_path(&self, path: &str) -> Option<&Self> {
        let (found, node, _) = self.walk(path);
        found.then_some(node)
    }

    /// Whether there is a value at `path`; that value or the nearest one around it; and the position of its name.
    fn walk(&self, path: &str) -> (bool, &Self, Position) {
        let (mut node, mut at) = (self, self.at);
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            let next = match (&node.value, step.strip_suffix(']')) {
                (Value::List(nodes), Some(index)) => {
                    index.parse::<usize>().ok().and_then(|index| nodes.get(index)).map(|node| (node, node.at))
                }
                _ => node.entry(step).map(|entry| (&entry.node, entry.at)),
            };
            let Some(found) = next else { return (false, node, at) };
            (node, at) = found;
        }
        (true, node, at)
    }
}
