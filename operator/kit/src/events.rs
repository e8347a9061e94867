//! Kubernetes events: one for each transition, with a count if it happens again.

use std::{
    borrow::Cow,
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
use parking_lot::Mutex;
use serde_json::json;
use tracing::{debug, info};

use crate::names::Names;

/// How long a repetition only increases the count of the published event.
const SAME_FOR: Duration = Duration::from_secs(600);
/// Maximum number of remembered events.
const REMEMBERED: usize = 4096;
/// Longest note that the API accepts, in bytes.
const LONGEST_NOTE: usize = 1024;

/// A transition that gets an event.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Transition<'a> {
    /// Whether it is a warning.
    pub warning: bool,
    /// One word.
    pub reason: &'a str,
    /// What was done or found, in UpperCamelCase verbs, such as `MoveTraffic`.
    pub action: &'a str,
    /// One sentence.
    pub note: &'a str,
}

/// Publishes events.
pub struct Events {
    client: Client,
    names: Names,
    instance: String,
    published: Mutex<HashMap<u64, Published>>,
}

struct Published {
    name: String,
    count: i32,
    at: Instant,
}

impl Events {
    /// Events that name `instance` as their source.
    pub fn new(client: Client, names: Names, instance: String) -> Self {
        Self { client, names, instance, published: Mutex::default() }
    }

    /// Publishes a transition. It is not an error if the API server accepts no events.
    pub async fn publish(&self, regarding: &ObjectReference, transition: Transition<'_>) {
        let Transition { reason, note, .. } = transition;
        info!(
            kind = regarding.kind,
            name = regarding.name,
            namespace = regarding.namespace,
            reason,
            note,
            "transition"
        );
        let namespace = regarding.namespace.as_deref().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let now = MicroTime(Timestamp::now());
        let accepted = match self.remember(regarding, transition, &now) {
            (name, 1) => {
                let event = self.event(name, regarding, transition, now);
                tokio::time::timeout(TIMEOUT, api.create(&PostParams::default(), &event))
                    .await
                    .map(|r| r.map(drop))
            }
            (name, count) => {
                let series = EventSeries { count, last_observed_time: now };
                let patch = Patch::Merge(json!({ "series": series }));
                tokio::time::timeout(TIMEOUT, api.patch(&name, &PatchParams::default(), &patch))
                    .await
                    .map(|r| r.map(drop))
            }
        };
        if !matches!(accepted, Ok(Ok(()))) {
            debug!(?accepted, "cannot publish an event");
        }
    }

    /// The name of the event, and how often it happened.
    fn remember(
        &self,
        regarding: &ObjectReference,
        transition: Transition<'_>,
        now: &MicroTime,
    ) -> (String, i32) {
        let mut published = self.published.lock();
        if published.len() >= REMEMBERED {
            published.retain(|_, event| event.at.elapsed() < SAME_FOR);
        }
        if published.len() >= REMEMBERED {
            published.clear();
        }
        match published.entry(key(regarding, transition)) {
            hash_map::Entry::Occupied(mut same) if same.get().at.elapsed() < SAME_FOR => {
                let same = same.get_mut();
                (same.count, same.at) = (same.count + 1, Instant::now());
                (same.name.clone(), same.count)
            }
            entry => {
                let resource = regarding.name.as_deref().unwrap_or_default();
                let name = format!("{resource}.{:x}", now.0.as_nanosecond());
                entry.insert_entry(Published { name: name.clone(), count: 1, at: Instant::now() });
                (name, 1)
            }
        }
    }

    fn event(
        &self,
        name: String,
        regarding: &ObjectReference,
        transition: Transition<'_>,
        now: MicroTime,
    ) -> Event {
        Event {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: regarding.namespace.clone(),
                ..ObjectMeta::default()
            },
            type_: Some(if transition.warning { "Warning" } else { "Normal" }.into()),
            reason: Some(transition.reason.into()),
            action: Some(transition.action.into()),
            note: Some(clip(transition.note).into()),
            regarding: Some(regarding.clone()),
            event_time: Some(now),
            reporting_controller: Some(self.names.reporter()),
            reporting_instance: Some(self.instance.chars().take(128).collect()),
            ..Event::default()
        }
    }
}

const TIMEOUT: Duration = Duration::from_secs(5);

fn key(regarding: &ObjectReference, transition: Transition<'_>) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (&regarding.uid, transition.reason, transition.action, transition.note).hash(&mut hasher);
    hasher.finish()
}

/// The note, cut after a word if it is too long.
fn clip(note: &str) -> Cow<'_, str> {
    const MORE: &str = " …";
    if note.len() <= LONGEST_NOTE {
        return note.into();
    }
    let most = LONGEST_NOTE - MORE.len();
    let whole = (0..=most).rev().find(|&at| note.is_char_boundary(at)).unwrap_or(0);
    let kept = &note[..whole];
    let words = kept.rfind(' ').filter(|&at| at > whole / 2).map_or(kept, |at| &kept[..at]);
    format!("{words}{MORE}").into()
}

#[cfg(test)]
mod tests {
    use super::clip;

    #[test]
    fn a_long_note_is_cut_behind_a_word() {
        assert_eq!(clip("short"), "short");
        let words = clip(&"word ".repeat(300)).into_owned();
        assert!(words.len() <= 1024 && words.ends_with("word …"), "{words}");
        for one_word in ["ä".repeat(600), format!("a{}", "ä".repeat(600))] {
            let cut = clip(&one_word).into_owned();
            assert!((1020..=1024).contains(&cut.len()) && cut.ends_with('…'), "{}", cut.len());
        }
    }
}
