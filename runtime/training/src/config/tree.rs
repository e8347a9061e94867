//! A YAML mapping that knows its lines: typed fields, and unknown ones refused with the nearest right name.

use marked_yaml::{
    LoadError, Node, Span,
    loader::{LoaderOptions, parse_yaml_with_options},
    types::MarkedMappingNode,
};

use crate::nearest::{hint, listed};

/// Longest config file.
const LONGEST: usize = 1 << 20;

/// Why a config file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {problem}", line.map_or_else(String::new, |line| format!(" line {line}")))]
pub struct ConfigError {
    /// The file as it was given.
    pub file: String,
    /// From 1, where one line is to blame.
    pub line: Option<usize>,
    /// What is wrong, and the mend.
    pub problem: String,
}

/// Parses `text`, whose outermost shape must be a mapping.
pub(crate) fn parse(file: &str, text: &str) -> Result<MarkedMappingNode, ConfigError> {
    let error = |line, problem| Err(ConfigError { file: file.to_owned(), line, problem });
    // Editors of Windows put a byte order mark first; it would become part of the first field's name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > LONGEST {
        return error(None, format!("is longer than {LONGEST} bytes: this is not a training config"));
    }
    if text.trim().is_empty() {
        return error(None, "is empty: expected at least `algorithm: NAME`".to_owned());
    }
    match parse_yaml_with_options(0, text, LoaderOptions::default().error_on_duplicate_keys(true)) {
        Ok(Node::Mapping(mapping)) => Ok(mapping),
        Ok(other) => error(line_of(other.span()), "expected fields such as `algorithm: ease`".to_owned()),
        Err(fault) => {
            let (line, problem) = explain(&fault);
            error(line, problem)
        }
    }
}

fn explain(fault: &LoadError) -> (Option<usize>, String) {
    match fault {
        LoadError::DuplicateKey(pair) => {
            let first = line_of(pair.prev_key.span()).unwrap_or(0);
            (
                line_of(pair.key.span()),
                format!("field `{}` is there already, in line {first}: remove one", pair.key.as_str()),
            )
        }
        LoadError::ScanError(marker, scan) => (Some(marker.line()), format!("is not YAML: {}", scan.info())),
        LoadError::UnexpectedAnchor(marker) => {
            (Some(marker.line()), "anchors and aliases are not read: write the value out".to_owned())
        }
        LoadError::UnexpectedTag(marker) => (Some(marker.line()), "tags are not read: remove it".to_owned()),
        LoadError::MappingKeyMustBeScalar(marker)
        | LoadError::TopLevelMustBeMapping(marker)
        | LoadError::TopLevelMustBeSequence(marker) => {
            (Some(marker.line()), "expected fields such as `algorithm: ease`".to_owned())
        }
    }
}

fn line_of(span: &Span) -> Option<usize> {
    span.start().map(marked_yaml::Marker::line)
}

/// A mapping and the way to it.
#[derive(Clone)]
pub(crate) struct Section<'a> {
    file: &'a str,
    path: String,
    node: &'a MarkedMappingNode,
}

impl<'a> Section<'a> {
    /// The outermost mapping.
    pub(crate) fn root(file: &'a str, node: &'a MarkedMappingNode) -> Self {
        Self { file, path: String::new(), node }
    }

    /// Refuses fields that are not in `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        for key in self.node.keys() {
            if !known.contains(&key.as_str()) {
                let within =
                    if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) };
                let near = hint(key.as_str(), known.iter().copied());
                let fields = if known.is_empty() { "none".to_owned() } else { listed(known.iter().copied()) };
                let name = key.as_str().escape_debug();
                let problem = format!("unknown field `{name}`{within}{near} (fields: {fields})");
                return Err(self.error(key.span(), problem));
            }
        }
        Ok(())
    }

    /// Names of the fields, in the order of the file.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.node.keys().map(|key| key.as_str())
    }

    /// An error at the field `name`.
    pub(crate) fn wrong(&self, name: &str, problem: impl std::fmt::Display) -> ConfigError {
        let span = self.node.get(name).map_or_else(|| self.node.span(), Node::span);
        self.error(span, format!("`{}` {problem}", self.full(name)))
    }

    fn error(&self, span: &Span, problem: String) -> ConfigError {
        ConfigError { file: self.file.to_owned(), line: line_of(span), problem }
    }

    fn full(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A field as it is written.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, ConfigError> {
        match self.node.get(name) {
            None => Ok(None),
            Some(Node::Scalar(scalar)) => Ok(Some(scalar.as_str())),
            Some(_) => Err(self.wrong(name, "must be a single value")),
        }
    }

    /// A field that `parse` understands; `expected` says what it should be.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match parse(text) {
            Some(value) => Ok(Some(value)),
            None => Err(self.wrong(name, format!("must be {expected}, found `{}`", text.escape_debug()))),
        }
    }

    /// A whole number.
    pub(crate) fn count(&self, name: &str) -> Result<Option<u64>, ConfigError> {
        self.parsed(name, "a whole number", |text| text.parse().ok())
    }

    /// A finite number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, ConfigError> {
        self.parsed(name, "a number", |text| text.parse().ok().filter(|value: &f64| value.is_finite()))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ConfigError> {
        self.parsed(name, "true or false", |text| text.parse().ok())
    }

    /// One word of several.
    pub(crate) fn word<T: clap::ValueEnum>(&self, name: &str) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match T::from_str(text, false) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(self.wrong(name, unknown_word(text, &words::<T>()))),
        }
    }

    /// A list of single values, as they are written.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<&'a str>>, ConfigError> {
        match self.node.get(name) {
            None => Ok(None),
            Some(Node::Sequence(items)) => {
                let text = |node: &'a Node| {
                    let scalar = node
                        .as_scalar()
                        .ok_or_else(|| self.wrong(name, "must be a list of single values"))?;
                    Ok(scalar.as_str())
                };
                items.iter().map(text).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(self.wrong(name, "must be a list such as [a, b]")),
        }
    }

    /// A mapping below.
    pub(crate) fn section(&self, name: &str) -> Result<Option<Section<'a>>, ConfigError> {
        match self.node.get(name) {
            None => Ok(None),
            Some(Node::Mapping(node)) => Ok(Some(Section { file: self.file, path: self.full(name), node })),
            Some(_) => Err(self.wrong(name, "must hold fields")),
        }
    }
}

/// Every word of an enum.
pub(crate) fn words<T: clap::ValueEnum>() -> Vec<String> {
    T::value_variants()
        .iter()
        .filter_map(|v| v.to_possible_value())
        .map(|v| v.get_name().to_owned())
        .collect()
}

/// `must be one of …, found …; did you mean …`.
pub(crate) fn unknown_word(found: &str, words: &[String]) -> String {
    let names = || words.iter().map(String::as_str);
    format!("must be one of {}, found `{}`{}", listed(names()), found.escape_debug(), hint(found, names()))
}
