//! Why an artifact is refused.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why an artifact is refused. The message names the file, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The system refused an operation on a file or folder.
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// Such as `open`.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The artifact is not as it should be.
    #[error("{}: {finding}", file.display())]
    Refused {
        /// The file at fault.
        file: PathBuf,
        /// What is wrong with it.
        finding: Finding,
    },
}

impl ArtifactError {
    /// CamelCase word for a condition's reason and the metric label: few values, ever.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Io { .. } => "Unreadable",
            Self::Refused { finding, .. } => finding.fault.reason(),
        }
    }

    /// What is wrong, unless the system refused.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Io { .. } => None,
            Self::Refused { finding, .. } => Some(finding.fault),
        }
    }

    pub(crate) fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { verb, path: path.to_owned(), source }
    }
}

/// What was expected of a file and what was found in it. The parsers give this; [`crate::open`] adds the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Kind of fault.
    pub fault: Fault,
    /// In words.
    pub expected: String,
    /// In words; text out of the file stands in backquotes, cut and escaped.
    pub found: String,
    /// What the reader can do about it; may be empty.
    pub mend: &'static str,
}

impl Finding {
    pub(crate) fn new(fault: Fault, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { fault, expected: expected.into(), found: found.into(), mend: fault.mend() }
    }

    pub(crate) fn in_file(self, file: &Path) -> ArtifactError {
        ArtifactError::Refused { file: file.to_owned(), finding: self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        if self.mend.is_empty() { Ok(()) } else { write!(f, ": {}", self.mend) }
    }
}

/// Kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No `marquee.json` in the folder.
    NoManifest,
    /// A file that the manifest names is not there.
    Missing,
    /// Something is larger than the limits allow.
    TooLarge,
    /// The bytes are not those that were written.
    Checksum,
    /// A file is shorter or longer than declared.
    Size,
    /// JSON that does not parse, or has another shape.
    Syntax,
    /// An architecture that this version does not know.
    UnknownArchitecture,
    /// A format that this version does not know.
    NewerFormat,
    /// A path that leads out of the folder, or not to a plain file.
    Path,
    /// A safetensors header that contradicts itself or the file.
    Header,
    /// A tensor that is not as declared.
    Tensor,
    /// NaN or infinity among the weights.
    NotFinite,
    /// A line of an id table or a catalogue.
    Line,
    /// Counts that disagree.
    Count,
    /// Golden inputs or outputs that mean nothing.
    Golden,
}

impl Fault {
    fn reason(self) -> &'static str {
        match self {
            Self::NoManifest => "NoManifest",
            Self::Missing => "FileMissing",
            Self::TooLarge => "TooLarge",
            Self::Checksum => "ChecksumMismatch",
            Self::Size => "SizeMismatch",
            Self::Syntax => "Malformed",
            Self::UnknownArchitecture => "UnknownArchitecture",
            Self::NewerFormat => "NewerFormat",
            Self::Path => "UnsafePath",
            Self::Header => "BadWeights",
            Self::Tensor => "TensorMismatch",
            Self::NotFinite => "NotFinite",
            Self::Line => "BadLine",
            Self::Count => "CountMismatch",
            Self::Golden => "BadGolden",
        }
    }

    fn mend(self) -> &'static str {
        match self {
            Self::NoManifest => "correct the uri, or write the artifact with `marquee-runtime train`",
            Self::Missing => "copy the whole folder, not a part of it",
            Self::TooLarge => "raise the limit if this artifact is meant to be so large",
            Self::Checksum => "the file was changed or damaged, or the digest is another artifact's",
            Self::Size => "the file was cut short or changed: copy the artifact again",
            Self::UnknownArchitecture | Self::NewerFormat => {
                "upgrade marquee-runtime, or train with this version"
            }
            Self::NotFinite => "training diverged: lower the learning rate or raise the regularization",
            _ => "",
        }
    }
}

/// Text out of a file, fit for a message: in backquotes, cut to 60 characters, control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(60).flat_map(escape_control).collect();
    if text.chars().nth(60).is_some() { format!("`{cut}…`") } else { format!("`{cut}`") }
}

fn escape_control(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control();
    escaped.then(|| c.escape_default()).into_iter().flatten().chain((!escaped).then_some(c))
}

/// What is wrong with one line of a file of JSON lines. The parser saw the line alone, so only its column means
/// something.
pub(crate) fn json_line_fault(error: &serde_json::Error, bytes: &[u8], line: usize) -> String {
    if std::str::from_utf8(bytes).is_err() {
        return format!("invalid UTF-8 in line {line}");
    }
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = text.strip_suffix(place.as_str()).unwrap_or(&text);
    format!("{what} in line {line}, column {}", error.column())
}
