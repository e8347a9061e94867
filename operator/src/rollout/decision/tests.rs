use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use marquee_crds::revision_name::RevisionName;

use super::{Desired, Phase, Target, decide, main_target};
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
/// Why, desired revision, revisions, previous target, target, kept.
type Move =
    (&'static str, &'static str, &'static [Standing<'static>], Answers, Answers, &'static [&'static str]);
/// Why, min, most, revisions, previous target, pods.
type Size = (&'static str, i32, i32, &'static [Standing<'static>], Answers, i32);

fn standing(all: &[Standing<'_>]) -> Revisions {
    let revision = |&(name, created, wanted, ready): &Standing<'_>| {
        let revision =
            Revision { created: Some(at(created)), wanted, replicas: wanted, ready, ..Revision::default() };
        (name.into(), revision)
    };
    all.iter().map(revision).collect()
}

/// The revision of this name; `None` for an empty name.
fn named(name: &str) -> Option<RevisionName> {
    (!name.is_empty()).then(|| name.into())
}

fn desired(revision: Option<&RevisionName>, min: i32, most: i32) -> Desired<'_> {
    Desired {
        revision,
        min,
        most,
        deadline: Duration::from_secs(DEADLINE),
        drain: Duration::from_secs(DRAIN),
        may_take_over: true,
    }
}

fn answers(revision: &str, since: i64) -> Vec<Target> {
    named(revision).map(|revision| Target::all_viewers(revision, at(since))).into_iter().collect()
}

fn share(revision: &str, weight: i32, since: i64) -> Target {
    Target { weight, ..Target::all_viewers(revision.into(), at(since)) }
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
        let decided =
            decide(&desired(named(wanted).as_ref(), 2, 2), &revisions, &answers(before, since), at(NOW));
        assert_eq!(decided.targets, answers(expected, from), "{why}");
        assert_eq!(decided.kept, kept, "{why}");
        let again = decide(&desired(named(wanted).as_ref(), 2, 2), &revisions, &decided.targets, at(NOW));
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
        let decided = decide(
            &desired(named("b").as_ref(), min, most),
            &standing(there),
            &answers(before, since),
            at(NOW),
        );
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
        let decided = decide(&desired(named("b").as_ref(), 2, 2), &there, &answers("a", 60), at(NOW));
        assert_eq!((decided.phase, decided.look_again), (phase, seconds.map(Duration::from_secs)), "{why}");
    }
}

#[test]
fn what_is_ready_waits_for_what_else_it_needs_unless_nobody_answers() {
    for (why, ready_of_a, expected) in [("it waits", 2, "a"), ("nobody else answers", 0, "b")] {
        let there = standing(&[("a", 50, 2, ready_of_a), ("b", 900, 2, 2)]);
        let b = named("b");
        let held = Desired { may_take_over: false, ..desired(b.as_ref(), 2, 2) };
        let decided = decide(&held, &there, &answers("a", 60), at(NOW));
        assert_eq!(
            main_target(&decided.targets).map(|target| target.revision.as_str()),
            Some(expected),
            "{why}"
        );
    }
}

#[test]
fn a_page_answers_for_a_model_until_the_models_own_pods_do() {
    let page = Target { host: Some("home-page.shop.svc:9000".into()), ..share("p", 100, 100) };
    for (ready, is_hosted) in [(0, true), (1, true), (2, false)] {
        let there = standing(&[("b", 990, 2, ready)]);
        let decided =
            decide(&desired(named("b").as_ref(), 2, 2), &there, std::slice::from_ref(&page), at(NOW));
        let hosted = main_target(&decided.targets).map(|target| target.host.is_some());
        assert_eq!(hosted, Some(is_hosted), "{ready} ready");
    }
}

/// Why, pods ready of a, b and c, previous targets, targets, kept, pods.
type Split = (&'static str, [i32; 3], Vec<Target>, Vec<Target>, &'static [&'static str], i32);

#[test]
fn several_targets_keep_their_shares_until_the_desired_revision_takes_over_from_all_of_them() {
    let split = || vec![share("a", 75, 200), share("b", 25, 300)];
    #[rustfmt::skip]
    let cases: [Split; 8] = [
        // why                                              ready      previous                                      targets                        kept         pods
        ("both answer, and the desired one starts",         [3, 1, 0], split(),                                      split(),                       &["a", "b"], 4),
        ("as many pods as one target has are not enough",   [3, 1, 3], split(),                                      split(),                       &["a", "b"], 4),
        ("enough pods for the viewers of both",             [3, 1, 4], split(),                                      vec![share("c", 100, NOW)],    &["a", "b"], 4),
        ("a target without a ready pod gives up its share", [3, 0, 0], split(),                                      vec![share("a", 100, NOW)],    &["a", "b"], 3),
        ("all pods are gone: the shares stay",              [0, 0, 0], split(),                                      split(),                       &["a", "b"], 4),
        ("weights that do not sum to 100",                  [3, 1, 0], vec![share("a", 2, 200), share("b", 1, 300)], vec![share("a", 67, NOW), share("b", 33, NOW)], &["a", "b"], 4),
        ("a weight of none, and one below none",            [3, 1, 0], vec![share("b", 100, 300), share("a", 0, 200), share("c", -1, 200)], vec![share("b", 100, 300)], &["b"], 2),
        ("a revision that is gone",                         [3, 1, 0], vec![share("a", 50, 200), share("z", 50, 200)], vec![share("a", 100, NOW)],  &["a", "b"], 3),
    ];
    for (why, [a, b, c], previous, targets, kept, pods) in cases {
        let there = standing(&[("a", 100, 3, a), ("b", 250, 1, b), ("c", 990, 4, c)]);
        let decided = decide(&desired(named("c").as_ref(), 2, 9), &there, &previous, at(NOW));
        assert_eq!(decided.targets, targets, "{why}");
        assert_eq!(decided.kept, kept, "{why}");
        let pods_before_draining =
            if main_target(&targets).is_some_and(|main| main.revision == "c") { 4 } else { pods };
        assert_eq!(decided.pods, pods_before_draining, "{why}");
        assert_eq!(
            decide(&desired(named("c").as_ref(), 2, 9), &there, &decided.targets, at(NOW)),
            decided,
            "{why}: decided twice"
        );
    }
}

#[test]
fn one_of_several_targets_takes_over_when_it_has_pods_for_all_viewers() {
    for (ready, targets) in
        [(3, vec![share("a", 75, 200), share("b", 25, 300)]), (4, vec![share("b", 100, NOW)])]
    {
        let there = standing(&[("a", 100, 3, 3), ("b", 250, 4, ready)]);
        let decided = decide(
            &desired(named("b").as_ref(), 1, 9),
            &there,
            &[share("a", 75, 200), share("b", 25, 300)],
            at(NOW),
        );
        assert_eq!(decided.targets, targets, "{ready} ready");
        assert_eq!(decided.kept, ["a"], "{ready} ready");
    }
}
