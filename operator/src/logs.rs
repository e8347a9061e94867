//! Where the log goes.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Begins to log to standard error. A filter that cannot be read is said, and `info` stands in.
pub fn begin(filter: &str, format: LogFormat) {
    let parsed = EnvFilter::try_new(filter);
    let wrong = parsed.as_ref().err().map(ToString::to_string);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(parsed.unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    if let Some(error) = wrong {
        tracing::warn!(filter, error, "the log's filter cannot be read");
    }
}
