//! Logs: text for people on a terminal, JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Flags of logging.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// Log format: text or json. Default: text if standard error is a terminal, json otherwise.
    #[arg(long, env = "MARQUEE_LOG_FORMAT", value_enum, global = true)]
    pub log_format: Option<LogFormat>,
    /// Log filter in the syntax of `tracing`, such as info or marquee_runtime=debug,hyper=warn. Default: info for `serve`, off
    /// for `verify` (its output has everything), warn for the other commands.
    #[arg(long, env = "MARQUEE_LOG", value_name = "FILTER", global = true)]
    pub log: Option<String>,
}

/// Why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be parsed.
    #[error(
        "cannot parse the log filter {filter:?}: write a level, or target=level pairs separated by commas"
    )]
    Filter {
        /// As given.
        filter: String,
        /// The parser's error.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Logging was set up before.
    #[error("logging is already set up")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets logging up for the whole process; lines go to standard error. `filter` is used if `args` has none.
///
/// # Errors
/// When the filter cannot be parsed, or logging was set up before.
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
