use serde_json::json;

use super::*;

const KIND: ChildKind = ChildKind::ConfigMap;

fn object(version: u64, data: &str) -> Live {
    let text = json!({
        "metadata": {
            "name": "m-ranker-1", "namespace": "n", "resourceVersion": version.to_string(),
            "annotations": {labels::APPLIED: "00000000000000ff"},
            "ownerReferences": [{"apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel", "name": "m", "uid": "u", "controller": true}],
            "managedFields": [{"manager": labels::OPERATOR, "operation": "Update"}],
        },
        "data": {"config.json": data},
    });
    serde_json::from_str(&text.to_string()).unwrap()
}

fn told(children: &mut Children, live: &Live) -> bool {
    children.take(read(KIND, live).unwrap().unwrap()).is_some()
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
        assert_eq!(told(&mut children, &object(version, data)), news, "{why}");
    }
}

#[test]
fn a_child_that_others_have_touched_is_news_from_the_first() {
    let text = object(1, "a").text().replace("}]}", r#"},{"manager":"kubelet","operation":"Update"}]}"#);
    let live: Live = serde_json::from_str(&text).unwrap();
    assert_eq!(live.head().unwrap().managed_fields.len(), 2);
    assert!(told(&mut Children::default(), &live));
}

#[test]
fn the_text_is_kept_until_it_was_compared_and_again_when_it_changes() {
    let mut children = Children::default();
    told(&mut children, &object(1, "a"));
    let known = |children: &Children| children.known("u", KIND, "m-ranker-1").unwrap();
    assert!(known(&children).text.is_some());
    assert_eq!((known(&children).applied, known(&children).made_by), (Some(255), Some(0)));
    children.settle("u", KIND, "m-ranker-1");
    assert!(known(&children).text.is_none());
    told(&mut children, &object(2, "a"));
    assert!(known(&children).text.is_none(), "the same text need not be compared again");
    told(&mut children, &object(3, "b"));
    assert!(known(&children).text.is_some());
}

#[test]
fn the_answer_to_an_own_write_is_told_once() {
    let answer = |live: &Live| read(KIND, live).unwrap().unwrap();
    let mut children = Children::default();
    assert_eq!(children.take_answer(answer(&object(5, "a"))), None);
    assert!(children.was_answered(KIND, 5), "the watch need not be read");
    assert!(!children.was_answered(KIND, 5), "once");
    assert!(!children.was_answered(KIND, 6), "somebody else's write");
    told(&mut children, &object(7, "b"));
    assert_eq!(children.take_answer(answer(&object(7, "b"))), None, "the watch was first");
    assert!(!children.was_answered(KIND, 7));
    let parent = (Kind::RankingModel, Key::new("n", "m"));
    assert_eq!(children.take_answer(answer(&object(6, "c"))), Some(parent), "changed since");
    children.take_answer(answer(&object(8, "d")));
    children.begin();
    assert!(!children.was_answered(KIND, 8), "a new list has to be read");
}

#[test]
fn an_own_write_that_the_watch_tells_first_is_no_news() {
    let written = |version, data, hash: &str| {
        let text = object(version, data).text().replace("00000000000000ff", hash);
        serde_json::from_str::<Live>(&text).unwrap()
    };
    let mut children = Children::default();
    told(&mut children, &object(1, "a"));
    children.expect("u", KIND, "m-ranker-1", 0xaa);
    assert!(told(&mut children, &object(2, "x")), "somebody else's change comes first");
    assert!(!told(&mut children, &written(3, "b", "00000000000000aa")), "the own one");
    assert!(told(&mut children, &written(4, "c", "00000000000000aa")), "somebody else's after it");
}

#[test]
fn what_a_new_list_does_not_name_is_gone() {
    let mut children = Children::default();
    told(&mut children, &object(1, "a"));
    let round = children.begin();
    assert_eq!(children.end(round, ChildKind::Service, None), [], "a list of another kind");
    assert_eq!(children.end(round, KIND, Some("other")), [], "a list of another namespace");
    let gone = children.end(round, KIND, Some("n"));
    assert_eq!(gone, [(Kind::RankingModel, Key::new("n", "m"))]);
    assert!(children.is_empty());
}

#[test]
fn what_was_written_during_a_list_stays() {
    let mut children = Children::default();
    let round = children.begin();
    told(&mut children, &object(9, "a"));
    assert_eq!(children.end(round, KIND, None), []);
    assert_eq!(children.len(), 1);
}

#[test]
fn a_child_made_anew_outlives_the_news_of_its_end() {
    let mut children = Children::default();
    told(&mut children, &object(9, "a"));
    assert_eq!(children.lose(KIND, &object(8, "a").head().unwrap()), None);
    assert!(children.lose(KIND, &object(10, "a").head().unwrap()).is_some());
    assert!(children.is_empty());
}

#[test]
fn an_object_of_somebody_else_is_none_of_ours() {
    let text = r#"{"metadata":{"name":"x","namespace":"n","ownerReferences":[{"apiVersion":"apps/v1","kind":"RankingModel","name":"m","uid":"u","controller":true}]}}"#;
    assert!(read(KIND, &serde_json::from_str(text).unwrap()).unwrap().is_none());
}

#[test]
fn an_answer_that_comes_after_the_child_went_brings_it_not_back() {
    let mut children = Children::default();
    let answer = |version| read(KIND, &object(version, "a")).unwrap().unwrap();
    assert!(children.take_answer(answer(5)).is_none(), "it is made");
    assert!(children.lose(KIND, &object(6, "a").head().unwrap()).is_some(), "and deleted by somebody");
    assert!(children.take_answer(answer(5)).is_some(), "it has to be looked at again");
    assert!(children.is_empty());
    assert!(children.take_answer(answer(7)).is_none(), "it is made again");
    assert_eq!(children.len(), 1);
    let round = children.begin();
    assert!(children.take_answer(answer(8)).is_none(), "a write while a list is under way");
    assert_eq!(children.end(round, KIND, None).len(), 1, "that does not name it");
}
