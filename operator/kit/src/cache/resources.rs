//! The resources of one kind, and their claims. Each query uses an index and never scans all resources.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use kube::{Resource, api::ObjectMeta};

use crate::names::Key;

use super::{Change, Claim, ListRound, Origin, status::DecidedStatus};

/// Claim, namespace and value.
type Claimed = (Claim, Arc<str>, Box<str>);

/// All resources of one kind.
pub struct ResourceCache<R> {
    entries: HashMap<Key, Entry<R>>,
    claimants: HashMap<Claimed, BTreeMap<Arc<str>, Arc<R>>>,
    round: u32,
    claims: fn(&R) -> Vec<(Claim, &str)>,
    precedence: fn(&ObjectMeta, &ObjectMeta) -> Ordering,
}

struct Entry<R> {
    resource: Arc<R>,
    version: u64,
    round: u32,
    status: DecidedStatus,
}

fn version(object: &impl Resource) -> u64 {
    object.meta().resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}

impl<R: Resource> ResourceCache<R> {
    /// A cache without resources. `claims` returns the claims of a resource, and `precedence` says which of two resources comes first.
    pub fn new(
        claims: fn(&R) -> Vec<(Claim, &str)>,
        precedence: fn(&ObjectMeta, &ObjectMeta) -> Ordering,
    ) -> Self {
        Self { entries: HashMap::new(), claimants: HashMap::new(), round: 0, claims, precedence }
    }

    /// The resource of this name.
    pub fn get(&self, key: &Key) -> Option<Arc<R>> {
        self.entries.get(key).map(|entry| entry.resource.clone())
    }

    /// Every resource.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<R>> {
        self.entries.values().map(|entry| &entry.resource)
    }

    /// The key of every resource.
    pub fn keys(&self) -> Vec<Key> {
        self.entries.keys().cloned().collect()
    }

    /// The resources of one namespace that claim `value`, by name.
    pub fn claimants(&self, namespace: &Arc<str>, claim: Claim, value: &str) -> Vec<Arc<R>> {
        let claimed = (claim, namespace.clone(), value.into());
        self.claimants.get(&claimed).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// The first of them by precedence.
    pub fn first_claimant(&self, namespace: &Arc<str>, claim: Claim, value: &str) -> Option<Arc<R>> {
        let claimed = (claim, namespace.clone(), value.into());
        let claimants = self.claimants.get(&claimed)?.values();
        claimants.min_by(|one, other| (self.precedence)(one.meta(), other.meta())).cloned()
    }

    /// Takes a resource, and returns the change. Returns `None` if the cache knows this version or a newer one, or if `origin` may not add a
    /// resource.
    pub fn take(&mut self, resource: R, origin: Origin) -> Option<Change<R>> {
        let (key, version) = (Key::of(&resource), version(&resource));
        let known = self.entries.get_mut(&key);
        let round = match (&known, origin) {
            (_, Origin::Watch) => self.round,
            (known, Origin::Answer) => known.as_ref()?.round,
        };
        let mut status = DecidedStatus::Nothing;
        if let Some(entry) = known {
            entry.round = round;
            status = entry.status;
            if version <= entry.version && version != u64::MAX {
                return None;
            }
        }
        let resource = Arc::new(resource);
        let entry = Entry { resource: resource.clone(), version, round, status };
        let before = self.entries.insert(key.clone(), entry);
        if let Some(before) = &before {
            self.unclaim(&key, &before.resource);
        }
        for (claim, value) in (self.claims)(&resource) {
            let claimed = (claim, key.namespace.clone(), value.into());
            self.claimants.entry(claimed).or_default().insert(key.name.clone(), resource.clone());
        }
        Some(Change { key, before: before.map(|entry| entry.resource), after: Some(resource) })
    }

    /// The operator's latest decision about the status of this resource.
    pub fn decided_status(&self, key: &Key) -> DecidedStatus {
        self.entries.get(key).map(|entry| entry.status).unwrap_or_default()
    }

    /// Records that the operator decided a status with this fingerprint.
    pub fn decide_status(&mut self, key: &Key, fingerprint: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.status = DecidedStatus::Status(fingerprint);
        }
    }

    /// Records that the API server has a newer version than `resource`. Returns whether the cache knows that version.
    pub fn await_newer(&mut self, resource: &R) -> bool {
        self.entries.get_mut(&Key::of(resource)).is_some_and(|entry| {
            entry.status = DecidedStatus::Outdated;
            entry.version > version(resource)
        })
    }

    /// Removes a resource that is gone.
    pub fn remove(&mut self, key: &Key) -> Option<Change<R>> {
        let entry = self.entries.remove(key)?;
        self.unclaim(key, &entry.resource);
        Some(Change { key: key.clone(), before: Some(entry.resource), after: None })
    }

    /// Begins a list, and returns its number.
    pub fn begin_list(&mut self) -> u32 {
        self.round += 1;
        self.round
    }

    /// Ends a list: removes the resources that it did not contain.
    pub fn end_list(&mut self, list: ListRound<'_>) -> Vec<Change<R>> {
        let stale = self.entries.iter().filter(|(_, entry)| entry.round < list.round).map(|(key, _)| key);
        let stale: Vec<Key> = stale.filter(|key| list.covers(&key.namespace)).cloned().collect();
        stale.iter().filter_map(|key| self.remove(key)).collect()
    }

    fn unclaim(&mut self, key: &Key, resource: &R) {
        for (claim, value) in (self.claims)(resource) {
            let claimed = (claim, key.namespace.clone(), value.into());
            if let Some(claimants) = self.claimants.get_mut(&claimed) {
                claimants.remove(&key.name);
                if claimants.is_empty() {
                    self.claimants.remove(&claimed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::ResourceExt as _;
    use serde_json::json;

    use super::*;

    const OBJECTIVE: Claim = Claim("objective");
    const SURFACE: Claim = Claim("surface");

    fn claims(model: &ConfigMap) -> Vec<(Claim, &str)> {
        let labels = model.metadata.labels.as_ref().unwrap();
        [OBJECTIVE, SURFACE].map(|claim| (claim, labels[claim.0].as_str())).into()
    }

    /// A cache of ConfigMaps, whose labels are their claims.
    fn cache() -> ResourceCache<ConfigMap> {
        ResourceCache::new(claims, |one, other| one.creation_timestamp.cmp(&other.creation_timestamp))
    }

    fn model(name: &str, objective: &str, version: u64, created: &str) -> ConfigMap {
        let labels = json!({"objective": objective, "surface": "home"});
        let metadata = json!({
            "name": name, "namespace": "n", "labels": labels,
            "resourceVersion": version.to_string(), "creationTimestamp": created,
        });
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    #[test]
    fn the_oldest_of_those_who_claim_an_objective_is_found() {
        let namespace: Arc<str> = "n".into();
        let mut models = cache();
        models.take(model("b", "top", 1, "2026-01-02T00:00:00Z"), Origin::Watch);
        models.take(model("a", "top", 2, "2026-01-03T00:00:00Z"), Origin::Watch);
        let oldest = |models: &ResourceCache<ConfigMap>| {
            models.first_claimant(&namespace, OBJECTIVE, "top").map(|model| model.name_any())
        };
        assert_eq!(oldest(&models).as_deref(), Some("b"));
        models.take(model("b", "other", 3, "2026-01-02T00:00:00Z"), Origin::Watch);
        assert_eq!(oldest(&models).as_deref(), Some("a"), "b claims another objective now");
        assert_eq!(models.claimants(&namespace, SURFACE, "home").len(), 2);
        models.remove(&Key::new("n", "a"));
        assert_eq!(oldest(&models), None);
    }

    #[test]
    fn what_is_older_than_what_is_known_is_passed_over() {
        let mut models = cache();
        assert!(models.take(model("a", "top", 5, "2026-01-01T00:00:00Z"), Origin::Watch).is_some());
        assert!(models.take(model("a", "top", 4, "2026-01-01T00:00:00Z"), Origin::Watch).is_none());
        assert!(
            models
                .take(model("a", "top", 6, "2026-01-01T00:00:00Z"), Origin::Watch)
                .unwrap()
                .before
                .is_some()
        );
        let round = models.begin_list();
        assert!(models.end_list(ListRound { round, namespace: Some("other") }).is_empty());
        assert_eq!(
            models.end_list(ListRound { round, namespace: None }).len(),
            1,
            "a new list did not name it"
        );
    }

    #[test]
    fn a_version_that_a_write_met_is_awaited_unless_it_is_known() {
        let (mut models, key) = (cache(), Key::new("n", "a"));
        let version = |version| model("a", "top", version, "2026-01-01T00:00:00Z");
        models.take(version(5), Origin::Watch);
        assert!(!models.decided_status(&key).is_not(|| 1), "nothing is decided yet");
        models.decide_status(&key, 1);
        models.take(version(6), Origin::Watch);
        assert!(models.decided_status(&key).is_not(|| 2) && !models.decided_status(&key).is_not(|| 1));
        assert!(!models.await_newer(&version(6)), "the watch is behind");
        models.take(version(7), Origin::Watch);
        assert!(models.decided_status(&key).is_not(|| 1), "whatever its status");
        assert!(models.await_newer(&version(6)), "the watch was faster than the answer");
        models.remove(&key);
        assert!(!models.await_newer(&version(6)), "there is nothing to wait for");
    }

    #[test]
    fn an_answer_that_comes_late_brings_nothing_back() {
        let mut models = cache();
        models.take(model("a", "top", 5, "2026-01-01T00:00:00Z"), Origin::Watch);
        assert!(models.take(model("a", "top", 6, "2026-01-01T00:00:00Z"), Origin::Answer).is_some());
        models.begin_list();
        assert!(models.take(model("a", "top", 7, "2026-01-01T00:00:00Z"), Origin::Answer).is_some());
        assert_eq!(
            models.end_list(ListRound { round: 1, namespace: None }).len(),
            1,
            "the list did not name it"
        );
        assert!(
            models.take(model("a", "top", 8, "2026-01-01T00:00:00Z"), Origin::Answer).is_none(),
            "it is gone"
        );
        assert_eq!(models.iter().count(), 0);
    }
}
