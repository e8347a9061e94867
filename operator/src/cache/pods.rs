//! The pods of the operator's Deployments, by resource.

use std::collections::HashMap;

use marquee_operator_kit::{
    Key, ResourceId, ResourceKind,
    cache::{ListRound, raw::Head},
};

use crate::observed::{PageFacts, PodAnswer, PodFacts};

/// Turns between two questions to a ready page that is whole.
const TURNS_WHILE_WHOLE: u64 = 5;
/// Turns after which a ready page that did not answer is asked again.
const TURNS_AFTER_NO_ANSWER: u64 = 15;
/// Turns in which a page is asked each time after something about it changed: its pods learn of that a moment later.
const TURNS_AFTER_CHANGE: u64 = 5;

/// A label that names the resource of a pod.
#[derive(Clone, Copy, Debug)]
pub struct PodLabel {
    /// Its key; the value is the resource's name.
    pub key: &'static str,
    /// The resource's kind.
    pub kind: ResourceKind,
    /// Whether these pods serve pages, so that they are asked what fills their rows while they are ready.
    pub is_page: bool,
}

/// A pod whose answer is due.
#[derive(Debug, PartialEq, Eq)]
pub struct DuePod {
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
    /// Until which turn the pods of these resources are asked in each turn.
    changed_until: HashMap<ResourceId, u64>,
    round: u32,
    turn: u64,
}

struct Entry {
    facts: PodFacts,
    version: u64,
    round: u32,
    /// The turn in which the pod is asked again, if it is ready.
    due: u64,
}

impl PodCache {
    /// A cache without pods. The first of `labels` that a pod has names its resource.
    pub fn new(labels: &'static [PodLabel]) -> Self {
        Self { labels, by_parent: HashMap::new(), changed_until: HashMap::new(), round: 0, turn: 0 }
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
            None => entries.push(Entry { facts, version, round, due: 0 }),
            Some(entry) => {
                entry.round = round;
                // The pod itself is asked for these. Its loading ends when it is ready, and it serves no page before.
                let (loading, page) = (entry.facts.loading.take(), entry.facts.page.take());
                let same = entry.facts == facts;
                facts.loading = loading.filter(|_| !facts.ready);
                facts.page = page.filter(|_| facts.ready);
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

    /// Begins a turn; returns the pods that are asked in it, starting ones first. Those are asked in every turn.
    pub fn due(&mut self) -> Vec<DuePod> {
        self.turn += 1;
        let turn = self.turn;
        self.changed_until.retain(|_, until| turn <= *until);
        let mut due: Vec<(bool, DuePod)> = Vec::new();
        for (parent, entries) in &self.by_parent {
            let is_page = self.labels.iter().any(|label| label.is_page && label.kind == parent.kind);
            let has_changed = self.changed_until.contains_key(parent);
            for entry in entries.iter().filter(|entry| !entry.facts.deleting) {
                let PodFacts { ready, waiting, ip, name, .. } = &entry.facts;
                let is_due =
                    if *ready { is_page && (has_changed || entry.due <= turn) } else { waiting.is_none() };
                if let Some(ip) = ip.as_ref().filter(|_| is_due) {
                    due.push((*ready, DuePod { parent: parent.clone(), name: name.clone(), ip: ip.clone() }));
                }
            }
        }
        due.sort_by_key(|(ready, _)| *ready);
        due.into_iter().map(|(_, pod)| pod).collect()
    }

    /// Something about this resource changed: its ready pods are asked in each of the next turns.
    pub fn ask_soon(&mut self, parent: &ResourceId) {
        self.changed_until.insert(parent.clone(), self.turn + TURNS_AFTER_CHANGE);
    }

    /// Takes what a pod answered; returns whether it differs from the last answer.
    pub fn take_answer(&mut self, pod: &DuePod, answer: Option<PodAnswer>) -> bool {
        let turn = self.turn;
        let entries = self.by_parent.get_mut(&pod.parent).into_iter().flatten();
        let Some(entry) = entries.into_iter().find(|entry| entry.facts.name == pod.name) else {
            return false;
        };
        if !entry.facts.ready {
            let loading = answer.and_then(|answer| answer.loading);
            let is_changed = entry.facts.loading != loading;
            entry.facts.loading = loading;
            return is_changed;
        }
        // What a busy pod said last still holds as far as anybody knows.
        let Some(PodAnswer { page, .. }) = answer else {
            entry.due = turn + TURNS_AFTER_NO_ANSWER;
            return false;
        };
        entry.due = turn + if page.as_ref().is_none_or(PageFacts::is_whole) { TURNS_WHILE_WHOLE } else { 1 };
        let is_changed = entry.facts.page != page;
        entry.facts.page = page;
        is_changed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use marquee_crds::labels;

    use super::*;
    use crate::observed::Loading;

    const LABELS: [PodLabel; 2] = [
        PodLabel { key: labels::LAYOUT, kind: ResourceKind::new("PageLayout"), is_page: true },
        PodLabel { key: labels::MODEL, kind: ResourceKind::new("RankingModel"), is_page: false },
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
        assert_eq!(pods.due().len(), 1);
        assert_eq!(pods.take(&head("a", labels::MODEL, "m"), pod("a", true)), Some(model.clone()));
        assert_eq!(pods.due(), [], "a ready pod of a model is not asked");
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
        let answer = Some(PodAnswer { loading: loading.clone(), page: None });
        let due = pods.due().remove(0);
        assert!(pods.take_answer(&due, answer.clone()));
        assert!(!pods.take_answer(&due, answer));
        assert_eq!(pods.take(&head("a", labels::LAYOUT, "l"), pod("a", false)), None);
        assert_eq!(pods.facts_of(&page)[0].loading, loading, "the watch knows nothing of it");
        pods.take(&head("a", labels::LAYOUT, "l"), pod("a", true));
        assert_eq!(pods.facts_of(&page)[0].loading, None);
        let round = pods.begin_list();
        assert_eq!(pods.end_list(ListRound { round, namespace: None }), [page]);
    }

    #[test]
    fn a_ready_page_is_asked_often_while_it_is_not_whole_or_something_changed() {
        let mut pods = PodCache::new(&LABELS);
        let page = ResourceId::new(LABELS[0].kind, Key::new("n", "l"));
        pods.take(&head("a", labels::LAYOUT, "l"), pod("a", true));
        let answer = |percent| {
            let fallback_percent = [("top-picks".to_owned(), percent)].into();
            Some(PodAnswer {
                page: Some(PageFacts { fallback_percent, warnings: Vec::new() }),
                loading: None,
            })
        };
        // The turns until it is asked again.
        let waits = |pods: &mut PodCache| (1..).find(|_| !pods.due().is_empty()).unwrap();
        let due = pods.due().remove(0);
        assert!(pods.take_answer(&due, answer(100)), "news");
        assert_eq!(waits(&mut pods), 1, "the fallback fills its rows");
        assert!(pods.take_answer(&due, answer(0)) && !pods.take_answer(&due, answer(0)), "news once");
        assert_eq!(waits(&mut pods), TURNS_WHILE_WHOLE);
        assert!(!pods.take_answer(&due, None), "what it said last still holds");
        assert_eq!(waits(&mut pods), TURNS_AFTER_NO_ANSWER);
        pods.take_answer(&due, answer(0));
        pods.ask_soon(&page);
        for turn in 0..TURNS_AFTER_CHANGE {
            assert_eq!(waits(&mut pods), 1, "turn {turn}: something about it changed");
            pods.take_answer(&due, answer(0));
        }
        assert_eq!(waits(&mut pods), TURNS_WHILE_WHOLE);
        let known = pods.facts_of(&page)[0].page.clone();
        assert!(known.is_some());
        assert_eq!(
            pods.take(&head("a", labels::LAYOUT, "l"), pod("a", true)),
            None,
            "no news from the watch"
        );
        assert_eq!(pods.facts_of(&page)[0].page, known);
        pods.take(&head("a", labels::LAYOUT, "l"), pod("a", false));
        assert_eq!(pods.facts_of(&page)[0].page, None, "it is not ready any more");
    }
}
