//! Logs: text for people on a terminal, JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Flags of the log.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// Form of the log: text or json. Default: text on a terminal, json elsewhere.
    #[arg(long, env = "MARQUEE_LOG_FORMAT", value_enum, global = true)]
    pub log_format: Option<LogFormat>,
    /// What is logged, as `tracing` filters: info, debug, marquee_runtime=debug,hyper=warn. Default: info for `serve`; nothing
    /// for `verify`, which says it all in its output; warn for the others.
    #[arg(long, env = "MARQUEE_LOG", value_name = "FILTER", global = true)]
    pub log: Option<String>,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("log filter {filter:?} is not one: write a level, or target=level pairs with commas between")]
    Filter {
        /// As given.
        filter: String,
        /// What the parser says.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody set one up before.
    #[error("logging is set up already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets logging up for the whole process; lines go to standard error. Without a filter in `args`, `filter` counts.
///
/// # Errors
/// When the filter cannot be read, or when logging is set up already.
pub fn init(args: &LogArgs, filter: &str) -> Result<(), LogError> {
    let filter = args.log.as_deref().unwrap_or(filter);
    let filter = EnvFilter::try_new(filter)
        .map_err(|source| LogError::Filter { filter: filter.to_owned(), source })?;
    let terminal = std::io::stderr().is_terminal();
    let format = args.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => {
            registry
                .with(fmt::layer().with_writer(std::io::stderr).with_ansi(terminal).with_target(false))
                .try_init()?;
        }
        LogFormat::Json => {
            let layer =
                fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
            registry.with(layer.with_writer(std::io::stderr)).try_init()?;
        }
    }
    Ok(())
}
