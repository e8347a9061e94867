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

use serde_json::Value;

/// Viewers known and unknown, by whom pages are compared.
fn viewers() -> Vec<String> {
    (0..19).map(|n| (1 + n * 47).to_string()).chain(["nobody-known".to_owned()]).collect()
}

/// The condition of a type, as `status reason message`.
fn condition<'a>(resource: &'a Value, kind: &str) -> (&'a str, &'a str, &'a str) {
    let conditions = resource["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = conditions.iter().find(|condition| condition["type"] == kind);
    let text = |field: &str| found.and_then(|condition| condition[field].as_str()).unwrap_or_default();
    (text("status"), text("reason"), text("message"))
}
