//! Flags of the listeners.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use marquee_crds::shared::Duration as Text;

/// When to serve the preview page.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewWhen {
    /// If HTTP listens on a loopback address.
    Auto,
    /// Always, on any address.
    Always,
    /// Never.
    Never,
}

/// Addresses and limits of the listeners. Durations are written `50ms`, `1.5s`, `2m`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Listeners")]
pub struct TransportArgs {
    /// Address for HTTP: /v1, /v2 (Open Inference Protocol), /preview, probes and metrics. Port 0 means any free port.
    #[arg(long, env = "MARQUEE_HTTP", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub http: SocketAddr,
    /// Address for gRPC: marquee.v1, inference, health and reflection. Port 0 means any free port.
    #[arg(long, env = "MARQUEE_GRPC", default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    pub grpc: SocketAddr,
    /// When to serve the preview page. It lists viewer ids, so `auto` serves it on loopback addresses only.
    #[arg(long, env = "MARQUEE_PREVIEW", value_enum, default_value = "auto", value_name = "WHEN")]
    pub preview: PreviewWhen,
    /// Certificate chain in PEM. With --tls-key, both listeners use TLS. The file is read again when it changes.
    #[arg(long, env = "MARQUEE_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    #[arg(long, env = "MARQUEE_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Largest request body, in bytes. Larger ones get 413 over HTTP and OUT_OF_RANGE over gRPC.
    #[arg(long, env = "MARQUEE_MAX_BODY", default_value_t = 1024 * 1024, value_name = "BYTES")]
    pub max_body: usize,
    /// Largest number of connections per listener. Further ones are closed at once.
    #[arg(long, env = "MARQUEE_MAX_CONNECTIONS", default_value_t = 10_000, value_name = "N")]
    pub max_connections: usize,
    /// Longest wait for the headers of a request, and for the next request on an idle HTTP/1.1 connection.
    #[arg(long, env = "MARQUEE_HEADER_TIMEOUT", default_value = "30s", value_name = "DURATION")]
    pub header_timeout: Text,
    /// Longest wait for the body of a request. Slower ones get 408.
    #[arg(long, env = "MARQUEE_BODY_TIMEOUT", default_value = "10s", value_name = "DURATION")]
    pub body_timeout: Text,
    /// Longest wait for a client to read more of its answer.
    #[arg(long, env = "MARQUEE_WRITE_TIMEOUT", default_value = "10s", value_name = "DURATION")]
    pub write_timeout: Text,
    /// Time between SIGTERM and the end of accepting connections. `/readyz` reports not ready during this time, so that
    /// load balancers and clients can move to another process. Default: 0ms; 2s with --config.
    #[arg(long, env = "MARQUEE_DRAIN_DELAY", value_name = "DURATION")]
    pub drain_delay: Option<Text>,
    /// Longest wait for requests in flight at shutdown.
    #[arg(long, env = "MARQUEE_DRAIN_TIMEOUT", default_value = "20s", value_name = "DURATION")]
    pub drain_timeout: Text,
    /// Largest number of request log lines per second; the others are counted. 0 turns these lines off.
    #[arg(long, env = "MARQUEE_LOG_REQUESTS", default_value_t = 10, value_name = "PER_SECOND")]
    pub log_requests: u32,
}

/// Limits that protect the listeners from clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub max_body: usize,
    /// Largest number of connections per listener.
    pub max_connections: usize,
    /// Longest wait for headers.
    pub header_timeout: Duration,
    /// Longest wait for a body.
    pub body_timeout: Duration,
    /// Longest wait for a client to read more of its answer.
    pub write_timeout: Duration,
}

impl TransportArgs {
    /// Whether the preview page is served.
    pub fn has_preview(&self) -> bool {
        match self.preview {
            PreviewWhen::Auto => self.http.ip().is_loopback(),
            PreviewWhen::Always => true,
            PreviewWhen::Never => false,
        }
    }

    /// The limits among the flags.
    pub fn limits(&self) -> Limits {
        Limits {
            max_body: self.max_body,
            max_connections: self.max_connections,
            header_timeout: self.header_timeout.0,
            body_timeout: self.body_timeout.0,
            write_timeout: self.write_timeout.0,
        }
    }
}
