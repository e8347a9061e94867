//! Requests, answers and errors of the service layer. Transports convert them from and to bytes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use marquee_crds::{degraded::Degraded, revision_name::RevisionName};

pub use super::cards::{PageTitle, PageTitles, TitleCard};

/// The parts of a request besides its body.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Request id, returned to the caller and written to logs.
    pub request_id: String,
    /// W3C `traceparent`, received or made by the transport.
    pub traceparent: Option<String>,
    /// Time after which the caller no longer needs an answer.
    pub deadline: Option<Instant>,
}

/// Asks for the scores of given titles. `S` is the transport's text type: `String`, or `&str` and `Cow<str>` to avoid copies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreRequest<S = String> {
    /// The model.
    pub objective: S,
    /// Viewer id; empty for a viewer without one.
    pub viewer: S,
    /// Recently watched titles, latest first; at most 1,000. Ids that the model does not know are ignored.
    pub recent: Vec<S>,
    /// Titles to score, from 1 to 10,000.
    pub titles: Vec<S>,
}

/// Asks for the best titles of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopKRequest<S = String> {
    /// The model.
    pub objective: S,
    /// Viewer id; empty for a viewer without one.
    pub viewer: S,
    /// Recently watched titles, latest first; at most 1,000. Ids that the model does not know are ignored.
    pub recent: Vec<S>,
    /// Number of titles, from 1 to the model's `maxTopK`.
    pub k: usize,
    /// Titles to leave out; at most 10,000. Ids that the model does not know are ignored.
    pub exclude: Vec<S>,
    /// Whether the answer may contain titles that the viewer watched.
    pub include_watched: bool,
}

/// Asks for a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageRequest<S = String> {
    /// Surface of the page.
    pub surface: S,
    /// Viewer id; empty for a viewer without one.
    pub viewer: S,
    /// Recently watched titles, latest first; at most 1,000. Ids that no catalogue and no model knows are ignored.
    pub recent: Vec<S>,
}

/// The model that answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Objective of the model.
    pub objective: Arc<str>,
    /// SHA-256 of the artifact's manifest.
    pub artifact_digest: Arc<str>,
}

/// How a viewer was recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recognised {
    /// Seen in training.
    Known,
    /// Not seen in training, but has recent titles: folded in.
    FoldedIn,
    /// Neither: gets popular titles. A score is then the number of viewers that watched the title.
    #[default]
    Stranger,
}

/// Answer to [`ScoreRequest`]: scores in the order of its titles.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreResponse {
    /// The model.
    pub model: ModelInfo,
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// One score for each title.
    pub scores: Vec<f32>,
}

/// Answer to [`TopKRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct TopKResponse {
    /// The model.
    pub model: ModelInfo,
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// Best first.
    pub titles: Vec<(Arc<str>, f32)>,
}

/// A page, ready to show.
#[derive(Clone, Debug, PartialEq)]
pub struct PageResponse {
    /// Surface of the page.
    pub surface: Arc<str>,
    /// How the viewer was recognised.
    pub recognised: Recognised,
    /// Top to bottom.
    pub rows: Vec<PageRow>,
    /// Whether a fallback fills any row.
    pub degraded: bool,
    /// Duration of each step, in order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// A row of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRow {
    /// Name of the row in the layout.
    pub name: Arc<str>,
    /// Heading, with `{title}` replaced.
    pub heading: Arc<str>,
    /// One sentence that explains why the row has these titles.
    pub why: Arc<str>,
    /// The model that ranked the row; `None` for popularity.
    pub model: Option<ModelInfo>,
    /// Why a fallback fills the row, if one does.
    pub degraded: Option<Degraded>,
    /// Left to right.
    pub titles: PageTitles,
}

/// Why a request failed. The `Display` text is for the caller and says what to do.
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
        /// Requests in flight at that time.
        in_flight: usize,
        /// Suggested wait before a retry.
        retry_after: Duration,
    },
    /// HTTP 504, gRPC DEADLINE_EXCEEDED.
    #[error("the deadline passed before the answer was ready")]
    DeadlineExceeded,
    /// HTTP 409, gRPC FAILED_PRECONDITION: the request names an artifact that is no longer served.
    #[error("{0}")]
    Changed(String),
    /// HTTP 503, gRPC UNAVAILABLE.
    #[error("{0}")]
    NotReady(String),
    /// HTTP 500, gRPC INTERNAL. The cause is in the log under the request id.
    #[error("internal error: see the log for this request id")]
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
