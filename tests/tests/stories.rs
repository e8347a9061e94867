//! What the README promises of a cluster, each a story on a real one: kubelet, scheduler, autoscaler, DNS and all.
//!
//! Each story has a namespace in which restricted Pod Security is enforced. Without root they are skipped, and say so.

#![allow(clippy::unwrap_used, reason = "a story that cannot be told has failed")]

// First by its name, since it takes longest and needs next to nothing.
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
#[path = "stories/troubles.rs"]
mod troubles;
#[path = "stories/waits.rs"]
mod waits;

use serde_json::{Value, json};

/// Where these pods are scraped, for a Prometheus that knows no Kubernetes, with the labels that the chart's monitors would give them.
fn targets<'a>(pods: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let target = |pod: &Value| {
        let address = format!("{}:8080", pod["status"]["podIP"].as_str()?);
        let labels = json!({ "namespace": pod["metadata"]["namespace"], "pod": pod["metadata"]["name"] });
        Some(json!({ "targets": [address], "labels": labels }))
    };
    pods.into_iter().filter_map(target).collect()
}
