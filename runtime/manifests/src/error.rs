//! What is wrong with a manifest: the place, the resource, the field, and how to fix it.

use std::{fmt, path::PathBuf};

use marquee_crds::pod_config::{Problem, Severity};

use crate::{limits, position::Position};

/// One error in a manifest.
///
/// `Display` writes it on one line, in the form that editors and compilers use:
/// `homepage/page.yaml:12:5: PageLayout default/home: spec.page: unknown field "row": did you mean "rows"?`
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestError {
    /// The file; or the folder, if the error is about the folder itself.
    pub file: PathBuf,
    /// The place in the file, if there is one.
    pub at: Option<Position>,
    /// Kind, namespace and name, e.g. `PageLayout default/home`, as far as they are known.
    pub resource: Option<String>,
    /// The field, e.g. `spec.candidateRows[1].name`, if the error is about one field.
    pub field: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

impl ManifestError {
    /// Whether the error excludes the whole resource, or a fallback serves the affected part.
    pub fn severity(&self) -> Severity {
        match &self.fault {
            Fault::Problem(problem) => problem.severity(),
            _ => Severity::Refused,
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(Position { line, column }) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        // The message of a problem between resources names the resources itself.
        if !matches!(self.fault, Fault::Problem(_)) {
            for part in [&self.resource, &self.field].into_iter().flatten() {
                write!(f, ": {part}")?;
            }
        }
        write!(f, ": {}", self.fault)
    }
}

impl std::error::Error for ManifestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault.source()
    }
}

/// Every kind of error.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Reading the path, or a file in it, failed.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A pipe, a socket or a device has the name of a manifest.
    #[error("is not a regular file: use a regular file, or a link to one")]
    NotAFile,
    /// The folder holds no manifest.
    #[error("holds no manifest: add a file *.yaml, *.yml or *.json to the folder itself")]
    EmptyFolder,
    /// The manifests hold no resource.
    #[error("holds no resource in the {files} manifests that were read: add a RankingModel or a PageLayout")]
    NoResource {
        /// Number of files read.
        files: usize,
    },
    /// Over [`limits::MAX_FILES`].
    #[error(
        "holds {found} manifests, more than the limit of {}: move some to another folder",
        limits::MAX_FILES
    )]
    TooManyFiles {
        /// Number of manifests found.
        found: usize,
    },
    /// Over [`limits::MAX_FILE_BYTES`].
    #[error("is larger than {} bytes: split it into several files", limits::MAX_FILE_BYTES)]
    TooLarge,
    /// Not UTF-8.
    #[error("is not UTF-8: save it in that encoding")]
    NotUtf8,
    /// A control character.
    #[error(
        "holds the control character U+{code:04X}, which YAML does not allow: remove it, or write it as an escape"
    )]
    Unprintable {
        /// Its code point.
        code: u32,
    },
    /// Over [`limits::MAX_DOCUMENTS`].
    #[error("the file holds more than {} documents: split the file", limits::MAX_DOCUMENTS)]
    TooManyDocuments,
    /// Neither YAML nor JSON.
    #[error("cannot parse this as YAML: {what}{mend}")]
    Syntax {
        /// The parser's message.
        what: String,
        /// Begins with a colon, or is empty.
        mend: &'static str,
    },
    /// Over [`limits::MAX_DEPTH`].
    #[error("nests more than {} levels deep: flatten it", limits::MAX_DEPTH)]
    TooDeep,
    /// Over [`limits::MAX_VALUES`] or [`limits::MAX_ALIASED_BYTES`].
    #[error(
        "with its aliases expanded, the document holds more than {} values, or more than {} bytes from aliases: shorten or split it",
        limits::MAX_VALUES,
        limits::MAX_ALIASED_BYTES
    )]
    TooManyValues,
    /// `&a [*a]`.
    #[error("the alias refers to an object or list that contains it: write the value out")]
    AliasOfItself,
    /// `<<: 5`.
    #[error("<< merges only objects: write an alias of an object, or a list of such aliases")]
    MergeNotObject,
    /// `!thing`.
    #[error("the tag {tag} is not supported: remove it")]
    Tag {
        /// As written.
        tag: String,
    },
    /// The number is `.inf` or `.nan`.
    #[error("is not a finite number: write a number, or quote it if it is text")]
    NotFinite,
    /// The name of a field is a list, an object or null.
    #[error("the field name is not text: quote it")]
    NameNotText,
    /// A field is set twice.
    #[error("the field {name:?} is set twice: remove one of them")]
    DuplicateField {
        /// Its name.
        name: String,
    },
    /// The document is a list or text.
    #[error("the document is {found}: write an object with apiVersion, kind, metadata and spec")]
    NotAResource {
        /// The value's type and text.
        found: String,
    },
    /// Marquee has no such API version.
    #[error("unknown apiVersion {found:?}: write {expected}")]
    UnknownVersion {
        /// As written.
        found: String,
        /// The version to write.
        expected: String,
    },
    /// Marquee has no such kind.
    #[error("unknown kind {found:?} of {version:?}{hint}")]
    UnknownKind {
        /// As written.
        found: String,
        /// Its API version.
        version: String,
        /// The likely intention, or the known kinds.
        hint: String,
    },
    /// Kubernetes refuses this name.
    #[error("{found:?} is not a valid {what}: {mend}")]
    BadName {
        /// As written.
        found: String,
        /// The sort of name that is expected.
        what: &'static str,
        /// How to write a valid one.
        mend: &'static str,
    },
    /// The annotations are larger than Kubernetes accepts.
    #[error("the annotations hold {found} bytes, and Kubernetes accepts at most 262144: remove some")]
    AnnotationsTooLarge {
        /// Bytes of all keys and values.
        found: usize,
    },
    /// The schema has no such field.
    #[error("unknown field {name:?}{hint}")]
    UnknownField {
        /// As written.
        name: String,
        /// The likely intention, the object that has such a field, or the known fields.
        hint: String,
    },
    /// A required field is missing.
    #[error("{name} is missing: add it{explanation}")]
    Missing {
        /// Its name.
        name: String,
        /// The purpose of the field, in parentheses.
        explanation: String,
    },
    /// The value has the wrong type, e.g. text instead of a number.
    #[error("is {found} but must be {expected}{mend}")]
    WrongType {
        /// The value's type and text.
        found: String,
        /// The expected type.
        expected: &'static str,
        /// Begins with a colon, or is empty.
        mend: String,
    },
    /// The value is not in the list of allowed values.
    #[error("{found:?} is not one of {allowed}{hint}")]
    NotAllowed {
        /// As written.
        found: String,
        /// The allowed values.
        allowed: String,
        /// The likely intention.
        hint: String,
    },
    /// A number, a length or a count is out of bounds.
    #[error("{what} is {found} but must be {bound}")]
    OutOfBounds {
        /// `the number`, `the length`, `the number of items`.
        what: &'static str,
        /// The actual amount.
        found: String,
        /// `at least 1`, `at most 64`.
        bound: String,
    },
    /// A CEL rule of the schema refuses the value; its message says how to fix it.
    #[error("{message}{found}")]
    Rule {
        /// The rule's message.
        message: String,
        /// The value in the manifest, in parentheses.
        found: String,
    },
    /// The value passes the schema, but its Rust type refuses it: the schema has a bug.
    #[error("passes its schema but not its Rust type, which is a bug in Marquee: {0}")]
    Unfit(String),
    /// Two resources have the same kind, namespace and name.
    #[error("is already defined at {first}: rename it, or remove one of them")]
    DuplicateResource {
        /// File, line and column of the first one.
        first: String,
    },
    /// A problem between resources.
    #[error(transparent)]
    Problem(#[from] Box<Problem>),
    /// Over [`limits::MAX_ERRORS`].
    #[error("{0} more errors are not listed: fix those above first")]
    More(usize),
}

/// Shortens text from a manifest for use in a message.
pub(crate) fn clip(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
