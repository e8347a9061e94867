//! Events of Kubernetes: one for each thing that happened, and a count where it happens again.

use std::{
    collections::{HashMap, hash_map},
    time::{Duration, Instant},
};

use k8s_openapi::{
    api::{
        core::v1::ObjectReference,
        events::v1::{Event, EventSeries},
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use marquee_crds::labels;
use parking_lot::Mutex;
use serde_json::json;
use tracing::{debug, info};

use crate::transition::TransitionEvent as Happening;

/// How long the same is counted instead of told again.
const SAME_FOR: Duration = Duration::from_secs(600);
/// Most that are remembered.
const REMEMBERED: usize = 4096;
/// Longest note that the API takes, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Where people are told.
pub struct Events {
    client: Client,
    instance: String,
    told: Mutex<HashMap<u64, Told>>,
}

struct Told {
    name: String,
    count: i32,
    at: Instant,
}

impl Events {
    /// Events that say that they come from `instance`.
    pub fn new(client: Client, instance: String) -> Self {
        Self { client, instance, told: Mutex::default() }
    }

    /// Tells of it. An API server that takes no events stops nothing.
    pub async fn tell(&self, regarding: &ObjectReference, happening: &Happening) {
        let Happening { reason, note, .. } = happening;
        info!(kind = regarding.kind, name = regarding.name, namespace = regarding.namespace, %reason, note, "happened");
        let namespace = regarding.namespace.as_deref().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let now = MicroTime(Timestamp::now());
        let known = self.remember(regarding, happening, &now);
        let taken = match known {
            (name, 1) => {
                let event = self.event(name, regarding, happening, now);
                tokio::time::timeout(SHORT, api.create(&PostParams::default(), &event))
                    .await
                    .map(|r| r.map(drop))
            }
            (name, count) => {
                let series = EventSeries { count, last_observed_time: now };
                let patch = Patch::Merge(json!({ "series": series }));
                tokio::time::timeout(SHORT, api.patch(&name, &PatchParams::default(), &patch))
                    .await
                    .map(|r| r.map(drop))
            }
        };
        if !matches!(taken, Ok(Ok(()))) {
            debug!(?taken, "the API server took no event");
        }
    }

    fn remember(&self, regarding: &ObjectReference, happening: &Happening, now: &MicroTime) -> (String, i32) {
        let mut told = self.told.lock();
        if told.len() >= REMEMBERED {
            told.retain(|_, told| told.at.elapsed() < SAME_FOR);
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        match told.entry(key(regarding, happening)) {
            hash_map::Entry::Occupied(mut same) if same.get().at.elapsed() < SAME_FOR => {
                let same = same.get_mut();
                (same.count, same.at) = (same.count + 1, Instant::now());
                (same.name.clone(), same.count)
            }
            entry => {
                let of = regarding.name.as_deref().unwrap_or_default();
                let name = format!("{of}.{:x}", now.0.as_nanosecond());
                entry.insert_entry(Told { name: name.clone(), count: 1, at: Instant::now() });
                (name, 1)
            }
        }
    }

    fn event(
        &self,
        name: String,
        regarding: &ObjectReference,
        happening: &Happening,
        now: MicroTime,
    ) -> Event {
        Event {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: regarding.namespace.clone(),
                ..ObjectMeta::default()
            },
            type_: Some(if happening.warning { "Warning" } else { "Normal" }.into()),
            reason: Some(happening.reason.as_str().into()),
            action: Some(happening.action.into()),
            note: Some(clip(&happening.note).into()),
            regarding: Some(regarding.clone()),
            event_time: Some(now),
            reporting_controller: Some(format!("{}/{}", marquee_crds::GROUP, labels::OPERATOR)),
            reporting_instance: Some(self.instance.chars().take(128).collect()),
            ..Event::default()
        }
    }
}

const SHORT: Duration = Duration::from_secs(5);

fn key(regarding: &ObjectReference, happening: &Happening) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (&regarding.uid, happening.reason, happening.action, &happening.note).hash(&mut hasher);
    hasher.finish()
}

fn clip(note: &str) -> &str {
    let keep = (0..=LONGEST_NOTE.min(note.len())).rev().find(|&at| note.is_char_boundary(at));
    &note[..keep.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::clip;

    #[test]
    fn a_long_note_is_cut_where_a_letter_ends() {
        assert_eq!(clip("short"), "short");
        assert_eq!(clip(&"ä".repeat(600)).len(), 1024);
        assert_eq!(clip(&format!("a{}", "ä".repeat(600))).len(), 1023);
    }
}
