//! Why a row is degraded: one word for answers, metrics and logs.

/// Why a fallback fills a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Degraded {
    /// The model did not answer before the page's deadline.
    DeadlineMissed,
    /// The model failed.
    ModelFailed,
    /// The model is not loaded.
    ModelNotReady,
    /// The viewer is unknown.
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
