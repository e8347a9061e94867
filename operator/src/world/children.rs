//! The children that the operator made, by the resource that they belong to.
//!
//! Of each child there are the facts that decisions rest on and a digest. Its text is kept only until it has been compared with what
//! it should be: at rest a child costs a few hundred bytes.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use marquee_crds::labels;

use crate::{
    child::ChildKind,
    observed::{ChildFacts, ChildState},
};

use super::{
    Key, Kind, facts,
    live::{Head, Live},
};

/// What nobody wishes: the status, and the kind, which a list's members lack.
const SAID_ELSEWHERE: [&str; 3] = ["status", "apiVersion", "kind"];
/// Metadata that changes without anybody's wish.
const BOOKKEEPING: [&str; 4] = ["managedFields", "resourceVersion", "generation", "creationTimestamp"];

/// Every child that the watches told of.
#[derive(Default)]
pub struct Children {
    by_owner: HashMap<Box<str>, Vec<Entry>>,
    /// Versions that answers to own writes told of, and the watch has not yet.
    answered: HashSet<(ChildKind, u64)>,
    /// Counts the lists of each kind and namespace, so that what a new list lacks is found.
    round: u32,
    gone: Gone,
}

/// The children that went last, each with the version at which it did: the answer to an own write may come after that.
#[derive(Default)]
struct Gone {
    at: HashMap<Name, u64>,
    order: VecDeque<Name>,
}

/// Owner, kind and name.
type Name = (Box<str>, ChildKind, String);

impl Gone {
    /// More than ever go while an answer is under way.
    const REMEMBERED: usize = 1024;

    fn add(&mut self, name: Name, version: u64) {
        if self.at.insert(name.clone(), version).is_none() {
            self.order.push_back(name);
        }
        while self.order.len() > Self::REMEMBERED {
            self.order.pop_front().map(|oldest| self.at.remove(&oldest));
        }
    }

    fn after(&self, read: &Read) -> bool {
        let name = (read.owner.clone(), read.facts.kind, read.facts.name.clone());
        self.at.get(&name).is_some_and(|gone| *gone > read.version)
    }
}

struct Entry {
    facts: ChildFacts,
    version: u64,
    applied: Option<u64>,
    /// The hash of an own write that is under way.
    expected: Option<u64>,
    digest: u64,
    text: Option<Box<str>>,
    made_by: Option<usize>,
    parent: (Kind, Key),
    round: u32,
}

/// What is known of a child, for who compares it with what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// On its way out.
    pub deleting: bool,
    /// What its annotation says was applied.
    pub applied: Option<u64>,
    /// The object, unless it was found to be as it should be.
    pub text: Option<Box<str>>,
    /// Where in `managedFields` the entry stands that says that the operator made the object by a plain request; none once it is
    /// applied.
    pub made_by: Option<usize>,
    /// Of a Deployment: how many pods are asked for, where nobody but the operator says so.
    pub replicas: Option<i32>,
}

/// What a child's text comes to, before the lock is taken.
pub struct Read {
    facts: ChildFacts,
    owner: Box<str>,
    version: u64,
    applied: Option<u64>,
    digest: u64,
    text: Box<str>,
    made_by: Option<usize>,
    untouched: bool,
    parent: (Kind, Key),
}

/// Reads a child's text; none for an object that no resource of ours manages.
///
/// # Errors
/// An object of another form than Kubernetes has.
pub fn read(kind: ChildKind, live: &Live) -> serde_json::Result<Option<Read>> {
    let head = live.head()?;
    let Some(parent) = parent(&head) else { return Ok(None) };
    let owner = head.controller().map(|owner| owner.uid.as_str().into()).unwrap_or_default();
    let text = live.without(&SAID_ELSEWHERE, &BOOKKEEPING)?.into_boxed_str();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Ok(Some(Read {
        facts: facts::child(kind, &head, live)?,
        owner,
        version: head.version().unwrap_or(u64::MAX),
        applied: head.annotations.get(labels::APPLIED).and_then(|hash| u64::from_str_radix(hash, 16).ok()),
        digest: hasher.finish(),
        text,
        made_by: made_by(&head),
        untouched: made_by(&head).is_some() && head.managed_fields.len() == 1,
        parent,
    }))
}

/// The resource of ours that manages the object.
pub fn parent(head: &Head) -> Option<(Kind, Key)> {
    let owner = head.controller()?;
    let ours = owner.api_version.split('/').next() == Some(marquee_crds::GROUP);
    let kind = Kind::parse(&owner.kind).filter(|_| ours)?;
    Some((kind, Key::new(&head.namespace, &owner.name)))
}

fn made_by(head: &Head) -> Option<usize> {
    head.own_entry("Update").filter(|_| head.own_entry("Apply").is_none())
}

impl Children {
    /// The facts of the children of one resource.
    pub fn of(&self, owner: &str) -> Vec<ChildFacts> {
        self.by_owner.get(owner).into_iter().flatten().map(|entry| entry.facts.clone()).collect()
    }

    /// What is known of one child.
    pub fn known(&self, owner: &str, kind: ChildKind, name: &str) -> Option<Known> {
        self.find(owner, kind, name).map(|entry| Known {
            deleting: entry.facts.deleting,
            applied: entry.applied,
            text: entry.text.clone(),
            made_by: entry.made_by,
            replicas: match &entry.facts.state {
                ChildState::Deployment(facts) if facts.only_ours => Some(facts.wanted),
                _ => None,
            },
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_owner.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_owner.is_empty()
    }

    /// Takes what a watch or an answer told; says whose it is where that changes anything. What is older than what is known
    /// changes nothing: an own write is known before the watch tells of it.
    pub fn take(&mut self, read: Read) -> Option<(Kind, Key)> {
        let round = self.round;
        let entries = self.by_owner.entry(read.owner).or_default();
        let found =
            entries.iter_mut().find(|e| e.facts.kind == read.facts.kind && e.facts.name == read.facts.name);
        let parent = read.parent.clone();
        let Some(entry) = found else {
            // The watch may tell of a child before the answer to who made it does: what nobody else has touched is no news.
            let news = (!read.untouched).then_some(parent);
            entries.push(Entry {
                facts: read.facts,
                version: read.version,
                applied: read.applied,
                expected: None,
                digest: read.digest,
                text: Some(read.text),
                made_by: read.made_by,
                parent: read.parent,
                round,
            });
            return news;
        };
        entry.round = round;
        self.answered.remove(&(read.facts.kind, read.version));
        if read.version <= entry.version && read.version != u64::MAX {
            return None;
        }
        let same_text = entry.digest == read.digest;
        // The watch may tell of an own write before the answer does.
        let own = entry.expected.take_if(|hash| read.applied == Some(*hash)).is_some()
            && entry.applied != read.applied;
        let unchanged = same_text && entry.facts == read.facts;
        let news = !(own || unchanged);
        if !same_text {
            entry.text = Some(read.text);
        }
        (entry.facts, entry.version, entry.applied) = (read.facts, read.version, read.applied);
        (entry.digest, entry.made_by, entry.parent) = (read.digest, read.made_by, read.parent);
        news.then_some(parent)
    }

    /// An own write of this hash is under way: what the watch tells of it is no news.
    pub fn expect(&mut self, owner: &str, kind: ChildKind, name: &str, hash: u64) {
        if let Some(entry) = self.find_mut(owner, kind, name) {
            entry.expected = Some(hash);
        }
    }

    /// Takes the answer to an own write. Says whose the child is where something newer is known of it already: then it has to be
    /// looked at again.
    pub fn take_answer(&mut self, read: Read) -> Option<(Kind, Key)> {
        let (parent, of, version) = (read.parent.clone(), read.facts.kind, read.version);
        let found = self.find(&read.owner, of, &read.facts.name);
        let (known, round) = found.map(|entry| (entry.version, entry.round)).unzip();
        if self.gone.after(&read) {
            return Some(parent);
        }
        let (owner, name) = (read.owner.clone(), read.facts.name.clone());
        self.take(read);
        // An answer is no word of a list: what a list does not name goes, whatever was answered meanwhile.
        if let (Some(round), Some(entry)) = (round, self.find_mut(&owner, of, &name)) {
            entry.round = round;
        }
        match known {
            Some(known) if known > version => return Some(parent),
            Some(known) if known == version => {}
            _ => {
                self.answered.insert((of, version));
            }
        }
        None
    }

    /// Whether an answer told of this version before the watch does; asked once of each.
    pub fn was_answered(&mut self, kind: ChildKind, version: u64) -> bool {
        self.answered.remove(&(kind, version))
    }

    /// The child was found to be as it should be: its text has served.
    pub fn settle(&mut self, owner: &str, kind: ChildKind, name: &str) {
        if let Some(entry) = self.find_mut(owner, kind, name) {
            entry.text = None;
        }
    }

    /// The API server was asked to delete the child; the watch will tell when it is gone.
    pub fn leaves(&mut self, owner: &str, kind: ChildKind, name: &str) {
        if let Some(entry) = self.find_mut(owner, kind, name) {
            entry.facts.deleting = true;
        }
    }

    /// The child is gone.
    pub fn lose(&mut self, kind: ChildKind, head: &Head) -> Option<(Kind, Key)> {
        let owner = &head.controller()?.uid;
        // A child that was made anew since has a later version than the one that the watch saw going.
        let gone = head.version().unwrap_or(u64::MAX);
        self.gone.add((owner.as_str().into(), kind, head.name.clone()), gone);
        let entries = self.by_owner.get_mut(owner.as_str())?;
        let at = entries
            .iter()
            .position(|e| e.facts.kind == kind && e.facts.name == head.name && e.version <= gone)?;
        let entry = entries.swap_remove(at);
        if entries.is_empty() {
            self.by_owner.remove(owner.as_str());
        }
        Some(entry.parent)
    }

    /// A list begins: what it does not name will be gone at its end.
    pub fn begin(&mut self) -> u32 {
        // A watch that begins anew passes over what came before it.
        self.answered.clear();
        self.round += 1;
        self.round
    }

    /// A list has ended that began as `round`: drops what of this kind and namespace (all, if none) it did not name.
    pub fn end(&mut self, round: u32, kind: ChildKind, namespace: Option<&str>) -> Vec<(Kind, Key)> {
        let mut gone = Vec::new();
        self.by_owner.retain(|_, entries| {
            entries.retain(|entry| {
                let listed =
                    entry.facts.kind == kind && namespace.is_none_or(|n| *n == *entry.parent.1.namespace);
                let stays = !listed || entry.round >= round;
                if !stays {
                    gone.push(entry.parent.clone());
                }
                stays
            });
            !entries.is_empty()
        });
        gone
    }

    fn find(&self, owner: &str, kind: ChildKind, name: &str) -> Option<&Entry> {
        self.by_owner.get(owner)?.iter().find(|entry| entry.facts.kind == kind && entry.facts.name == name)
    }

    fn find_mut(&mut self, owner: &str, kind: ChildKind, name: &str) -> Option<&mut Entry> {
        self.by_owner.get_mut(owner)?.iter_mut().find(|e| e.facts.kind == kind && e.facts.name == name)
    }
}

#[cfg(test)]
mod tests;
