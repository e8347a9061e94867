//! The promises that the README makes about a cluster, each as a story on a real one with kubelet, scheduler, autoscaler and DNS.
//!
//! Each story has its own namespace with restricted Pod Security. Without root, stories are skipped and say so.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

// Its name puts it first: it takes longest and needs hardly any CPU.
#[path = "stories/asleep.rs"]
mod asleep;
#[path = "stories/autoscaling.rs"]
mod autoscaling;
#[path = "stories/control_plane.rs"]
mod control_plane;
#[path = "stories/deleted.rs"]
mod deleted;
#[path = "stories/drained.rs"]
mod drained;
#[path = "stories/eyes.rs"]
mod eyes;
#[path = "stories/fallback.rs"]
mod fallback;
#[path = "stories/hand_over.rs"]
mod hand_over;
#[path = "stories/in_flight.rs"]
mod in_flight;
#[path = "stories/killed.rs"]
mod killed;
#[path = "stories/revisions.rs"]
mod revisions;
#[path = "stories/same_page.rs"]
mod same_page;
#[path = "stories/store.rs"]
mod store;
#[path = "stories/strict_pods.rs"]
mod strict_pods;
#[path = "stories/troubles.rs"]
mod troubles;
#[path = "stories/waits.rs"]
mod waits;

use serde_json::{Value, json};

/// Scrape targets of these pods, for a Prometheus without service discovery. They have the labels that the chart's monitors set.
fn targets<'a>(pods: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let target = |pod: &Value| {
        let address = format!("{}:8080", pod["status"]["podIP"].as_str()?);
        let labels = json!({ "namespace": pod["metadata"]["namespace"], "pod": pod["metadata"]["name"] });
        Some(json!({ "targets": [address], "labels": labels }))
    };
    pods.into_iter().filter_map(target).collect()
}
