use std::time::Duration;

use super::Limits;

/// Limits that tests do not reach by accident.
pub(super) fn limits() -> Limits {
    Limits {
        max_body: 1 << 20,
        max_body_setting: "--max-body",
        max_connections: 100,
        max_connection_age: Duration::ZERO,
        header_timeout: Duration::from_secs(5),
        body_timeout: Duration::from_secs(5),
        write_timeout: Duration::from_secs(5),
    }
}
