//! What is wrong with a manifest: where, in which resource and field, and the mend.

use std::{fmt, path::PathBuf};

use marquee_crds::pod_config::{Problem, Severity};

use crate::{limits, yaml::Position};

/// One thing that is wrong with a manifest.
///
/// `Display` writes it on one line, as editors and compilers do:
/// `homepage/page.yaml:12:5: PageLayout default/home: spec.page: unknown field "row": did you mean "rows"?`
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestError {
    /// The file, or the folder where the folder itself is at fault.
    pub file: PathBuf,
    /// Where in the file, if in the file.
    pub at: Option<Position>,
    /// Kind, namespace and name, e.g. `PageLayout default/home`, as far as they could be read.
    pub resource: Option<String>,
    /// The field, e.g. `spec.candidateRows[1].name`, if one is at fault.
    pub field: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
}

impl ManifestError {
    /// Whether the resource is left out for it, or a fallback answers for a part of the resource.
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
        // A problem between resources names them itself.
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

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The path, or a file in it, cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A pipe, a socket or a device by the name of a manifest.
    #[error("is no file: a manifest is a regular file, or a link to one")]
    NotAFile,
    /// No manifest in the folder.
    #[error("holds no manifest: a manifest is a file *.yaml, *.yml or *.json in the folder itself")]
    EmptyFolder,
    /// Manifests, but no resource in them.
    #[error("holds no resource to serve in the {files} manifests read: add a RankingModel or a PageLayout")]
    NoResource {
        /// Files read.
        files: usize,
    },
    /// Over [`limits::MAX_FILES`].
    #[error(
        "holds {found} manifests, more than the {} that are read: keep others in another folder",
        limits::MAX_FILES
    )]
    TooManyFiles {
        /// How many there are.
        found: usize,
    },
    /// Over [`limits::MAX_FILE_BYTES`].
    #[error("is over {} bytes: split it into several files", limits::MAX_FILE_BYTES)]
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
    #[error("is document {}, and the last that is read is document {}: split the file", limits::MAX_DOCUMENTS + 1, limits::MAX_DOCUMENTS)]
    TooManyDocuments,
    /// Neither YAML nor JSON.
    #[error("this is not YAML: {what}{mend}")]
    Syntax {
        /// What the parser says.
        what: String,
        /// Begins with a colon, or is empty.
        mend: &'static str,
    },
    /// Over [`limits::MAX_DEPTH`].
    #[error("is over {} levels deep: no manifest is", limits::MAX_DEPTH)]
    TooDeep,
    /// Over [`limits::MAX_VALUES`] or [`limits::MAX_ALIASED_BYTES`].
    #[error(
        "the document holds over {} values, or {} bytes from aliases, once its aliases are expanded: write less, or split it",
        limits::MAX_VALUES,
        limits::MAX_ALIASED_BYTES
    )]
    TooManyValues,
    /// `&a [*a]`.
    #[error("the alias stands for what it is a part of: write out what is meant")]
    AliasWithinItself,
    /// `<<: 5`.
    #[error("<< merges objects: write an alias of one, or a list of such")]
    MergeOfNoObject,
    /// `!thing`.
    #[error("the tag {tag} means nothing here: remove it")]
    Tag {
        /// As written.
        tag: String,
    },
    /// `.inf` and `.nan`.
    #[error("is not a finite number: write a number, or quote it if it is text")]
    NotFinite,
    /// A list or null as the name of a field.
    #[error("the name of a field is no text: quote it")]
    NameNotText,
    /// A field that is set twice.
    #[error("the field {name:?} is set twice: remove one of the two")]
    DuplicateField {
        /// Its name.
        name: String,
    },
    /// A document that is a list or a text.
    #[error("the document is {found}: a resource is an object with apiVersion, kind, metadata and spec")]
    NotAResource {
        /// What it is.
        found: String,
    },
    /// An API version that is not served.
    #[error("{found:?} is not known: write {expected}")]
    UnknownVersion {
        /// As written.
        found: String,
        /// Of this group.
        expected: String,
    },
    /// A kind that is not served.
    #[error("{found:?} of {version:?} is not served{hint}")]
    UnknownKind {
        /// As written.
        found: String,
        /// Its API version.
        version: String,
        /// What is meant or known.
        hint: String,
    },
    /// A name that Kubernetes refuses.
    #[error("{found:?} is no {what}: {mend}")]
    BadName {
        /// As written.
        found: String,
        /// What it should be.
        what: &'static str,
        /// How to write one.
        mend: &'static str,
    },
    /// Annotations over what Kubernetes takes.
    #[error("the annotations hold {found} bytes, more than the 262144 that Kubernetes takes: remove some")]
    AnnotationsTooLarge {
        /// Bytes of keys and values.
        found: usize,
    },
    /// A field that no schema names.
    #[error("unknown field {name:?}{hint}")]
    UnknownField {
        /// As written.
        name: String,
        /// What is meant, where it belongs, or what is known.
        hint: String,
    },
    /// A required field is absent.
    #[error("{name} is missing: add it{explanation}")]
    Missing {
        /// Its name.
        name: String,
        /// In parentheses, what it is for.
        explanation: String,
    },
    /// A text where a number belongs, and the like.
    #[error("is {found}, and must be {expected}{mend}")]
    WrongType {
        /// What it is.
        found: String,
        /// What it must be.
        expected: &'static str,
        /// Begins with a colon, or is empty.
        mend: String,
    },
    /// None of the allowed values.
    #[error("{found:?} is none of {allowed}{hint}")]
    NotAllowed {
        /// As written.
        found: String,
        /// Those that are.
        allowed: String,
        /// What was meant.
        hint: String,
    },
    /// A number, a length or a count out of bounds.
    #[error("{what} is {found}, and must be {bound}")]
    OutOfBounds {
        /// `it`, `its length`, `the number of its members`.
        what: &'static str,
        /// How much it is.
        found: String,
        /// `at least 1`, `at most 64`.
        bound: String,
    },
    /// A CEL rule of the schema says no; the rule says the mend.
    #[error("{message}{found}")]
    Rule {
        /// Of the rule.
        message: String,
        /// In parentheses, what is written.
        found: String,
    },
    /// Passed the schema and is refused by the type; a defect of the schema.
    #[error("is refused by its type, though its schema takes it: {0}")]
    Unfit(String),
    /// One kind, namespace and name twice.
    #[error("is defined at {first} already: rename it, or remove one of the two")]
    DuplicateResource {
        /// File, line and column of the other.
        first: String,
    },
    /// Between resources.
    #[error(transparent)]
    Problem(#[from] Box<Problem>),
    /// Over [`limits::MAX_ERRORS`].
    #[error("{0} more errors are not listed: mend those above first")]
    More(usize),
}

/// A text from a manifest, short enough for a message.
pub(crate) fn clip(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
