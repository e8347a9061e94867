use serde_json::json;

use super::*;
use crate::testing::{Model, TestFacts, TestOperator};

const KIND: ChildKind = ChildKind::ConfigMap;

fn object(version: u64, data: &str) -> RawObject {
    let text = json!({
        "metadata": {
            "name": "m-ranker-1", "namespace": "n", "resourceVersion": version.to_string(),
            "annotations": {TestOperator::NAMES.applied: "00000000000000ff"},
            "ownerReferences": [{"apiVersion": "example.dev/v1", "kind": "Model", "name": "m", "uid": "u", "controller": true}],
            "managedFields": [{"manager": TestOperator::NAMES.manager, "operation": "Update"}],
        },
        "data": {"config.json": data},
    });
    serde_json::from_str(&text.to_string()).unwrap()
}

type Children = ChildCache<TestFacts>;

fn read(kind: ChildKind, raw: &RawObject) -> Option<ReadChild<TestFacts>> {
    super::read(&Kinds::<TestOperator>::default().with::<Model>(), kind, raw).unwrap()
}

fn parent() -> ResourceId {
    ResourceId::new(<Model as crate::Resource<TestOperator>>::KIND, Key::new("n", "m"))
}

/// Whether what a watch reports is news.
fn reports(children: &mut Children, raw: &RawObject) -> bool {
    children.take(read(KIND, raw).unwrap(), Origin::Watch).is_some()
}

fn answer(children: &mut Children, raw: &RawObject) -> Option<ResourceId> {
    children.take(read(KIND, raw).unwrap(), Origin::Answer)
}

fn end_list(children: &mut Children, kind: ChildKind, list: (u32, Option<&str>)) -> Vec<ResourceId> {
    let (round, namespace) = list;
    children.end_list(kind, ListRound { round, namespace })
}

#[test]
fn only_what_is_newer_and_different_is_news() {
    let mut children = Children::default();
    #[rustfmt::skip]
    let cases = [
        ("the first, as the operator made it",    5, "a", false),
        ("what is known already",                 5, "a", false),
        ("older than what is known",              4, "b", false),
        ("newer, but only the bookkeeping moved", 6, "a", false),
        ("newer and different",                   7, "b", true),
    ];
    for (why, version, data, news) in cases {
        assert_eq!(reports(&mut children, &object(version, data)), news, "{why}");
    }
}

#[test]
fn a_child_that_others_have_touched_is_news_from_the_first() {
    let text = object(1, "a").text().replace("}]}", r#"},{"manager":"kubelet","operation":"Update"}]}"#);
    let raw: RawObject = serde_json::from_str(&text).unwrap();
    assert_eq!(raw.head().unwrap().managed_fields.len(), 2);
    assert!(reports(&mut Children::default(), &raw));
}

#[test]
fn the_text_is_kept_until_it_was_compared_and_again_when_it_changes() {
    let mut children = Children::default();
    reports(&mut children, &object(1, "a"));
    let known = |children: &Children| children.known("u", KIND, "m-ranker-1").unwrap();
    assert!(known(&children).text.is_some());
    assert_eq!((known(&children).applied, known(&children).created_entry), (Some(255), Some(0)));
    children.settle("u", KIND, "m-ranker-1");
    assert!(known(&children).text.is_none());
    reports(&mut children, &object(2, "a"));
    assert!(known(&children).text.is_none(), "the same text need not be compared again");
    reports(&mut children, &object(3, "b"));
    assert!(known(&children).text.is_some());
}

#[test]
fn the_answer_to_an_own_write_is_told_once() {
    let mut children = Children::default();
    assert_eq!(answer(&mut children, &object(5, "a")), None);
    assert!(children.was_answered(KIND, 5), "the watch need not be read");
    assert!(!children.was_answered(KIND, 5), "once");
    assert!(!children.was_answered(KIND, 6), "somebody else's write");
    reports(&mut children, &object(7, "b"));
    assert_eq!(answer(&mut children, &object(7, "b")), None, "the watch was first");
    assert!(!children.was_answered(KIND, 7));
    assert_eq!(answer(&mut children, &object(6, "c")), Some(parent()), "changed since");
    answer(&mut children, &object(8, "d"));
    children.begin_list();
    assert!(!children.was_answered(KIND, 8), "a new list has to be read");
}

#[test]
fn an_own_write_that_the_watch_tells_first_is_no_news() {
    let written = |version, data, hash: &str| {
        let text = object(version, data).text().replace("00000000000000ff", hash);
        serde_json::from_str::<RawObject>(&text).unwrap()
    };
    let mut children = Children::default();
    reports(&mut children, &object(1, "a"));
    children.expect("u", KIND, "m-ranker-1", 0xaa);
    assert!(reports(&mut children, &object(2, "x")), "somebody else's change comes first");
    assert!(!reports(&mut children, &written(3, "b", "00000000000000aa")), "the own one");
    assert!(reports(&mut children, &written(4, "c", "00000000000000aa")), "somebody else's after it");
}

#[test]
fn what_a_new_list_does_not_name_is_gone() {
    let mut children = Children::default();
    reports(&mut children, &object(1, "a"));
    let round = children.begin_list();
    assert_eq!(end_list(&mut children, ChildKind::Service, (round, None)), [], "a list of another kind");
    assert_eq!(end_list(&mut children, KIND, (round, Some("other"))), [], "a list of another namespace");
    let gone = end_list(&mut children, KIND, (round, Some("n")));
    assert_eq!(gone, [parent()]);
    assert!(children.is_empty());
}

#[test]
fn what_was_written_during_a_list_stays() {
    let mut children = Children::default();
    let round = children.begin_list();
    reports(&mut children, &object(9, "a"));
    assert_eq!(end_list(&mut children, KIND, (round, None)), []);
    assert_eq!(children.len(), 1);
}

#[test]
fn a_child_made_anew_outlives_the_news_of_its_end() {
    let mut children = Children::default();
    reports(&mut children, &object(9, "a"));
    assert_eq!(children.remove(KIND, &object(8, "a").head().unwrap()), None);
    assert!(children.remove(KIND, &object(10, "a").head().unwrap()).is_some());
    assert!(children.is_empty());
}

#[test]
fn an_object_of_somebody_else_is_none_of_ours() {
    let text = r#"{"metadata":{"name":"x","namespace":"n","ownerReferences":[{"apiVersion":"apps/v1","kind":"Model","name":"m","uid":"u","controller":true}]}}"#;
    assert!(read(KIND, &serde_json::from_str(text).unwrap()).is_none());
}

#[test]
fn an_answer_that_comes_after_the_child_went_brings_it_not_back() {
    let mut children = Children::default();
    assert!(answer(&mut children, &object(5, "a")).is_none(), "it is made");
    assert!(children.remove(KIND, &object(6, "a").head().unwrap()).is_some(), "and deleted by somebody");
    assert!(answer(&mut children, &object(5, "a")).is_some(), "it has to be looked at again");
    assert!(children.is_empty());
    assert!(answer(&mut children, &object(7, "a")).is_none(), "it is made again");
    assert_eq!(children.len(), 1);
    let round = children.begin_list();
    assert!(answer(&mut children, &object(8, "a")).is_none(), "a write while a list is under way");
    assert_eq!(end_list(&mut children, KIND, (round, None)).len(), 1, "that does not name it");
}
