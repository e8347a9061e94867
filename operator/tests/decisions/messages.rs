//! The catalogue of messages: every reason with everything that conditions and events say of it, as people read it.
//! `UPDATE_GOLDEN=1` writes what is, for review: read each line as somebody who has never seen the code.

mod cases;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use marquee_crds::{RankingModel, conditions::Reason, names::REVISION_DIGITS};
use marquee_operator::{observed::Settings, transition::TransitionEvent};

use crate::{
    cluster::{Cluster, reconcile_model, stored},
    surface::Surface,
};

/// Reasons that pods give in their own words: those of the runtime, which this test replaces by a few.
const OF_PODS: [Reason; 13] = [
    Reason::ConfigInvalid,
    Reason::ArtifactNotFound,
    Reason::AccessDenied,
    Reason::StoreUnreachable,
    Reason::StoreMisconfigured,
    Reason::ChecksumMismatch,
    Reason::ArtifactInvalid,
    Reason::ArtifactUnsupported,
    Reason::NotFinite,
    Reason::GoldenMismatch,
    Reason::OutOfMemory,
    Reason::DiskFull,
    Reason::CpuUnsupported,
];

/// Events that no condition repeats.
const OF_EVENTS: [Reason; 4] =
    [Reason::RevisionCreated, Reason::TrafficMoved, Reason::RevisionRetired, Reason::DriftMended];

#[derive(Default)]
struct Catalogue(BTreeMap<Reason, BTreeSet<String>>);

impl Catalogue {
    fn add(&mut self, reason: Reason, line: &str) {
        self.0.entry(reason).or_default().insert(without_hashes(line));
    }

    fn conditions(&mut self, conditions: &[Condition]) {
        for Condition { type_, status, reason, message, .. } in conditions {
            let reason = Reason::ALL.iter().find(|known| known.as_str() == reason).unwrap();
            self.add(*reason, &format!("{type_} {status}: {message}"));
        }
    }

    fn events(&mut self, events: &[TransitionEvent]) {
        for event in events.iter().filter(|event| OF_EVENTS.contains(&event.reason)) {
            self.add(event.reason, &format!("event: {}", event.note));
        }
    }

    /// The state of all resources of a surface.
    fn surface(&mut self, surface: &Surface) {
        self.conditions(&surface.page_status().conditions);
        (0..surface.models.len()).for_each(|n| self.conditions(&surface.model_status(n).conditions));
    }

    /// Decides about a model, applies it, and takes what is said.
    fn model(&mut self, model: &mut RankingModel, cluster: &mut Cluster, settings: &Settings) {
        let done = reconcile_model(model, &cluster.observed, settings, cluster.now);
        self.conditions(&done.status.conditions);
        self.events(&done.events);
        model.status = Some(stored(&done.status));
        cluster.apply(&done.children);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for reason in Reason::ALL {
            let lines = self.0.get(reason);
            let _ = writeln!(text, "{reason}");
            lines.into_iter().flatten().for_each(|line| _ = writeln!(text, "  {line}"));
        }
        text
    }
}

/// The text with `REVISION` for each name of a revision: a hash that any change to a pod moves.
fn without_hashes(text: &str) -> String {
    let is_hash = |word: &str| {
        word.len() == REVISION_DIGITS
            && word.chars().all(|c| c.is_ascii_hexdigit())
            && word.contains(|c: char| c.is_ascii_digit())
    };
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let word = |part: &str| {
        let name = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_hash(name) { part.replace(name, "REVISION") } else { part.to_owned() }
    };
    words.map(word).collect()
}

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    cases::models_in_trouble(&mut catalogue);
    cases::models_that_serve(&mut catalogue);
    cases::autoscalers(&mut catalogue);
    cases::pages(&mut catalogue);
    cases::monoliths(&mut catalogue);
    cases::children(&mut catalogue);
    catalogue
}

#[test]
fn every_message_is_in_the_catalogue() {
    let catalogue = catalogue();
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", "messages.txt"].iter().collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, catalogue.text()).unwrap();
        return;
    }
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !catalogue.0.contains_key(reason)).collect();
    assert!(missing.is_empty(), "no message of {missing:?}: add a case here, or delete the reason");
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        kept,
        catalogue.text(),
        "run with UPDATE_GOLDEN=1 and read the difference as somebody who has never seen the code"
    );
}

#[test]
fn messages_count_in_plain_english() {
    for lines in catalogue().0.values() {
        for line in lines {
            for odd in [
                "1 pods",
                "0 objectives",
                "1 objectives",
                " 0 times",
                "1 times",
                "--max-body",
                " , ",
                ": ;",
                "  ",
            ] {
                assert!(!line.contains(odd), "{odd:?} in {line}");
            }
        }
    }
}
