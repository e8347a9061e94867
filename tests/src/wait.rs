//! Waits for a condition, never for a fixed time.

use std::time::{Duration, Instant};

use crate::Outcome;

/// Long enough for a loaded machine, short enough to be noticed.
pub const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Polls until the answer is `Some`. After [`PATIENCE`] it fails and names what it waited for.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    until_within(PATIENCE, what, ask).await
}

/// The same with another limit, for conditions that take longer.
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Outcome<Option<T>>,
) -> Outcome<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(format!("waited {patience:?} for {what}").into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Retries without an async runtime until it succeeds. After [`PATIENCE`] it returns the last error.
#[expect(
    clippy::disallowed_methods,
    reason = "the pause between two looks at a condition that has a deadline"
)]
pub fn retry<T, E>(mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Err(_) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
}
