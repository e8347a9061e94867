//! The pods of the operator's Deployments, by resource.

use std::collections::HashMap;

use marquee_operator_kit::{
    Key, ResourceId, ResourceKind,
    cache::{ListRound, raw::Head},
};

use crate::observed::{Loading, PodFacts};

/// A label that names the resource of a pod.
#[derive(Clone, Copy, Debug)]
pub struct PodLabel {
    /// Its key; the value is the resource's name.
    pub key: &'static str,
    /// The resource's kind.
    pub kind: ResourceKind,
}

/// A pod that runs and is not ready yet.
#[derive(Debug, PartialEq, Eq)]
pub struct StartingPod {
    /// The resource that it belongs to.
    pub parent: ResourceId,
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: String,
}

/// Every pod that the watches reported.
pub struct PodCache {
    labels: &'static [PodLabel],
    by_parent: HashMap<ResourceId, Vec<Entry>>,
    round: u32,
}

struct Entry {
    facts: PodFacts,
    version: u64,
    round: u32,
}

impl PodCache {
    /// A cache without pods. The first of `labels` that a pod has names its resource.
    pub fn new(labels: &'static [PodLabel]) -> Self {
        Self { labels, by_parent: HashMap::new(), round: 0 }
    }

    fn parent(&self, head: &Head) -> Option<ResourceId> {
        let named = |label: &PodLabel| Some((label.kind, head.labels.get(label.key)?));
        let (kind, name) = self.labels.iter().find_map(named)?;
        Some(ResourceId::new(kind, Key::new(&head.namespace, name)))
    }

    /// The facts of the pods of one resource.
    pub fn facts_of(&self, parent: &ResourceId) -> Vec<PodFacts> {
        let entries = self.by_parent.get(parent);
        entries.into_iter().flatten().map(|entry| entry.facts.clone()).collect()
    }

    /// Takes a pod, and returns its resource if the pod has changed.
    pub fn take(&mut self, head: &Head, mut facts: PodFacts) -> Option<ResourceId> {
        let parent = self.parent(head)?;
        let version = head.version().unwrap_or(u64::MAX);
        let round = self.round;
        let entries = self.by_parent.entry(parent.clone()).or_default();
        match entries.iter_mut().find(|entry| entry.facts.name == facts.name) {
            None => entries.push(Entry { facts, version, round }),
            Some(entry) => {
                entry.round = round;
                // The operator asks the pod itself for its progress. The load ends when the pod is ready.
                facts.loading = entry.facts.loading.take().filter(|_| !facts.ready);
                let same = entry.facts == PodFacts { loading: None, ..facts.clone() };
                (entry.facts, entry.version) = (facts, version);
                if same {
                    return None;
                }
            }
        }
        Some(parent)
    }

    /// Removes a pod that is gone.
    pub fn remove(&mut self, head: &Head) -> Option<ResourceId> {
        let parent = self.parent(head)?;
        let entries = self.by_parent.get_mut(&parent)?;
        entries.retain(|entry| entry.facts.name != head.name);
        if entries.is_empty() {
            self.by_parent.remove(&parent);
        }
        Some(parent)
    }

    /// Begins a list, and returns its number.
    pub fn begin_list(&mut self) -> u32 {
        self.round += 1;
        self.round
    }

    /// Ends a list: removes the pods that it did not contain.
    pub fn end_list(&mut self, list: ListRound<'_>) -> Vec<ResourceId> {
        let mut gone = Vec::new();
        self.by_parent.retain(|parent, entries| {
            let is_listed = list.covers(&parent.key.namespace);
            let before = entries.len();
            entries.retain(|entry| !is_listed || entry.round >= list.round);
            if entries.len() < before {
                gone.push(parent.clone());
            }
            !entries.is_empty()
        });
        gone
    }

    /// Pods that run and are not ready yet.
    pub fn starting(&self) -> Vec<StartingPod> {
        let starting = self.by_parent.iter().flat_map(|(parent, entries)| {
            let pods = entries.iter().map(|entry| &entry.facts);
            let pods = pods.filter(|pod| !pod.ready && !pod.deleting && pod.waiting.is_none());
            pods.filter_map(|pod| {
                Some(StartingPod { parent: parent.clone(), name: pod.name.clone(), ip: pod.ip.clone()? })
            })
        });
        starting.collect()
    }

    /// Takes the progress that a pod reported, and returns whether it has changed.
    pub fn take_loading(&mut self, parent: &ResourceId, name: &str, loading: Option<Loading>) -> bool {
        let entries = self.by_parent.get_mut(parent).into_iter().flatten();
        let Some(entry) = entries.into_iter().find(|entry| entry.facts.name == name && !entry.facts.ready)
        else {
            return false;
        };
        let news = entry.facts.loading != loading;
        entry.facts.loading = loading;
        news
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use marquee_crds::labels;

    use super::*;

    const LABELS: [PodLabel; 2] = [
        PodLabel { key: labels::LAYOUT, kind: ResourceKind::new("PageLayout") },
        PodLabel { key: labels::MODEL, kind: ResourceKind::new("RankingModel") },
    ];

    fn head(name: &str, label: &str, parent: &str) -> Head {
        Head {
            name: name.into(),
            namespace: "n".into(),
            resource_version: "1".into(),
            labels: BTreeMap::from([(label.to_owned(), parent.to_owned())]),
            ..Head::default()
        }
    }

    fn pod(name: &str, ready: bool) -> PodFacts {
        PodFacts { name: name.into(), ready, ip: Some("10.0.0.1".into()), ..PodFacts::default() }
    }

    #[test]
    fn pods_are_found_by_their_resource_and_only_changes_are_news() {
        let mut pods = PodCache::new(&LABELS);
        let [page_kind, model_kind] = LABELS.map(|label| label.kind);
        let model = ResourceId::new(model_kind, Key::new("n", "m"));
        let page = ResourceId::new(page_kind, Key::new("n", "m"));
        assert_eq!(pods.take(&head("a", labels::MODEL, "m"), pod("a", false)), Some(model.clone()));
        assert_eq!(pods.take(&head("a", labels::MODEL, "m"), pod("a", false)), None, "nothing changed");
        assert_eq!(pods.starting().len(), 1);
        assert_eq!(pods.take(&head("a", labels::MODEL, "m"), pod("a", true)), Some(model.clone()));
        assert_eq!(pods.starting(), []);
        assert!(pods.facts_of(&page).is_empty(), "a page of that name has other pods");
        assert_eq!(pods.remove(&head("a", labels::MODEL, "m")), Some(model.clone()));
        assert!(pods.facts_of(&model).is_empty());
    }

    #[test]
    fn loading_is_news_once_and_forgotten_when_the_pod_is_ready() {
        let mut pods = PodCache::new(&LABELS);
        let page = ResourceId::new(LABELS[0].kind, Key::new("n", "l"));
        pods.take(&head("a", labels::LAYOUT, "l"), pod("a", false));
        let loading = Some(Loading { bytes: 1, total_bytes: 2, seconds: 3 });
        assert!(pods.take_loading(&page, "a", loading.clone()));
        assert!(!pods.take_loading(&page, "a", loading.clone()));
        assert_eq!(pods.take(&head("a", labels::LAYOUT, "l"), pod("a", false)), None);
        assert_eq!(pods.facts_of(&page)[0].loading, loading, "the watch knows nothing of it");
        pods.take(&head("a", labels::LAYOUT, "l"), pod("a", true));
        assert_eq!(pods.facts_of(&page)[0].loading, None);
        let round = pods.begin_list();
        assert_eq!(pods.end_list(ListRound { round, namespace: None }), [page]);
    }
}
