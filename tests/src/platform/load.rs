//! A steady, bounded load on a page, inside the cluster's network.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use marquee_crds::{causes::Causes, degraded::Degraded};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{Outcome, cluster::Cluster};

/// Maximum duration of a load, so that a mistake cannot run forever.
const LONGEST: Duration = Duration::from_secs(300);

/// Results of a load.
#[derive(Debug, Default)]
pub struct Tally {
    /// Number of pages answered.
    pub answered: usize,
    /// Pages with a fallback because a model was missing or failed.
    pub degraded: usize,
    /// Pages with a fallback because of the page's deadline; a machine with busy cores causes some.
    pub late: usize,
    /// Rows with a fallback, by the reason that the page gives.
    pub fallback_rows: BTreeMap<String, usize>,
    /// Errors of failed requests.
    pub failed: Vec<String>,
}

impl Tally {
    /// An error unless there was an answer and no failure.
    pub fn none_failed(&self) -> Outcome {
        match (self.answered, self.failed.as_slice()) {
            (0, _) => Err("no request of the load was answered".into()),
            (_, []) => Ok(()),
            (answered, failed) => {
                Err(format!("{} of {} requests failed: {failed:.3?}", failed.len(), answered + failed.len())
                    .into())
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.degraded += other.degraded;
        self.late += other.late;
        for (reason, rows) in other.fallback_rows {
            *self.fallback_rows.entry(reason).or_default() += rows;
        }
        self.failed.extend(other.failed);
    }
}

/// A running load.
pub struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    work: JoinHandle<Outcome<Tally>>,
}

impl Load {
    /// Requests pages at `url` at a steady rate over `connections` open connections.
    pub(super) fn start(
        cluster: &'static Cluster,
        url: String,
        requests_per_second: u32,
        connections: usize,
    ) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (stop.clone(), answered.clone());
        let pause =
            Duration::from_secs(1) * u32::try_from(connections).unwrap_or(1) / requests_per_second.max(1);
        let work = tokio::spawn(cluster.in_network(move || async move {
            let workers = (0..connections)
                .map(|n| tokio::spawn(ask(url.clone(), (n, pause), stopped.clone(), counted.clone())));
            let mut tally = Tally::default();
            for worker in workers.collect::<Vec<_>>() {
                tally.add(worker.await??);
            }
            Ok(tally)
        }));
        Self { stop, answered, work }
    }

    /// Waits for this many more answers.
    pub async fn answers(&self, more: usize) -> Outcome {
        let goal = self.answered.load(Relaxed) + more;
        let what = "answers to the load";
        crate::wait::until_within(Duration::from_secs(120), what, async || {
            Ok((self.answered.load(Relaxed) >= goal || self.work.is_finished()).then_some(()))
        })
        .await
    }

    /// Ends the load and returns its results.
    pub async fn stop(self) -> Outcome<Tally> {
        self.stop.store(true, Relaxed);
        self.work.await?
    }
}

async fn ask(
    url: String,
    (n, pause): (usize, Duration),
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> Outcome<Tally> {
    // One client each, so that each keeps its own connection.
    let client = crate::http_client()?;
    let mut tally = Tally::default();
    let began = Instant::now();
    let mut turn = tokio::time::interval(pause);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    for viewer in (n..).step_by(7) {
        turn.tick().await;
        if stop.load(Relaxed) || began.elapsed() > LONGEST {
            break;
        }
        match page(&client, &url, &format!("{}", 1 + viewer % 943)).await {
            Ok(page) => {
                tally.answered += 1;
                answered.fetch_add(1, Relaxed);
                let rows = page["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
                let because = |reason: Degraded| rows.iter().any(|row| row["degraded"] == reason.reason());
                for reason in rows.iter().filter_map(|row| row["degraded"].as_str()) {
                    *tally.fallback_rows.entry(reason.to_owned()).or_default() += 1;
                }
                let late = because(Degraded::DeadlineMissed);
                let degraded = page["degraded"] == json!(true);
                tally.late += usize::from(late);
                tally.degraded += usize::from(
                    degraded && (!late || because(Degraded::ModelNotReady) || because(Degraded::ModelFailed)),
                );
            }
            Err(error) => tally.failed.push(format!("{:.1}s: {error}", began.elapsed().as_secs_f32())),
        }
    }
    Ok(tally)
}

async fn page(client: &reqwest::Client, url: &str, viewer: &str) -> Outcome<Value> {
    let sent = client.post(url).timeout(Duration::from_secs(5)).json(&json!({ "viewer": viewer })).send();
    let answer = sent.await.map_err(|error| Causes(&error).to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| Causes(&error).to_string())?;
    if !status.is_success() {
        return Err(format!("{status}: {text}").into());
    }
    Ok(serde_json::from_str(&text)?)
}
