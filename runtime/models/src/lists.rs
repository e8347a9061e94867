//! What every architecture checks of the lists that a caller hands in.

use std::borrow::Cow;

use crate::capabilities::TopKQuery;
use crate::error::ModelError;
use crate::rows::TitleRow;
use crate::viewer::ViewerContext;
use crate::watch_history::WatchHistory;

/// Refuses lists of candidates that are not one a viewer.
pub(crate) fn check_one_each(
    viewers: &[ViewerContext<'_>],
    candidates: &[&[TitleRow]],
) -> Result<(), ModelError> {
    let (expected, found) = (viewers.len(), candidates.len());
    if expected == found {
        return Ok(());
    }
    Err(ModelError::Lengths { what: "lists of candidates, one a viewer", expected, found })
}

/// Refuses room for scores that is not one a viewer and title.
pub(crate) fn check_scores(n_viewers: usize, n_titles: usize, scores: &[f32]) -> Result<(), ModelError> {
    let (expected, found) = (n_viewers * n_titles, scores.len());
    if expected == found {
        return Ok(());
    }
    Err(ModelError::Lengths { what: "room for scores, one a viewer and title", expected, found })
}

/// The candidates of a query within the table: ascending, each once, whatever the caller gave.
pub(crate) fn candidates<'a>(
    history: &WatchHistory,
    given: Option<&'a [TitleRow]>,
) -> Result<Option<Cow<'a, [TitleRow]>>, ModelError> {
    let Some(given) = given else { return Ok(None) };
    history.check_titles(given)?;
    if given.is_sorted_by(|a, b| a < b) {
        return Ok(Some(Cow::Borrowed(given)));
    }
    let mut sorted = given.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    Ok(Some(Cow::Owned(sorted)))
}

/// What a query may not get back: what the viewer watched in training, and the rest; both ascending.
pub(crate) fn excluded<'a>(
    history: &'a WatchHistory,
    query: &TopKQuery<'_>,
) -> (&'a [TitleRow], Vec<TitleRow>) {
    let mut also = query.exclude.to_vec();
    let mut watched: &[TitleRow] = &[];
    if !query.include_watched {
        also.extend(query.viewer.titles());
        watched = history.of(query.viewer.known);
    }
    also.sort_unstable();
    (watched, also)
}
