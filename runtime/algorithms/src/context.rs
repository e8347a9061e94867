//! What every fit is handed beside data and parameters: seed, threads, an observer, and the state to resume from.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::AlgorithmError;

/// Everything that an iterative fit needs to go on from where it was: a run that is resumed from it ends in bit-equal results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Which algorithm wrote it, e.g. `implicit-als`.
    pub algorithm: String,
    /// Iterations done.
    pub iteration: u32,
    /// Parameters, seed and shape of the data in one line; a resume with others is refused.
    pub fingerprint: String,
    /// The numbers, by name; shapes follow from the data and the parameters.
    pub tensors: BTreeMap<String, Vec<f32>>,
}

/// What the observer receives after each iteration.
pub struct Progress<'a> {
    /// Which algorithm.
    pub algorithm: &'static str,
    /// Iterations done, from 1.
    pub iteration: u32,
    /// Iterations in all.
    pub of: u32,
    /// The training loss after this iteration, where it was computed (see [`FitContext::with_loss_every`]).
    /// Explicit models: RMSE on the training ratings, as met during the pass. BPR: mean log loss, as met during the pass.
    /// Implicit ALS: see [`crate::implicit_als::loss`].
    pub loss: Option<f64>,
    snapshot: &'a dyn Fn() -> State,
}

impl Progress<'_> {
    /// Copies the state for a checkpoint: costs as much memory as the model.
    pub fn state(&self) -> State {
        (self.snapshot)()
    }
}

type Observer<'a> = Box<dyn FnMut(&Progress<'_>) -> ControlFlow<()> + 'a>;

/// Seed, threads, observer and the state to resume from.
pub struct FitContext<'a> {
    seed: u64,
    pool: Arc<rayon::ThreadPool>,
    loss_every: u32,
    observer: Option<Observer<'a>>,
    resume: Option<State>,
}

impl<'a> FitContext<'a> {
    /// A context with its own pool of `threads` threads; 0 takes one a core.
    pub fn new(seed: u64, threads: usize) -> Result<Self, AlgorithmError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| AlgorithmError::Threads { threads, source })?;
        Ok(Self::with_pool(seed, Arc::new(pool)))
    }

    /// A context that shares a pool of threads.
    pub fn with_pool(seed: u64, pool: Arc<rayon::ThreadPool>) -> Self {
        Self { seed, pool, loss_every: 0, observer: None, resume: None }
    }

    /// Calls `observer` after each iteration; `Break` stops the fit with [`AlgorithmError::Cancelled`].
    pub fn with_observer(mut self, observer: impl FnMut(&Progress<'_>) -> ControlFlow<()> + 'a) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Computes the loss of implicit ALS every `iterations` iterations; 0, the default, never: it costs a pass over the data.
    /// The other algorithms know theirs for nothing and always tell it.
    pub fn with_loss_every(mut self, iterations: u32) -> Self {
        self.loss_every = iterations;
        self
    }

    /// Goes on from `state` in place of starting anew. The next fit takes it.
    pub fn with_resume(mut self, state: State) -> Self {
        self.resume = Some(state);
        self
    }

    /// The seed from which every random number of the fit follows.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many threads compute.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// The pool in which the fit computes.
    pub fn pool(&self) -> &Arc<rayon::ThreadPool> {
        &self.pool
    }

    /// Whether a loss that costs a pass is wanted after `iteration`.
    pub(crate) fn wants_loss(&self, iteration: u32) -> bool {
        self.loss_every > 0 && iteration.is_multiple_of(self.loss_every)
    }

    /// Takes the state to resume from, checked against this fit.
    pub(crate) fn take_resume(&mut self, fit: &Fit) -> Result<Option<State>, AlgorithmError> {
        let Some(state) = self.resume.take() else { return Ok(None) };
        for (what, found, expected) in [
            ("the algorithm", &state.algorithm, fit.algorithm),
            ("the fit", &state.fingerprint, fit.fingerprint.as_str()),
        ] {
            if found != expected {
                return Err(resume_error(what, expected, found));
            }
        }
        if state.iteration > fit.iterations {
            return Err(resume_error(
                "its iteration",
                &format!("at most {}", fit.iterations),
                &state.iteration.to_string(),
            ));
        }
        Ok(Some(state))
    }

    /// Tells the observer of one iteration; an error when it asks to stop.
    pub(crate) fn observe(
        &mut self,
        fit: &Fit,
        iteration: u32,
        loss: Option<f64>,
        tensors: &dyn Fn() -> BTreeMap<String, Vec<f32>>,
    ) -> Result<(), AlgorithmError> {
        let Some(observer) = &mut self.observer else { return Ok(()) };
        let snapshot = || State {
            algorithm: fit.algorithm.to_owned(),
            iteration,
            fingerprint: fit.fingerprint.clone(),
            tensors: tensors(),
        };
        let progress =
            Progress { algorithm: fit.algorithm, iteration, of: fit.iterations, loss, snapshot: &snapshot };
        match observer(&progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(AlgorithmError::Cancelled { algorithm: fit.algorithm, iteration }),
        }
    }
}

/// What identifies one fit to its checkpoints.
pub(crate) struct Fit {
    pub(crate) algorithm: &'static str,
    pub(crate) iterations: u32,
    pub(crate) fingerprint: String,
}

impl Fit {
    /// `params` is printed into the fingerprint, and so are the seed and the size of the data.
    pub(crate) fn new(
        algorithm: &'static str,
        iterations: u32,
        params: &impl std::fmt::Debug,
        data: &crate::Interactions,
        seed: u64,
    ) -> Self {
        let fingerprint = format!(
            "{params:?}, seed {seed}, {} viewers, {} titles, {} interactions",
            data.n_viewers(),
            data.n_titles(),
            data.len()
        );
        Self { algorithm, iterations, fingerprint }
    }
}

impl State {
    /// Takes one tensor out, checked for its length.
    pub(crate) fn take(&mut self, name: &str, len: usize) -> Result<Vec<f32>, AlgorithmError> {
        let Some(tensor) = self.tensors.remove(name) else {
            return Err(resume_error("its list of tensors", name, "without it"));
        };
        if tensor.len() != len {
            return Err(resume_error(
                &format!("the length of its tensor {name}"),
                &len.to_string(),
                &tensor.len().to_string(),
            ));
        }
        Ok(tensor)
    }
}

fn resume_error(what: &str, expected: &str, found: &str) -> AlgorithmError {
    AlgorithmError::Resume { what: what.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
}
