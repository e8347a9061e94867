//! The commands of the binary, one file each.

mod digest;
mod docs;
mod serve;
pub mod termination;
mod train;
mod verify;

use std::{io, io::Write, process::ExitCode};

use marquee_artifacts::FetchError;
use marquee_crds::{causes::Causes, termination::Termination};
use marquee_manifests::ManifestError;
use marquee_models::cpu::Level;
use marquee_training::TrainingError;

use crate::{
    args::{Args, Command},
    engine::{ConfigError, SourceError, StartError},
    serving::threads,
    telemetry::{self, LogError},
    transport::TransportError,
};

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A flag cannot be used on this machine.
    #[error("{0}")]
    Usage(String),
    /// Logging cannot be set up.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The manifests cannot be served. Each problem was printed.
    #[error("{} in the manifests", problems(.0.len()))]
    Manifests(Vec<ManifestError>),
    /// The pod's configuration cannot be served.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A model or page of the pod cannot be loaded.
    #[error("{}: {}", .0.reason, .0.message)]
    Terminated(Termination),
    /// `verify` found problems. Each was printed.
    #[error("{}", problems(*.0))]
    Problems(usize),
    /// The artifact cannot be read.
    #[error("artifact {uri} cannot be read")]
    Artifact {
        /// Location of the artifact.
        uri: String,
        /// Why.
        source: Box<FetchError>,
    },
    /// The listeners cannot be opened.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Prometheus refuses a metric.
    #[error("cannot register metrics")]
    Metrics(#[from] prometheus::Error),
    /// Training stopped.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The system refuses an operation.
    #[error("cannot {verb}")]
    System {
        /// The operation, such as `start threads`.
        verb: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// Standard output is closed or full.
    #[error("cannot write to standard output")]
    Print(#[from] io::Error),
}

fn problems(n: usize) -> String {
    if n == 1 { "1 problem".to_owned() } else { format!("{n} problems") }
}

impl CommandError {
    /// The exit code. `--help` has a table of them.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Log(_) => 2,
            Self::Artifact { .. } | Self::Terminated(_) => 3,
            Self::Print(_) => 4,
            Self::Training(error) => error.exit_code(),
            _ => 1,
        }
    }
}

impl From<StartError> for CommandError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Source(SourceError::Manifests(problems)) => Self::Manifests(problems),
            StartError::Source(SourceError::Config(error)) => Self::Config(error),
            StartError::Threads(source) => Self::System { verb: "start threads", source },
        }
    }
}

/// The output streams of a command.
struct Streams<'a> {
    /// Its output.
    out: &'a mut dyn Write,
    /// Its errors.
    err: &'a mut dyn Write,
}

/// Runs the command; `out` takes its output, `err` its errors.
pub fn run(args: Args, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let termination_log = match &args.command {
        Command::Serve(args) => args.termination_log.clone(),
        _ => None,
    };
    match dispatch(args, out, err) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the output has closed it, as `head` does.
        Err(CommandError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // A closed error stream cannot report anything.
            let _ = writeln!(err, "error: {}", Causes(&error));
            if let Some(path) = termination_log
                && let Err(unwritten) = termination::write(&path, &error.termination())
            {
                let _ = writeln!(err, "error: cannot write {}: {unwritten}", path.display());
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(args: Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), CommandError> {
    marquee_artifacts::install_crypto_provider();
    let filter = match args.command {
        Command::Serve(_) => "info",
        Command::Verify(_) => "off",
        _ => "warn",
    };
    telemetry::init(&args.log, filter)?;
    let level = Level::choose(args.cpu.as_deref()).map_err(|error| CommandError::Usage(error.to_string()))?;
    match args.command {
        Command::Serve(serve) => serve::serve(*serve, level, args.log.log_format, Streams { out, err }),
        Command::Verify(args) => verify::verify(&args, level, Streams { out, err }),
        Command::Digest(args) => digest::digest(&args, out),
        Command::Train(args) => train::train(&args, out),
        Command::Evaluate(args) => train::evaluate(&args, out),
        Command::Catalogue(args) => train::catalogue(&args, out),
        Command::Completions { shell } => docs::completions(shell, out),
        Command::Man { dir } => docs::man(dir.as_deref(), out),
    }
}

/// An async runtime for commands that answer no requests.
fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    started(threads::loading())
}

fn started(runtime: io::Result<tokio::runtime::Runtime>) -> Result<tokio::runtime::Runtime, CommandError> {
    runtime.map_err(|source| CommandError::System { verb: "start threads", source })
}
