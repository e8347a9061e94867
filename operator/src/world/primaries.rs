//! The resources that the operator reconciles, and who else claims what they claim. Every question is answered without looking at
//! all of them.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use kube::{Resource, ResourceExt as _};
use marquee_crds::{PageLayout, RankingModel, pod_config};

use super::Key;

/// What a resource claims in its namespace: an objective or a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// To answer to an objective. Of those who claim it, the oldest does.
    Objective,
    /// To serve, or to rank for, a surface.
    Surface,
}

/// A resource whose claims are indexed.
pub trait Claims: Resource<DynamicType = ()> + Send + Sync + 'static {
    /// What it claims.
    fn claims(&self) -> Vec<(Claim, &str)>;
}

impl Claims for RankingModel {
    fn claims(&self) -> Vec<(Claim, &str)> {
        vec![(Claim::Objective, &self.spec.objective), (Claim::Surface, &self.spec.surface)]
    }
}

impl Claims for PageLayout {
    fn claims(&self) -> Vec<(Claim, &str)> {
        vec![(Claim::Surface, &self.spec.surface)]
    }
}

type Claimed = (Claim, Arc<str>, Box<str>);

/// All resources of one kind.
pub struct Primaries<K> {
    all: HashMap<Key, Held<K>>,
    claimants: HashMap<Claimed, BTreeMap<Arc<str>, Arc<K>>>,
    round: u32,
}

struct Held<K> {
    object: Arc<K>,
    version: u64,
    round: u32,
}

impl<K> Default for Primaries<K> {
    fn default() -> Self {
        Self { all: HashMap::new(), claimants: HashMap::new(), round: 0 }
    }
}

/// What became of a resource: as it was, as it is.
pub struct Change<K> {
    /// Which.
    pub key: Key,
    /// Before, if it was known.
    pub before: Option<Arc<K>>,
    /// Now, if it still exists.
    pub after: Option<Arc<K>>,
}

/// The name of a resource in its namespace.
pub fn key<K: Resource>(object: &K) -> Key {
    Key::new(object.meta().namespace.as_deref().unwrap_or_default(), &object.name_any())
}

fn version<K: Resource>(object: &K) -> u64 {
    object.meta().resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}

impl<K: Claims> Primaries<K> {
    /// The resource of this name.
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.all.get(key).map(|held| held.object.clone())
    }

    /// Every resource.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<K>> {
        self.all.values().map(|held| &held.object)
    }

    /// Those of one namespace that claim the same, by name.
    pub fn claimants(&self, namespace: &Arc<str>, claim: Claim, what: &str) -> Vec<Arc<K>> {
        let claimed = (claim, namespace.clone(), what.into());
        self.claimants.get(&claimed).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// The first of them: the oldest.
    pub fn oldest(&self, namespace: &Arc<str>, claim: Claim, what: &str) -> Option<Arc<K>> {
        let claimed = (claim, namespace.clone(), what.into());
        self.claimants.get(&claimed)?.values().min_by(|one, other| older(one, other)).cloned()
    }

    /// Takes what a watch or an answer told; none where that is older than what is known.
    pub fn take(&mut self, object: K) -> Option<Change<K>> {
        let (key, version, round) = (key(&object), version(&object), self.round);
        if let Some(held) = self.all.get_mut(&key) {
            held.round = round;
            if version <= held.version && version != u64::MAX {
                return None;
            }
        }
        let object = Arc::new(object);
        let before = self.all.insert(key.clone(), Held { object: object.clone(), version, round });
        if let Some(before) = &before {
            self.unclaim(&key, &before.object);
        }
        for (claim, what) in object.claims() {
            let claimed = (claim, key.namespace.clone(), what.into());
            self.claimants.entry(claimed).or_default().insert(key.name.clone(), object.clone());
        }
        Some(Change { key, before: before.map(|held| held.object), after: Some(object) })
    }

    /// Takes the answer to an own write; none where the resource is gone by now, or newer. An answer is no word of a list: what a list
    /// does not name goes, whatever was answered meanwhile.
    pub fn take_answer(&mut self, object: K) -> Option<Change<K>> {
        let key = key(&object);
        let round = self.all.get(&key)?.round;
        let change = self.take(object);
        self.all.entry(key).and_modify(|held| held.round = round);
        change
    }

    /// The resource is gone.
    pub fn lose(&mut self, key: &Key) -> Option<Change<K>> {
        let held = self.all.remove(key)?;
        self.unclaim(key, &held.object);
        Some(Change { key: key.clone(), before: Some(held.object), after: None })
    }

    /// A list begins.
    pub fn begin(&mut self) -> u32 {
        self.round += 1;
        self.round
    }

    /// A list has ended that began as `round`: drops what of this namespace (all, if none) it did not name.
    pub fn end(&mut self, round: u32, namespace: Option<&str>) -> Vec<Change<K>> {
        let listed = |key: &&Key| namespace.is_none_or(|namespace| *namespace == *key.namespace);
        let stale = self.all.iter().filter(|(_, held)| held.round < round).map(|(key, _)| key);
        let stale: Vec<Key> = stale.filter(listed).cloned().collect();
        stale.iter().filter_map(|key| self.lose(key)).collect()
    }

    fn unclaim(&mut self, key: &Key, object: &K) {
        for (claim, what) in object.claims() {
            let claimed = (claim, key.namespace.clone(), what.into());
            if let Some(claimants) = self.claimants.get_mut(&claimed) {
                claimants.remove(&key.name);
                if claimants.is_empty() {
                    self.claimants.remove(&claimed);
                }
            }
        }
    }
}

fn older<K: Resource>(one: &Arc<K>, other: &Arc<K>) -> Ordering {
    pod_config::older(one.meta(), other.meta())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(name: &str, objective: &str, version: u64, created: &str) -> RankingModel {
        let model = json!({
            "apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel",
            "metadata": {"name": name, "namespace": "n", "resourceVersion": version.to_string(), "creationTimestamp": created},
            "spec": {"surface": "home", "objective": objective, "artifact": {"uri": "s3://b/a", "sha256": "0".repeat(64)}},
        });
        serde_json::from_value(model).unwrap()
    }

    #[test]
    fn the_oldest_of_those_who_claim_an_objective_is_found() {
        let namespace: Arc<str> = "n".into();
        let mut models = Primaries::default();
        models.take(model("b", "top", 1, "2026-01-02T00:00:00Z"));
        models.take(model("a", "top", 2, "2026-01-03T00:00:00Z"));
        let oldest = |models: &Primaries<RankingModel>| {
            models.oldest(&namespace, Claim::Objective, "top").map(|model| model.name_any())
        };
        assert_eq!(oldest(&models).as_deref(), Some("b"));
        models.take(model("b", "other", 3, "2026-01-02T00:00:00Z"));
        assert_eq!(oldest(&models).as_deref(), Some("a"), "b claims another objective now");
        assert_eq!(models.claimants(&namespace, Claim::Surface, "home").len(), 2);
        models.lose(&Key::new("n", "a"));
        assert_eq!(oldest(&models), None);
    }

    #[test]
    fn what_is_older_than_what_is_known_is_passed_over() {
        let mut models = Primaries::default();
        assert!(models.take(model("a", "top", 5, "2026-01-01T00:00:00Z")).is_some());
        assert!(models.take(model("a", "top", 4, "2026-01-01T00:00:00Z")).is_none());
        assert!(models.take(model("a", "top", 6, "2026-01-01T00:00:00Z")).unwrap().before.is_some());
        let round = models.begin();
        assert!(models.end(round, Some("other")).is_empty());
        assert_eq!(models.end(round, None).len(), 1, "a new list did not name it");
    }

    #[test]
    fn an_answer_that_comes_late_brings_nothing_back() {
        let mut models = Primaries::default();
        models.take(model("a", "top", 5, "2026-01-01T00:00:00Z"));
        assert!(models.take_answer(model("a", "top", 6, "2026-01-01T00:00:00Z")).is_some());
        models.begin();
        assert!(models.take_answer(model("a", "top", 7, "2026-01-01T00:00:00Z")).is_some());
        assert_eq!(models.end(1, None).len(), 1, "the list did not name it");
        assert!(models.take_answer(model("a", "top", 8, "2026-01-01T00:00:00Z")).is_none(), "it is gone");
        assert_eq!(models.iter().count(), 0);
    }
}
