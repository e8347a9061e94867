//! A traffic plan in a file: for those who run rankers without Kubernetes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::sync::watch;
use tracing::warn;

use crate::rankers::TrafficPlan;

/// Why a file says no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The system refuses.
    #[error("cannot read the traffic plan {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// It is no plan.
    #[error("{} is no traffic plan: write {{\"objectives\": {{\"<objective>\": [{{\"revision\", \"weight\", \"addresses\"}}]}}}}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        source: serde_json::Error,
    },
}

/// Reads the plan.
///
/// # Errors
/// When the file cannot be read, or is no plan.
pub fn read(path: &Path) -> Result<TrafficPlan, PlanFileError> {
    let text = fs::read(path).map_err(|source| PlanFileError::Io { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|source| PlanFileError::Syntax { path: path.to_owned(), source })
}

/// Tells the plan of the file, and each other one that it says later; it is looked at every `poll`. What is no plan leaves the
/// last one in use.
pub async fn follow(path: PathBuf, poll: Duration, plans: watch::Sender<Option<TrafficPlan>>) {
    let mut tick = tokio::time::interval(poll.max(Duration::from_millis(10)));
    let mut complained = String::new();
    loop {
        tokio::select! {
            () = plans.closed() => return,
            _ = tick.tick() => {}
        }
        let at = path.clone();
        let read = tokio::task::spawn_blocking(move || read(&at)).await;
        match read {
            Ok(Ok(plan)) => {
                complained.clear();
                plans.send_if_modified(|known| {
                    let is_new = known.as_ref() != Some(&plan);
                    if is_new {
                        *known = Some(plan);
                    }
                    is_new
                });
            }
            Ok(Err(error)) => {
                // A file is replaced in two steps by some, and stays wrong for long by others: told once.
                let told = crate::service::causes::Causes(&error).to_string();
                if complained != told {
                    warn!(error = told, "the last traffic plan stays in use");
                    complained = told;
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
        let (tell, mut told) = watch::channel(None);
        tokio::spawn(follow(file.clone(), Duration::from_millis(10), tell));
        let revision = |told: &watch::Receiver<Option<TrafficPlan>>| {
            told.borrow().as_ref().map(|plan| plan.objectives["top-picks"][0].revision.to_string())
        };
        told.changed().await.unwrap();
        assert_eq!(revision(&told).as_deref(), Some("aa"));
        fs::write(&file, r#"{"objectives":{"top-picks":[{"revison":"bb"}]}}"#).unwrap();
        assert!(matches!(read(&file), Err(PlanFileError::Syntax { .. })));
        write("bb");
        told.changed().await.unwrap();
        assert_eq!(revision(&told).as_deref(), Some("bb"), "the bad one was passed over");
    }
}
