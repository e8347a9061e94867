//! Sets up logging.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Starts logging to standard error. If the filter is not valid, logs so and uses `info`.
pub fn begin(filter: &str, format: LogFormat) {
    let parsed = EnvFilter::try_new(filter);
    let wrong = parsed.as_ref().err().map(ToString::to_string);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(parsed.unwrap_or_else(|_| EnvFilter::new("info")))
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    if let Some(error) = wrong {
        tracing::warn!(filter, error, "the log filter is not valid: using info");
    }
}
