//! Metrics, logs and trace context. They are set up once, and passed to every room that needs them.

mod labels;
mod logs;
mod metrics;
mod request_log;
mod trace_context;

pub use labels::{Code, CutReason, Listener, Method};
pub use logs::{LogArgs, LogError, LogFormat, init};
pub use metrics::{InFlight, Metrics};
pub use request_log::{RequestLine, RequestLog};
pub(crate) use trace_context::write_hex;
pub use trace_context::{IdSource, TraceContext};
