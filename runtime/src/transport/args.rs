//! Flags of the listeners.

use std::{path::PathBuf, time::Duration};

use marquee_crds::{listen_address::ListenAddress, shared::Duration as Text};

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
    /// Address for HTTP: /v1, /v2 (Open Inference Protocol), /preview, probes and metrics. `localhost:8080` and
    /// `[::1]:8080` are for this machine, `:8080` is for all its addresses, IPv4 and IPv6. Port 0 means any free port.
    #[arg(long, env = "MARQUEE_HTTP", default_value = "localhost:8080", value_name = "ADDRESS")]
    pub http: ListenAddress,
    /// Address for gRPC: marquee.v1, inference, health and reflection. Written as for --http.
    #[arg(long, env = "MARQUEE_GRPC", default_value = "localhost:8081", value_name = "ADDRESS")]
    pub grpc: ListenAddress,
    /// When to serve the preview page. It lists viewer ids, so `auto` serves it on loopback addresses only.
    #[arg(long, env = "MARQUEE_PREVIEW", value_enum, default_value = "auto", value_name = "WHEN")]
    pub preview: PreviewWhen,
    /// Certificate chain in PEM. With --tls-key, both listeners use TLS. The file is read again when it changes.
    #[arg(long, env = "MARQUEE_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    #[arg(long, env = "MARQUEE_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Largest request body, in bytes, after decompression. Larger ones get 413 over HTTP and OUT_OF_RANGE over gRPC.
    #[arg(long, env = "MARQUEE_MAX_BODY", default_value_t = 4 * 1024 * 1024, value_name = "BYTES")]
    pub max_body: usize,
    /// What raises that limit, for the message of a request over it: this flag, or a field of the resource that a pod serves.
    #[arg(skip = "--max-body")]
    pub max_body_setting: &'static str,
    /// Largest number of connections per listener. Further ones are closed at once.
    #[arg(long, env = "MARQUEE_MAX_CONNECTIONS", default_value_t = 10_000, value_name = "N")]
    pub max_connections: usize,
    /// Age at which a connection closes, between 90% and 110% of this, so that clients spread over new pods. HTTP/2 gets
    /// GOAWAY, HTTP/1.1 gets `connection: close` with its next answer. Requests in flight finish. 0s means no limit.
    #[arg(long, env = "MARQUEE_MAX_CONNECTION_AGE", default_value = "5m", value_name = "DURATION")]
    pub max_connection_age: Text,
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
    /// What raises that limit.
    pub max_body_setting: &'static str,
    /// Largest number of connections per listener.
    pub max_connections: usize,
    /// Age at which a connection closes, with jitter. Zero means never.
    pub max_connection_age: Duration,
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
            PreviewWhen::Auto => self.http.is_loopback(),
            PreviewWhen::Always => true,
            PreviewWhen::Never => false,
        }
    }

    /// The limits among the flags.
    pub fn limits(&self) -> Limits {
        Limits {
            max_body: self.max_body,
            max_body_setting: self.max_body_setting,
            max_connections: self.max_connections,
            max_connection_age: self.max_connection_age.0,
            header_timeout: self.header_timeout.0,
            body_timeout: self.body_timeout.0,
            write_timeout: self.write_timeout.0,
        }
    }
}
