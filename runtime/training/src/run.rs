//! One fit as a command runs it: with progress, checkpoints, and a stop on request.

use std::{
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};

use marquee_algorithms::{AlgorithmError, FitContext, Progress};
use rayon::ThreadPool;

use crate::{
    checkpoint::{Checkpoint, Identity},
    config::{Cadence, Config},
    error::TrainingError,
    fit::{self, Fitted, TrainingData, estimate},
    progress::{Io, ProgressStage, StageTime, bytes},
    wording::counted,
};

/// What comes of a fit.
pub struct Outcome {
    /// The tensors.
    pub fitted: Fitted,
    /// How long it took.
    pub time: StageTime,
}

/// A pool of as many threads as the config asks for.
pub fn pool(config: &Config) -> Result<Arc<ThreadPool>, TrainingError> {
    let threads = config.threads;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map(Arc::new).map_err(|source| {
        TrainingError::Fit {
            algorithm: config.algorithm.name(),
            source: AlgorithmError::Threads { threads, source },
        }
    })
}

/// What the checkpoints of a fit belong to. `part` is which part of the data is learnt from.
pub fn identity(config: &Config, part: &str, data_digest: &str, pool: &ThreadPool) -> Identity {
    let hyperparameters = config.algorithm.0.resolve(&config.hyperparameters);
    let hyperparameters: Vec<String> =
        hyperparameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let threads = match config.algorithm.0.depends_on_threads {
        true => format!(", {} threads", pool.current_num_threads()),
        false => String::new(),
    };
    let text = format!(
        "{}: {}, seed {}{threads}, {part} of protocol {}",
        config.algorithm.name(),
        hyperparameters.join(", "),
        config.seed,
        config.protocol
    );
    Identity { config: text, data: data_digest.to_owned() }
}

/// Fits as `config` says, going on from the checkpoint if there is one.
pub fn fit(
    io: &mut Io<'_>,
    config: &Config,
    data: TrainingData<'_>,
    pool: &Arc<ThreadPool>,
    checkpoint: Option<&Checkpoint>,
) -> Result<Outcome, TrainingError> {
    estimate::check(config, &config.hyperparameters, data.interactions)?;
    let mut stage = io.stage(&format!("fit {}", config.algorithm.name()), 0)?;
    let mut context = FitContext::with_pool(config.seed, Arc::clone(pool));
    if let Some(checkpoint) = checkpoint
        && let Some(state) = checkpoint.load()?
    {
        stage.line(&format!(
            "goes on after iteration {}, from {}",
            state.iteration,
            checkpoint.path().display()
        ))?;
        context = context.with_resume(state);
    }
    let mut watch = IterationWatch {
        stage,
        checkpoint,
        cadence: config.checkpoint,
        resumes: config.algorithm.0.resumes,
        saved: Instant::now(),
        fault: None,
        last: None,
    };
    let result = fit::fit(
        config.algorithm,
        &config.hyperparameters,
        data,
        &mut context.with_observer(|progress| watch.observe(progress)),
    );
    let IterationWatch { stage, fault, last, .. } = watch;
    if let Some(fault) = fault {
        return Err(fault);
    }
    match result {
        Ok(fitted) => {
            let note = last.map_or_else(String::new, |last| format!(", {last}"));
            let outcome = format!("{} of weights{note}", bytes(fitted.bytes() as u64));
            Ok(Outcome { fitted, time: stage.end(&outcome)? })
        }
        Err(source) => Err(explain(config, source, checkpoint)),
    }
}

fn explain(config: &Config, source: AlgorithmError, checkpoint: Option<&Checkpoint>) -> TrainingError {
    match (&source, checkpoint) {
        (AlgorithmError::Resume { what, expected, found }, Some(checkpoint)) => TrainingError::Checkpoint {
            path: checkpoint.path().to_owned(),
            problem: format!("does not fit ({what} is {found}, expected {expected})"),
        },
        _ => TrainingError::Fit { algorithm: config.algorithm.name(), source },
    }
}

/// Follows a fit: shows progress and saves checkpoints after each iteration.
struct IterationWatch<'a> {
    stage: ProgressStage<'a>,
    checkpoint: Option<&'a Checkpoint>,
    cadence: Cadence,
    /// Whether the algorithm has state to go on from; those in closed form have none.
    resumes: bool,
    saved: Instant,
    fault: Option<TrainingError>,
    last: Option<String>,
}

impl IterationWatch<'_> {
    fn observe(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        let cancelled = self.stage.is_cancelled();
        match self.step(progress, cancelled) {
            Err(error) => self.fault = Some(error),
            Ok(saved) if cancelled => {
                let checkpoint =
                    self.checkpoint.filter(|_| saved).map(|checkpoint| checkpoint.path().to_owned());
                self.fault = Some(TrainingError::Cancelled { checkpoint });
            }
            Ok(_) => return ControlFlow::Continue(()),
        }
        ControlFlow::Break(())
    }

    /// Tells of the iteration and saves the state if it is time to. Whether it was saved.
    fn step(&mut self, progress: &Progress<'_>, cancelled: bool) -> Result<bool, TrainingError> {
        let (done, of) = (progress.iteration, progress.of);
        let note = progress.loss.map(|loss| format!("loss {loss:.4}"));
        self.stage.set_total(u64::from(of));
        self.stage.tell(u64::from(done), note.as_deref().unwrap_or_default())?;
        self.last = Some(match note {
            Some(note) => format!("{}, {note}", counted(done, "iteration")),
            None => counted(done, "iteration"),
        });
        let Some(checkpoint) = self.checkpoint else { return Ok(false) };
        let Cadence { every_iterations, every_seconds } = self.cadence;
        let due = cancelled
            || done == of
            || (every_iterations > 0 && done.is_multiple_of(every_iterations))
            || (every_seconds > 0 && self.saved.elapsed() >= Duration::from_secs(every_seconds));
        if due && self.resumes {
            checkpoint.save(&progress.state())?;
            self.saved = Instant::now();
        }
        Ok(due && self.resumes)
    }
}

/// Why quality cannot be measured by `protocol`.
pub fn measure_error(protocol: crate::config::Protocol, source: AlgorithmError) -> TrainingError {
    TrainingError::Measure { protocol: protocol.to_string(), source }
}
