//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

use crate::Outcome;

/// Long enough for a loaded machine, short enough to be noticed.
pub const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until the answer is `Some`, and gives up after [`PATIENCE`], naming what was waited for.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(format!("waited {PATIENCE:?} for {what}").into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
