use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::{Before, Phase, Wish, course};
use crate::rollout::{Revision, Revisions};

const NOW: i64 = 1_000;
const DEADLINE: u64 = 600;
const DRAIN: u64 = 30;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Name, when made, pods wanted, pods ready.
type Standing<'a> = (&'a str, i64, i32, i32);
/// Which revision answers, since when; an empty name is none.
type Answers = (&'static str, i64);
/// Why, wish, revisions, before, answers, kept.
type Move =
    (&'static str, &'static str, &'static [Standing<'static>], Answers, Answers, &'static [&'static str]);
/// Why, min, most, revisions, before, pods.
type Size = (&'static str, i32, i32, &'static [Standing<'static>], Answers, i32);

fn standing(all: &[Standing<'_>]) -> Revisions {
    let revision = |&(name, created, wanted, ready): &Standing<'_>| {
        let revision =
            Revision { created: Some(at(created)), wanted, replicas: wanted, ready, ..Revision::default() };
        (name.to_owned(), revision)
    };
    all.iter().map(revision).collect()
}

fn wish(revision: &str, min: i32, most: i32) -> Wish<'_> {
    Wish {
        revision: (!revision.is_empty()).then_some(revision),
        min,
        most,
        deadline: Duration::from_secs(DEADLINE),
        drain: Duration::from_secs(DRAIN),
        may_take_over: true,
    }
}

fn answers(revision: &str, since: i64) -> Option<Before> {
    (!revision.is_empty()).then(|| Before { revision: revision.into(), since: at(since), elsewhere: false })
}

#[test]
fn traffic_goes_to_the_new_revision_once_enough_of_it_is_ready_and_never_where_nobody_answers() {
    #[rustfmt::skip]
    let cases: [Move; 19] = [
        // why                                              wish  revisions (name, made, wanted, ready)                        before        answers       kept
        ("nothing is there yet",                             "a", &[],                                                          ("", 0),      ("", 0),      &[]),
        ("the first one starts",                             "a", &[("a", 990, 2, 0)],                                          ("", 0),      ("", 0),      &[]),
        ("at the start one ready pod is better than none",   "a", &[("a", 990, 2, 1)],                                          ("", 0),      ("a", NOW),   &[]),
        ("nothing changed",                                  "a", &[("a", 100, 2, 2)],                                          ("a", 200),   ("a", 200),   &[]),
        ("the new one starts",                               "b", &[("a", 100, 2, 2), ("b", 990, 2, 0)],                        ("a", 200),   ("a", 200),   &["a"]),
        ("one pod is not enough for the load of two",        "b", &[("a", 100, 2, 2), ("b", 990, 2, 1)],                        ("a", 200),   ("a", 200),   &["a"]),
        ("enough of it is ready: what was drains",           "b", &[("a", 100, 2, 2), ("b", 990, 2, 2)],                        ("a", 200),   ("b", NOW),   &["a"]),
        ("it drains still",                                  "b", &[("a", 100, 2, 2), ("b", 900, 2, 2)],                        ("b", 971),   ("b", 971),   &["a"]),
        ("it has drained",                                   "b", &[("a", 100, 2, 2), ("b", 900, 2, 2)],                        ("b", 970),   ("b", 970),   &[]),
        ("edited again: what was being tried goes at once",  "c", &[("a", 100, 2, 2), ("b", 990, 2, 1), ("c", 995, 2, 0)],      ("a", 200),   ("a", 200),   &["a"]),
        ("even when traffic has settled just now",           "c", &[("z", 50, 2, 2), ("a", 960, 2, 2), ("b", 990, 2, 0)],       ("a", 980),   ("a", 980),   &["a", "z"]),
        ("taken back: only what was being tried goes",       "a", &[("a", 100, 2, 2), ("b", 990, 2, 1)],                        ("a", 200),   ("a", 200),   &[]),
        ("taken back after the move: it takes over again",   "a", &[("a", 100, 2, 2), ("b", 900, 2, 2)],                        ("b", 990),   ("a", NOW),   &["b"]),
        ("all of the stable one's pods are gone",            "b", &[("a", 100, 2, 0), ("b", 990, 2, 1)],                        ("a", 200),   ("b", NOW),   &["a"]),
        ("all pods are gone, of both",                       "b", &[("a", 100, 2, 0), ("b", 990, 2, 0)],                        ("a", 200),   ("a", 200),   &["a"]),
        ("the new one breaks while the old one drains",      "b", &[("a", 100, 2, 2), ("b", 900, 2, 0)],                        ("b", 990),   ("a", NOW),   &["a"]),
        ("the status was lost: the oldest that answers",     "b", &[("a", 100, 2, 2), ("b", 990, 2, 1)],                        ("", 0),      ("a", NOW),   &["a"]),
        ("the Deployment of what answered was deleted",      "b", &[("b", 990, 2, 0)],                                          ("a", 200),   ("", 0),      &[]),
        ("it cannot be built: what answers answers on",      "",  &[("a", 100, 2, 2), ("b", 990, 2, 2)],                        ("a", 200),   ("a", 200),   &["a"]),
    ];
    for (why, wanted, there, (before, since), (expected, from), kept) in cases {
        let revisions = standing(there);
        let decided = course(&wish(wanted, 2, 2), &revisions, answers(before, since), at(NOW));
        assert_eq!(decided.answering, answers(expected, from), "{why}");
        assert_eq!(decided.kept, kept, "{why}");
        let again = course(&wish(wanted, 2, 2), &revisions, decided.answering.clone(), at(NOW));
        assert_eq!(again, decided, "{why}: decided twice");
    }
}

#[test]
fn a_new_revision_is_as_large_as_what_answers_now() {
    #[rustfmt::skip]
    let cases: [Size; 7] = [
        // why                                            min most  revisions                                     before       pods
        ("the first one",                                   2, 10,  &[],                                          ("", 0),     2),
        ("the load has seven pods now",                     2, 10,  &[("a", 100, 7, 7)],                          ("a", 200),  7),
        ("never more than the spec allows",                 2, 5,   &[("a", 100, 7, 7)],                          ("a", 200),  5),
        ("never fewer either",                              4, 5,   &[("a", 100, 1, 1)],                          ("a", 200),  4),
        ("a fixed number is that number",                   3, 3,   &[("a", 100, 7, 7)],                          ("a", 200),  3),
        ("until the old one has drained it keeps what it has", 2, 10, &[("a", 100, 1, 1), ("b", 900, 7, 7)],      ("b", 990),  7),
        ("then its autoscaler decides",                     2, 10,  &[("b", 900, 7, 7)],                          ("b", 990),  2),
    ];
    for (why, min, most, there, (before, since), pods) in cases {
        let decided = course(&wish("b", min, most), &standing(there), answers(before, since), at(NOW));
        assert_eq!(decided.pods, pods, "{why}");
    }
}

#[test]
fn a_deadline_counts_from_the_first_pod_and_ends_nothing() {
    #[rustfmt::skip]
    let cases = [
        // why                                 made   ready  phase                                             look again
        ("within its time",                    500,   0,     Phase::Starting { late: false, held: false },     Some(100)),
        ("it has had its time",                400,   0,     Phase::Starting { late: true, held: false },      None),
        ("it becomes ready after all",         100,   2,     Phase::Draining { until: at(NOW + 30) },          Some(30)),
    ];
    for (why, made, ready, phase, seconds) in cases {
        let there = standing(&[("a", 50, 2, 2), ("b", made, 2, ready)]);
        let decided = course(&wish("b", 2, 2), &there, answers("a", 60), at(NOW));
        assert_eq!((decided.phase, decided.look_again), (phase, seconds.map(Duration::from_secs)), "{why}");
    }
}

#[test]
fn what_is_ready_waits_for_what_else_it_needs_unless_nobody_answers() {
    for (why, ready_of_a, expected) in [("it waits", 2, "a"), ("nobody else answers", 0, "b")] {
        let there = standing(&[("a", 50, 2, ready_of_a), ("b", 900, 2, 2)]);
        let held = Wish { may_take_over: false, ..wish("b", 2, 2) };
        let decided = course(&held, &there, answers("a", 60), at(NOW));
        assert_eq!(decided.answering.map(|at| at.revision).as_deref(), Some(expected), "{why}");
    }
}

#[test]
fn a_page_answers_for_a_model_until_the_models_own_pods_do() {
    let page = Before { revision: "p".into(), since: at(100), elsewhere: true };
    for (ready, elsewhere) in [(0, true), (1, true), (2, false)] {
        let there = standing(&[("b", 990, 2, ready)]);
        let decided = course(&wish("b", 2, 2), &there, Some(page.clone()), at(NOW));
        assert_eq!(decided.answering.map(|at| at.elsewhere), Some(elsewhere), "{ready} ready");
    }
}
