//! Why a fit or an evaluation stopped. Each message names what was wrong and the mend.

/// Why a fit, a split or an evaluation could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AlgorithmError {
    /// There is nothing to learn from.
    #[error("the data holds no interaction: expected at least one row of viewer and title")]
    Empty,
    /// Collaborative models learn from what viewers share.
    #[error(
        "only one viewer has interactions, expected at least two: a model learns from what viewers share, so add more data or use popularity"
    )]
    OneViewer,
    /// A row number lies outside the table.
    #[error("interaction {position} names {what} {row}, but there are only {len}: rows count from 0")]
    RowOutOfRange {
        /// Place of the interaction in the input, from 0.
        position: usize,
        /// `viewer` or `title`.
        what: &'static str,
        /// The row that was named.
        row: u32,
        /// How many rows there are.
        len: usize,
    },
    /// The same viewer and title twice, where the policy refuses it.
    #[error(
        "viewer {viewer} and title {title} stand together more than once: keep one of them, or choose to keep the last"
    )]
    Duplicate {
        /// Row of the viewer.
        viewer: u32,
        /// Row of the title.
        title: u32,
    },
    /// A rating is NaN or infinite.
    #[error(
        "the rating of title {title} by viewer {viewer} is {rating}, expected a finite number: correct or drop that row"
    )]
    RatingNotFinite {
        /// Row of the viewer.
        viewer: u32,
        /// Row of the title.
        title: u32,
        /// What was found.
        rating: f32,
    },
    /// More interactions or titles than the index types hold.
    #[error("the data holds {found} {what}, expected at most {limit}: take a sample, or split the data")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A parameter that no fit can honour.
    #[error("parameter {name} is {found}, expected {expected}")]
    Parameter {
        /// Name of the parameter, as in the parameters' struct.
        name: &'static str,
        /// What it must be, which is also the mend.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// The numbers ran away.
    #[error("{algorithm} diverged at iteration {iteration}: lower {lower}, or raise regularization")]
    Diverged {
        /// Which algorithm.
        algorithm: &'static str,
        /// The iteration whose outcome is not finite, from 1.
        iteration: u32,
        /// The parameter to lower.
        lower: &'static str,
    },
    /// The matrix cannot be inverted, even in double precision.
    #[error("{algorithm} met a matrix that is not positive definite: raise {raise}")]
    NotPositiveDefinite {
        /// Which algorithm.
        algorithm: &'static str,
        /// The parameter to raise.
        raise: &'static str,
    },
    /// The observer asked to stop.
    #[error("{algorithm} was stopped after iteration {iteration}")]
    Cancelled {
        /// Which algorithm.
        algorithm: &'static str,
        /// Iterations that were done.
        iteration: u32,
    },
    /// The state to resume from belongs to another fit.
    #[error(
        "the state to resume from does not fit: {what} is {found}, expected {expected}: resume with the parameters and data it was saved with, or start anew"
    )]
    Resume {
        /// Which part disagrees.
        what: String,
        /// What this fit has.
        expected: String,
        /// What the state has.
        found: String,
    },
    /// A model gave a score that cannot be ranked.
    #[error("the model scores title {title} for viewer {viewer} as NaN: scores must be numbers")]
    ScoreNotANumber {
        /// Row of the viewer.
        viewer: u32,
        /// Row of the title.
        title: usize,
    },
    /// The threads could not be started.
    #[error("cannot start {threads} threads: ask for fewer")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        source: rayon::ThreadPoolBuildError,
    },
}

/// Checks one parameter; the condition is false when it cannot be honoured.
#[expect(clippy::needless_pass_by_value, reason = "callers hand in numbers and made-up text alike")]
pub(crate) fn require<T: ToString>(
    holds: bool,
    name: &'static str,
    found: T,
    expected: &'static str,
) -> Result<(), AlgorithmError> {
    if holds { Ok(()) } else { Err(AlgorithmError::Parameter { name, expected, found: found.to_string() }) }
}
