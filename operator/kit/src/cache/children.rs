//! The children that the operator made, by the resource that they belong to.
//!
//! The cache keeps a digest of each child and the facts that decisions read. It drops the text after comparing it with the desired child, so
//! an unchanged child costs a few hundred bytes.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::{
    child::ChildKind,
    names::{Key, Names, ResourceId, ResourceKind},
};

use super::{
    ListRound, Origin,
    raw::{Head, RawObject},
};

/// What an operator keeps of each child.
pub trait ChildFacts: Clone + PartialEq + fmt::Debug + Send + 'static {
    /// Reads the facts from the text of a child.
    ///
    /// # Errors
    /// The text is not an object of this kind.
    fn read(kind: ChildKind, head: &Head, raw: &RawObject) -> serde_json::Result<Self>;

    /// Which kind of child it is.
    fn kind(&self) -> ChildKind;

    /// Its name.
    fn name(&self) -> &str;

    /// Whether it is being deleted.
    fn is_deleting(&self) -> bool;

    /// Records that it is being deleted.
    fn mark_deleting(&mut self);

    /// The number of pods of a Deployment, if only the operator sets it.
    fn own_replicas(&self) -> Option<i32> {
        None
    }

    /// Whether the child has this kind and name.
    fn is(&self, kind: ChildKind, name: &str) -> bool {
        self.kind() == kind && self.name() == name
    }
}

/// Members of an object that the operator never sets or that a list omits: the status, the kind and its version.
const NOT_DESIRED: [&str; 3] = ["status", "apiVersion", "kind"];
/// Metadata that the API server changes by itself.
const BOOKKEEPING: [&str; 4] = ["managedFields", "resourceVersion", "generation", "creationTimestamp"];

/// Every child that the watches reported.
pub struct ChildCache<F> {
    by_owner: HashMap<Box<str>, Vec<Entry<F>>>,
    /// Versions from responses to the operator's own writes that the watch has not reported yet.
    answered: HashSet<(ChildKind, u64)>,
    /// Counts the lists of all kinds and namespaces, so that the end of a list shows which children it did not contain.
    round: u32,
    gone: Gone,
}

impl<F> Default for ChildCache<F> {
    fn default() -> Self {
        Self { by_owner: HashMap::new(), answered: HashSet::new(), round: 0, gone: Gone::default() }
    }
}

/// The most recently deleted children, each with its last version. The response to one of the operator's own writes may arrive after the
/// deletion.
#[derive(Default)]
struct Gone {
    versions: HashMap<ChildName, u64>,
    order: VecDeque<ChildName>,
}

/// Owner, kind and name.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ChildName {
    owner: Box<str>,
    kind: ChildKind,
    name: Box<str>,
}

impl Gone {
    /// More children than the operator deletes while it waits for one response.
    const CAPACITY: usize = 1024;

    fn add(&mut self, name: ChildName, version: u64) {
        if self.versions.insert(name.clone(), version).is_none() {
            self.order.push_back(name);
        }
        while self.order.len() > Self::CAPACITY {
            self.order.pop_front().map(|oldest| self.versions.remove(&oldest));
        }
    }

    fn is_after(&self, child: &ReadChild<impl ChildFacts>) -> bool {
        let (owner, kind) = (child.owner.clone(), child.facts.kind());
        let name = ChildName { owner, kind, name: child.facts.name().into() };
        self.versions.get(&name).is_some_and(|gone| *gone > child.version)
    }
}

struct Entry<F> {
    facts: F,
    version: u64,
    applied: Option<u64>,
    /// The hash of a write whose response has not arrived.
    expected: Option<u64>,
    digest: u64,
    text: Option<Box<str>>,
    created_entry: Option<usize>,
    parent: ResourceId,
    round: u32,
}

/// What the cache knows about a child, for comparison with the desired one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownChild {
    /// Whether it is being deleted.
    pub is_deleting: bool,
    /// The hash of the applied child, from its annotation.
    pub applied: Option<u64>,
    /// The object; `None` after it was found equal to the desired child.
    pub text: Option<Box<str>>,
    /// Position of the entry that the operator's plain create request left in `managedFields`; `None` after an apply.
    pub created_entry: Option<usize>,
    /// The number of pods of a Deployment, if only the operator sets it.
    pub own_replicas: Option<i32>,
}

/// A parsed child. Parsing happens before the cache is locked.
pub struct ReadChild<F> {
    facts: F,
    owner: Box<str>,
    version: u64,
    applied: Option<u64>,
    digest: u64,
    text: Box<str>,
    created_entry: Option<usize>,
    is_untouched: bool,
    parent: ResourceId,
}

/// How to find the resource that manages a child.
pub struct Owners<'a> {
    /// The operator's names.
    pub names: Names,
    /// The kind of this name, if the operator reconciles it.
    pub kind: &'a dyn Fn(&str) -> Option<ResourceKind>,
}

impl Owners<'_> {
    /// The resource that manages the object, if the operator reconciles its kind.
    fn parent(&self, head: &Head) -> Option<ResourceId> {
        let owner = head.controller()?;
        let is_ours = owner.api_version.split('/').next() == Some(self.names.group);
        let kind = (self.kind)(&owner.kind).filter(|_| is_ours)?;
        Some(ResourceId::new(kind, Key::new(&head.namespace, &owner.name)))
    }
}

/// Reads a child's text; `None` if no resource of the operator manages the object.
///
/// # Errors
/// The object does not have the form that Kubernetes gives it.
pub fn read<F: ChildFacts>(
    owners: &Owners<'_>,
    kind: ChildKind,
    raw: &RawObject,
) -> serde_json::Result<Option<ReadChild<F>>> {
    let head = raw.head()?;
    let Some(parent) = owners.parent(&head) else { return Ok(None) };
    let owner = head.controller().map(|owner| owner.uid.as_str().into()).unwrap_or_default();
    let text = raw.without(&NOT_DESIRED, &BOOKKEEPING)?.into_boxed_str();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let created_entry = created_entry(&owners.names, &head);
    let applied = head.annotations.get(owners.names.applied);
    Ok(Some(ReadChild {
        facts: F::read(kind, &head, raw)?,
        owner,
        version: head.version().unwrap_or(u64::MAX),
        applied: applied.and_then(|hash| u64::from_str_radix(hash, 16).ok()),
        digest: hasher.finish(),
        text,
        created_entry,
        is_untouched: created_entry.is_some() && head.managed_fields.len() == 1,
        parent,
    }))
}

fn created_entry(names: &Names, head: &Head) -> Option<usize> {
    head.entry_of(names.manager, "Update").filter(|_| head.entry_of(names.manager, "Apply").is_none())
}

impl<F: ChildFacts> ChildCache<F> {
    /// The facts of the children of one resource, by the uid of the resource.
    pub fn facts_of(&self, owner: &str) -> Vec<F> {
        self.by_owner.get(owner).into_iter().flatten().map(|entry| entry.facts.clone()).collect()
    }

    /// What the cache knows about one child.
    pub fn known(&self, owner: &str, kind: ChildKind, name: &str) -> Option<KnownChild> {
        let entry = self.by_owner.get(owner)?.iter().find(|entry| entry.facts.is(kind, name))?;
        Some(KnownChild {
            is_deleting: entry.facts.is_deleting(),
            applied: entry.applied,
            text: entry.text.clone(),
            created_entry: entry.created_entry,
            own_replicas: entry.facts.own_replicas(),
        })
    }

    /// The number of children.
    pub fn len(&self) -> usize {
        self.by_owner.values().map(Vec::len).sum()
    }

    /// Whether the cache has no child.
    pub fn is_empty(&self) -> bool {
        self.by_owner.is_empty()
    }

    /// Takes a child, and returns its resource if that must be reconciled. A version older than the known one changes nothing, because the
    /// cache knows the operator's own writes before the watch reports them. After a response, the resource is reconciled only if the cache
    /// knows a newer version of the child.
    pub fn take(&mut self, child: ReadChild<F>, origin: Origin) -> Option<ResourceId> {
        let is_answer = origin == Origin::Answer;
        let (parent, version) = (child.parent.clone(), child.version);
        let answered = (child.facts.kind(), version);
        if is_answer && self.gone.is_after(&child) {
            return Some(parent);
        }
        let entries = self.by_owner.entry(child.owner.clone()).or_default();
        let found = entries.iter_mut().find(|entry| entry.facts.is(child.facts.kind(), child.facts.name()));
        let Some(entry) = found else {
            // The watch may report a child before the response to its creation. The child is not new unless somebody else wrote it.
            let is_news = !child.is_untouched;
            entries.push(Entry::new(child, self.round));
            if is_answer {
                self.answered.insert(answered);
                return None;
            }
            return is_news.then_some(parent);
        };
        if !is_answer {
            entry.round = self.round;
        }
        self.answered.remove(&answered);
        let known = entry.version;
        if version <= known && version != u64::MAX {
            return (is_answer && known > version).then_some(parent);
        }
        let is_news = entry.replace(child);
        if is_answer {
            if known < version {
                self.answered.insert(answered);
            }
            return None;
        }
        is_news.then_some(parent)
    }

    /// Records that a write of this hash is about to be sent. The watch event about it then starts no reconcile.
    pub fn expect(&mut self, owner: &str, kind: ChildKind, name: &str, hash: u64) {
        if let Some(entry) = self.find_mut(owner, kind, name) {
            entry.expected = Some(hash);
        }
    }

    /// Whether a response contained this version before the watch reported it. True only once for each version.
    pub fn was_answered(&mut self, kind: ChildKind, version: u64) -> bool {
        self.answered.remove(&(kind, version))
    }

    /// Drops the text of a child that equals the desired one.
    pub fn settle(&mut self, owner: &str, kind: ChildKind, name: &str) {
        if let Some(entry) = self.find_mut(owner, kind, name) {
            entry.text = None;
        }
    }

    /// Records that the API server was asked to delete the child. The watch reports when the child is gone.
    pub fn mark_deleting(&mut self, owner: &str, kind: ChildKind, name: &str) {
        if let Some(entry) = self.find_mut(owner, kind, name) {
            entry.facts.mark_deleting();
        }
    }

    /// Removes a child that is gone.
    pub fn remove(&mut self, kind: ChildKind, head: &Head) -> Option<ResourceId> {
        let owner = head.controller()?.uid.as_str();
        // A child that was created again has a later version than the deleted one.
        let gone = head.version().unwrap_or(u64::MAX);
        self.gone.add(ChildName { owner: owner.into(), kind, name: head.name.as_str().into() }, gone);
        let entries = self.by_owner.get_mut(owner)?;
        let at =
            entries.iter().position(|entry| entry.facts.is(kind, &head.name) && entry.version <= gone)?;
        let entry = entries.swap_remove(at);
        if entries.is_empty() {
            self.by_owner.remove(owner);
        }
        Some(entry.parent)
    }

    /// Begins a list, and returns its number.
    pub fn begin_list(&mut self) -> u32 {
        // A restarted watch does not report earlier versions.
        self.answered.clear();
        self.round += 1;
        self.round
    }

    /// Ends a list of one kind: removes the children that it did not contain.
    pub fn end_list(&mut self, kind: ChildKind, list: ListRound<'_>) -> Vec<ResourceId> {
        let mut gone = Vec::new();
        self.by_owner.retain(|_, entries| {
            entries.retain(|entry| {
                let is_listed = entry.facts.kind() == kind && list.covers(&entry.parent.key.namespace);
                let stays = !is_listed || entry.round >= list.round;
                if !stays {
                    gone.push(entry.parent.clone());
                }
                stays
            });
            !entries.is_empty()
        });
        gone
    }

    fn find_mut(&mut self, owner: &str, kind: ChildKind, name: &str) -> Option<&mut Entry<F>> {
        self.by_owner.get_mut(owner)?.iter_mut().find(|entry| entry.facts.is(kind, name))
    }
}

impl<F: ChildFacts> Entry<F> {
    fn new(child: ReadChild<F>, round: u32) -> Self {
        Self {
            facts: child.facts,
            version: child.version,
            applied: child.applied,
            expected: None,
            digest: child.digest,
            text: Some(child.text),
            created_entry: child.created_entry,
            parent: child.parent,
            round,
        }
    }

    /// Takes a newer version, and returns whether the operator did not know it.
    fn replace(&mut self, child: ReadChild<F>) -> bool {
        let same_text = self.digest == child.digest;
        // The watch may report a write before its response arrives.
        let is_expected = self.expected.take_if(|hash| child.applied == Some(*hash)).is_some();
        let is_own = is_expected && self.applied != child.applied;
        let is_unchanged = same_text && self.facts == child.facts;
        if !same_text {
            self.text = Some(child.text);
        }
        (self.facts, self.version, self.applied) = (child.facts, child.version, child.applied);
        (self.digest, self.created_entry, self.parent) = (child.digest, child.created_entry, child.parent);
        !(is_own || is_unchanged)
    }
}

#[cfg(test)]
mod tests;
