//! The pods of the operator's Deployments, by the resource that they serve for.

use std::collections::HashMap;

use marquee_crds::labels;

use crate::observed::{Loading, PodFacts};

use super::{Key, Kind, live::Head};

/// Every pod that the watches told of.
#[derive(Default)]
pub struct Pods {
    by_parent: HashMap<(Kind, Key), Vec<Entry>>,
    round: u32,
}

struct Entry {
    facts: PodFacts,
    version: u64,
    round: u32,
}

/// The resource that a pod serves for, by its labels.
pub fn parent(head: &Head) -> Option<(Kind, Key)> {
    let named = |kind, label| head.labels.get(label).map(|name| (kind, Key::new(&head.namespace, name)));
    named(Kind::PageLayout, labels::LAYOUT).or_else(|| named(Kind::RankingModel, labels::MODEL))
}

impl Pods {
    /// The pods of one resource, by name.
    pub fn of(&self, kind: Kind, key: &Key) -> Vec<PodFacts> {
        let entries = self.by_parent.get(&(kind, key.clone()));
        entries.into_iter().flatten().map(|entry| entry.facts.clone()).collect()
    }

    /// Takes what the watch told; says whose it is where that changes anything.
    pub fn take(&mut self, head: &Head, mut facts: PodFacts) -> Option<(Kind, Key)> {
        let parent = parent(head)?;
        let version = head.version().unwrap_or(u64::MAX);
        let round = self.round;
        let entries = self.by_parent.entry(parent.clone()).or_default();
        match entries.iter_mut().find(|entry| entry.facts.name == facts.name) {
            None => entries.push(Entry { facts, version, round }),
            Some(entry) => {
                entry.round = round;
                // Loading is asked of the pod itself; it ends when the pod is ready.
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

    /// The pod is gone.
    pub fn lose(&mut self, head: &Head) -> Option<(Kind, Key)> {
        let parent = parent(head)?;
        let entries = self.by_parent.get_mut(&parent)?;
        entries.retain(|entry| entry.facts.name != head.name);
        if entries.is_empty() {
            self.by_parent.remove(&parent);
        }
        Some(parent)
    }

    /// A list begins.
    pub fn begin(&mut self) -> u32 {
        self.round += 1;
        self.round
    }

    /// A list has ended that began as `round`: drops what of this namespace (all, if none) it did not name.
    pub fn end(&mut self, round: u32, namespace: Option<&str>) -> Vec<(Kind, Key)> {
        let mut gone = Vec::new();
        self.by_parent.retain(|parent, entries| {
            let listed = namespace.is_none_or(|namespace| *namespace == *parent.1.namespace);
            let before = entries.len();
            entries.retain(|entry| !listed || entry.round >= round);
            if entries.len() < before {
                gone.push(parent.clone());
            }
            !entries.is_empty()
        });
        gone
    }

    /// Pods that run and are not ready yet: whose they are, their names and addresses.
    pub fn starting(&self) -> Vec<((Kind, Key), String, String)> {
        let starting = self.by_parent.iter().flat_map(|(parent, entries)| {
            let pods = entries.iter().map(|entry| &entry.facts);
            let pods = pods.filter(|pod| !pod.ready && !pod.deleting && pod.waiting.is_none());
            pods.filter_map(|pod| Some((parent.clone(), pod.name.clone(), pod.ip.clone()?)))
        });
        starting.collect()
    }

    /// What a pod said of its loading; says whether that is news.
    pub fn loads(&mut self, parent: &(Kind, Key), name: &str, loading: Option<Loading>) -> bool {
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

    use super::*;

    fn head(name: &str, label: &str, of: &str) -> Head {
        Head {
            name: name.into(),
            namespace: "n".into(),
            resource_version: "1".into(),
            labels: BTreeMap::from([(label.to_owned(), of.to_owned())]),
            ..Head::default()
        }
    }

    fn pod(name: &str, ready: bool) -> PodFacts {
        PodFacts { name: name.into(), ready, ip: Some("10.0.0.1".into()), ..PodFacts::default() }
    }

    #[test]
    fn pods_stand_with_their_resource_and_only_changes_are_news() {
        let mut pods = Pods::default();
        let model = (Kind::RankingModel, Key::new("n", "m"));
        assert_eq!(pods.take(&head("a", labels::MODEL, "m"), pod("a", false)), Some(model.clone()));
        assert_eq!(pods.take(&head("a", labels::MODEL, "m"), pod("a", false)), None, "nothing changed");
        assert_eq!(pods.starting().len(), 1);
        assert_eq!(pods.take(&head("a", labels::MODEL, "m"), pod("a", true)), Some(model.clone()));
        assert_eq!(pods.starting(), []);
        assert!(pods.of(Kind::PageLayout, &model.1).is_empty(), "a page of that name has other pods");
        assert_eq!(pods.lose(&head("a", labels::MODEL, "m")), Some(model.clone()));
        assert!(pods.of(model.0, &model.1).is_empty());
    }

    #[test]
    fn loading_is_told_once_and_forgotten_when_the_pod_is_ready() {
        let mut pods = Pods::default();
        let page = (Kind::PageLayout, Key::new("n", "l"));
        pods.take(&head("a", labels::LAYOUT, "l"), pod("a", false));
        let loading = Some(Loading { bytes: 1, total_bytes: 2, seconds: 3 });
        assert!(pods.loads(&page, "a", loading.clone()));
        assert!(!pods.loads(&page, "a", loading.clone()));
        assert_eq!(pods.take(&head("a", labels::LAYOUT, "l"), pod("a", false)), None);
        assert_eq!(pods.of(page.0, &page.1)[0].loading, loading, "what the watch tells says nothing of it");
        pods.take(&head("a", labels::LAYOUT, "l"), pod("a", true));
        assert_eq!(pods.of(page.0, &page.1)[0].loading, None);
        let round = pods.begin();
        assert_eq!(pods.end(round, None), [page]);
    }
}
