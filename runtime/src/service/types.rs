//! Requests, answers and errors of the service layer. Transports turn bytes into these and back, and nothing else.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// Name of a revision: the operator's hash of what the pods run. An artifact's digest is something else.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(from = "String", into = "String")]
pub struct RevisionName(Arc<str>);

impl RevisionName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RevisionName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for RevisionName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<RevisionName> for String {
    fn from(name: RevisionName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for RevisionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What comes with a request besides its body.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Answered to the caller and written in logs.
    pub request_id: String,
    /// W3C `traceparent` as received, or made by the transport.
    pub traceparent: Option<String>,
    /// When the answer is worth nothing any more.
    pub deadline: Option<Instant>,
}

/// Scores of given titles. `S` is how a transport holds texts: `String`, or `&str` and `Cow<str>` where it need not copy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreRequest<S = String> {
    /// Which model.
    pub objective: S,
    /// Viewer id; empty for nobody known.
    pub viewer: S,
    /// Titles watched lately, latest first: 1,000 at most. Ids that the model does not know are ignored.
    pub recent: Vec<S>,
    /// Titles to score: 1 to 10,000.
    pub titles: Vec<S>,
}

/// The best titles of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopKRequest<S = String> {
    /// Which model.
    pub objective: S,
    /// Viewer id; empty for nobody known.
    pub viewer: S,
    /// Titles watched lately, latest first: 1,000 at most. Ids that the model does not know are ignored.
    pub recent: Vec<S>,
    /// How many: 1 to the model's `maxTopK`.
    pub k: usize,
    /// Titles that must not come back: 10,000 at most. Ids that the model does not know are ignored.
    pub exclude: Vec<S>,
    /// Whether titles that the viewer watched may come back.
    pub include_watched: bool,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageRequest<S = String> {
    /// Whose page.
    pub surface: S,
    /// Viewer id; empty for nobody known.
    pub viewer: S,
    /// Titles watched lately, latest first: 1,000 at most. Ids that no catalogue and no model knows are ignored.
    pub recent: Vec<S>,
}

/// Which model answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The name by which it was asked.
    pub objective: Arc<str>,
    /// SHA-256 of the artifact's manifest.
    pub artifact_digest: Arc<str>,
}

/// How a viewer was recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recognised {
    /// Seen in training.
    Known,
    /// Unseen, but with recent titles: folded in.
    FoldedIn,
    /// Neither: popular titles. A score is then the number of viewers that watched the title.
    #[default]
    Stranger,
}

/// Answer to [`ScoreRequest`]: scores in the order of its titles.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreResponse {
    /// Which model.
    pub model: ModelInfo,
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// One a title.
    pub scores: Vec<f32>,
}

/// Answer to [`TopKRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct TopKResponse {
    /// Which model.
    pub model: ModelInfo,
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// Best first.
    pub titles: Vec<(Arc<str>, f32)>,
}

/// A page, ready to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct PageResponse {
    /// Whose page.
    pub surface: Arc<str>,
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// Top to bottom.
    pub rows: Vec<PageRow>,
    /// Whether any row is.
    pub degraded: bool,
    /// Step and time, in the order in which they ran.
    pub timings: Vec<(&'static str, Duration)>,
}

/// A row of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRow {
    /// From the layout.
    pub name: Arc<str>,
    /// With `{title}` filled in.
    pub heading: String,
    /// One sentence for people: why this row holds these titles.
    pub why: String,
    /// Which model ranked it; none for popularity.
    pub model: Option<ModelInfo>,
    /// Why a fallback fills the row, if one does.
    pub degraded: Option<Degraded>,
    /// Left to right.
    pub titles: Vec<PageTitle>,
}

/// A title on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageTitle {
    /// What the catalogue says; shared, never copied.
    pub title: Arc<TitleCard>,
    /// What orders the row.
    pub score: f32,
}

/// What the catalogue says of a title, and its JSON made once at load.
#[derive(Clone, Debug, PartialEq)]
pub struct TitleCard {
    /// Title id.
    pub id: Arc<str>,
    /// Name for people.
    pub name: String,
    /// Year of release.
    pub year: Option<u16>,
    /// Genres, as written in the catalogue.
    pub genres: Vec<String>,
    /// `"id":…,"name":…,"year":…,"genres":[…]` without braces, escaped: encoders copy it.
    pub json: String,
}

/// Why a fallback fills a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Degraded {
    /// The model did not answer before the page's deadline.
    DeadlineMissed,
    /// The model failed.
    ModelFailed,
    /// The model is not loaded.
    ModelNotReady,
    /// Nothing is known of the viewer.
    ViewerUnknown,
}

impl Degraded {
    /// Low-cardinality word for metrics, logs and answers.
    pub fn reason(self) -> &'static str {
        match self {
            Self::DeadlineMissed => "DeadlineMissed",
            Self::ModelFailed => "ModelFailed",
            Self::ModelNotReady => "ModelNotReady",
            Self::ViewerUnknown => "ViewerUnknown",
        }
    }
}

/// Why a request got no answer. `Display` is for the caller and says the mend.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ServeError {
    /// HTTP 400, gRPC INVALID_ARGUMENT.
    #[error("{0}")]
    Invalid(String),
    /// HTTP 404, gRPC NOT_FOUND.
    #[error("{0}")]
    NotFound(String),
    /// HTTP 429 with `Retry-After`, gRPC RESOURCE_EXHAUSTED with RetryInfo.
    #[error("overloaded: {in_flight} requests are in flight; retry after {retry_after:?}")]
    Shed {
        /// At the time.
        in_flight: usize,
        /// Hint.
        retry_after: Duration,
    },
    /// HTTP 504, gRPC DEADLINE_EXCEEDED.
    #[error("the deadline passed before an answer was there")]
    DeadlineExceeded,
    /// HTTP 409, gRPC FAILED_PRECONDITION: the caller asks about something that is no longer so.
    #[error("{0}")]
    Changed(String),
    /// HTTP 503, gRPC UNAVAILABLE.
    #[error("{0}")]
    NotReady(String),
    /// HTTP 500, gRPC INTERNAL. The cause is in the log under the request id.
    #[error("internal error; the log has it under this request id")]
    Internal,
}

impl ServeError {
    /// Low-cardinality word for metrics and logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "Invalid",
            Self::NotFound(_) => "NotFound",
            Self::Shed { .. } => "Shed",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::Changed(_) => "Changed",
            Self::NotReady(_) => "NotReady",
            Self::Internal => "Internal",
        }
    }
}
