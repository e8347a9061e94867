//! The harness of the end-to-end tests: the runtime's binary, models trained with it, a browser, a real Kubernetes.
//!
//! Everything listens on 127.0.0.1 at a port that the system chose. Tests wait for a condition with a deadline. Dropping a
//! value ends its process.

pub mod browser;
pub mod cluster;
pub mod data;
pub mod operator;
pub mod platform;
pub mod rights;
pub mod runtime;
pub mod wait;

use serde_json::Value;

/// Result of a test or of the harness. A failed test prints the error's text.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Status, reason and message of a condition in a resource's status; each is empty if it is missing.
pub fn condition<'a>(resource: &'a Value, kind: &str) -> (&'a str, &'a str, &'a str) {
    let conditions = resource["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = conditions.iter().find(|condition| condition["type"] == kind);
    let text = |field: &str| found.and_then(|condition| condition[field].as_str()).unwrap_or_default();
    (text("status"), text("reason"), text("message"))
}

/// A client for plain HTTP on this machine.
pub fn http_client() -> Outcome<reqwest::Client> {
    // reqwest needs a provider even without TLS.
    install_crypto();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// Installs the process's provider of cryptography.
pub fn install_crypto() {
    // An error means that one is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
