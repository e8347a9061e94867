//! What the end-to-end tests start: the runtime's binary, models trained with it, a browser, a real Kubernetes.
//!
//! Everything listens on 127.0.0.1 at a port that the system chose, is waited for by its condition with a deadline, and is
//! ended by its process handle when its value is dropped.

pub mod browser;
pub mod cluster;
pub mod data;
pub mod operator;
pub mod platform;
pub mod rights;
pub mod runtime;
pub mod wait;

use serde_json::Value;

/// What a test or its harness gives back. The error's text is what the failed test prints.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The condition of a type in a resource's status: status, reason and message, each empty where it says nothing.
pub fn condition<'a>(resource: &'a Value, kind: &str) -> (&'a str, &'a str, &'a str) {
    let conditions = resource["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = conditions.iter().find(|condition| condition["type"] == kind);
    let text = |field: &str| found.and_then(|condition| condition[field].as_str()).unwrap_or_default();
    (text("status"), text("reason"), text("message"))
}

/// A client for plain HTTP on this machine.
pub fn http_client() -> Outcome<reqwest::Client> {
    // reqwest asks for a provider even where no connection uses TLS.
    install_crypto();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// Chooses the provider of cryptography for the process.
pub fn install_crypto() {
    // An error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
