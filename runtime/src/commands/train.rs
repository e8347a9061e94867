//! Training, evaluation and catalogues: the commands of `marquee-training`, with Ctrl-C.

use std::{
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use marquee_training::{
    Io, TrainingError,
    cli::{self, CatalogueArgs, EvaluateArgs, TrainArgs},
};

use super::{CommandError, runtime};

pub(super) fn train(args: &TrainArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    cancellable(out, |io| cli::train(args, io))
}

pub(super) fn evaluate(args: &EvaluateArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    cancellable(out, |io| cli::evaluate(args, io))
}

pub(super) fn catalogue(args: &CatalogueArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    cancellable(out, |io| cli::catalogue(args, io))
}

/// Runs `command`; Ctrl-C and SIGTERM ask it to save its state and stop, and a second Ctrl-C ends the process.
fn cancellable(
    out: &mut dyn Write,
    command: impl FnOnce(&mut Io<'_>) -> Result<(), TrainingError>,
) -> Result<(), CommandError> {
    let cancel = Arc::new(AtomicBool::new(false));
    let (runtime, asked) = (runtime()?, cancel.clone());
    // This thread ends with the process.
    thread::Builder::new()
        .name("marquee-signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                super::serve::stop_signal().await;
                asked.store(true, Relaxed);
                super::serve::stop_signal().await;
                std::process::exit(130);
            });
        })
        .map_err(|source| CommandError::System { verb: "start threads", source })?;
    Ok(command(&mut Io { out, terminal: std::io::stderr().is_terminal(), cancel: &cancel })?)
}
