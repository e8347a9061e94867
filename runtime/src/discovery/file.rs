//! Reads a traffic plan from a file, for rankers that run without Kubernetes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::sync::watch;
use tracing::warn;

use crate::rankers::TrafficPlan;

/// Why a file cannot be used as a traffic plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file cannot be read.
    #[error("cannot read the traffic plan {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system error.
        source: io::Error,
    },
    /// The file is not a valid plan.
    #[error("{} is not a valid traffic plan: write {{\"objectives\": {{\"<objective>\": [{{\"revision\", \"weight\", \"addresses\"}}]}}}}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parse error.
        source: serde_json::Error,
    },
}

/// Reads the plan.
///
/// # Errors
/// Fails if the file cannot be read, or if it is not a valid plan.
pub fn read(path: &Path) -> Result<TrafficPlan, PlanFileError> {
    let text = fs::read(path).map_err(|source| PlanFileError::Io { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|source| PlanFileError::Syntax { path: path.to_owned(), source })
}

/// Sends the plan in the file, and each later change of it. Reads the file every `poll`. While the file is invalid, the last
/// plan stays in use.
pub async fn follow(path: PathBuf, poll: Duration, plans: watch::Sender<Option<TrafficPlan>>) {
    let mut tick = tokio::time::interval(poll.max(Duration::from_millis(10)));
    let mut last_error = String::new();
    loop {
        tokio::select! {
            () = plans.closed() => return,
            _ = tick.tick() => {}
        }
        let at = path.clone();
        let read = tokio::task::spawn_blocking(move || read(&at)).await;
        match read {
            Ok(Ok(plan)) => {
                last_error.clear();
                plans.send_if_modified(|known| {
                    let is_new = known.as_ref() != Some(&plan);
                    if is_new {
                        *known = Some(plan);
                    }
                    is_new
                });
            }
            Ok(Err(error)) => {
                // A file may stay invalid for long, so each error is logged once.
                let error = marquee_crds::causes::Causes(&error).to_string();
                if last_error != error {
                    warn!(error, "cannot use the traffic plan file: the last plan stays in use");
                    last_error = error;
                }
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_changes_is_followed_and_a_bad_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("traffic.json");
        let write = |revision: &str| {
            let target =
                format!(r#"{{"revision":"{revision}","weight":100,"addresses":["127.0.0.1:9000"]}}"#);
            fs::write(&file, format!(r#"{{"objectives":{{"top-picks":[{target}]}}}}"#)).unwrap();
        };
        write("aa");
        let (sender, mut plans) = watch::channel(None);
        tokio::spawn(follow(file.clone(), Duration::from_millis(10), sender));
        let revision = |plans: &watch::Receiver<Option<TrafficPlan>>| {
            plans.borrow().as_ref().map(|plan| plan.objectives["top-picks"][0].revision.to_string())
        };
        plans.changed().await.unwrap();
        assert_eq!(revision(&plans).as_deref(), Some("aa"));
        fs::write(&file, r#"{"objectives":{"top-picks":[{"revison":"bb"}]}}"#).unwrap();
        assert!(matches!(read(&file), Err(PlanFileError::Syntax { .. })));
        write("bb");
        plans.changed().await.unwrap();
        assert_eq!(revision(&plans).as_deref(), Some("bb"), "the invalid plan was skipped");
    }
}
