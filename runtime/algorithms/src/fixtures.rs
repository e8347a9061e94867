//! Small data for tests, and the checks that every iterative fit must pass.

use std::ops::ControlFlow;

use rand::RngExt;

use crate::interactions::{Duplicates, Interaction, Interactions};
use crate::random::{Purpose, stream};
use crate::{AlgorithmError, FitContext, State};

/// Ratings of 1 to 5 by two tastes: viewers and titles of one parity like each other. About half of all cells.
pub(crate) fn two_tastes(n_viewers: u32, n_titles: u32, seed: u64) -> Interactions {
    let mut rng = stream(seed, Purpose::Sample, 0);
    let mut rows = Vec::new();
    for viewer in 0..n_viewers {
        for title in 0..n_titles {
            let likes = viewer % 2 == title % 2;
            if rng.random_bool(if likes { 0.7 } else { 0.2 }) {
                let rating = if likes { 4.0 } else { 2.0 } + f32::from(rng.random_range(-1i8..=1));
                rows.push(Interaction { viewer, title, rating, time: i64::from(title) });
            }
        }
    }
    Interactions::from_rows(n_viewers as usize, n_titles as usize, &rows, Duplicates::Refuse).unwrap()
}

/// One viewer only: what collaborative models refuse.
pub(crate) fn one_viewer() -> Interactions {
    let rows = [0, 1].map(|title| Interaction { viewer: 0, title, rating: 3.0, time: 0 });
    Interactions::from_rows(2, 3, &rows, Duplicates::Refuse).unwrap()
}

/// Stops a fit after `stop` iterations, resumes it from the state seen then, and compares with the fit that never stopped.
/// Also: a state of another seed is refused, and stopping is an error of its own.
pub(crate) fn assert_resumes<T: PartialEq + std::fmt::Debug>(
    stop: u32,
    threads: usize,
    fit: impl Fn(&mut FitContext<'_>) -> Result<T, AlgorithmError>,
) {
    let whole = fit(&mut FitContext::new(7, threads).unwrap()).unwrap();
    let mut state: Option<State> = None;
    let mut context = FitContext::new(7, threads).unwrap().with_observer(|progress| {
        if progress.iteration < stop {
            return ControlFlow::Continue(());
        }
        state = Some(progress.state());
        ControlFlow::Break(())
    });
    let stopped = fit(&mut context).unwrap_err();
    assert!(matches!(stopped, AlgorithmError::Cancelled { iteration, .. } if iteration == stop), "{stopped}");
    drop(context);
    let state = state.unwrap();
    // As a checkpoint file would: through text and back, bit for bit.
    let state: State = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();

    let other_seed = fit(&mut FitContext::new(8, threads).unwrap().with_resume(state.clone())).unwrap_err();
    assert!(
        other_seed.to_string().starts_with("the state to resume from does not fit: the fit is"),
        "{other_seed}"
    );

    let mut first = None;
    let resumed = {
        let context = FitContext::new(7, threads).unwrap().with_resume(state);
        let mut context = context.with_observer(|progress| {
            first.get_or_insert(progress.iteration);
            ControlFlow::Continue(())
        });
        fit(&mut context).unwrap()
    };
    assert_eq!(first, Some(stop + 1), "what was done is not done again");
    assert_eq!(resumed, whole);
}
