//! An older status never overwrites a newer one, and the operator restores a status that somebody else changed.

use std::time::Duration;

use serde_json::json;

use crate::{Running, api::until};

/// Time in which an unwanted reconcile would start.
const IDLE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_write_that_arrives_after_a_newer_one_is_refused() {
    let running = Running::start().await;
    let Running { api, metrics, .. } = &running;
    until("the first status", || api.reported() == "first").await;
    api.delay_next_status();
    api.write_text("second");
    until("a write whose answer is lost", || api.writes.lock().iter().any(|write| write.ends_with("lost")))
        .await;
    until("another attempt", || api.reported() == "second").await;
    assert_eq!(metrics.errors.with_label_values(&["note"]).get(), 1, "the lost answer is an error");
    assert_eq!(api.deliver_late(), 409, "it names a version that is gone");
    assert_eq!(api.reported(), "second");
}

#[tokio::test]
async fn a_status_that_the_operator_did_not_decide_is_restored_at_once() {
    let running = Running::start().await;
    let Running { api, reconciles, .. } = &running;
    until("the first status", || api.reported() == "first" && reconciles.get() == 1).await;
    let expected = api.note()["status"].clone();
    api.edit(|note| note["status"]["conditions"][0]["message"] = "edited by hand".into());
    until("the status to be restored", || api.reported() == "first").await;
    assert_eq!(api.note()["status"], expected);
    api.edit(|note| note["status"] = json!(null));
    until("the lost status to be restored", || api.note()["status"] == expected).await;
    tokio::time::sleep(IDLE).await;
    assert_eq!(reconciles.get(), 3, "one reconcile for each edit");
    let statuses = api.writes.lock().iter().filter(|write| *write == "PATCH status").count();
    assert_eq!(statuses, 3, "the first, and one for each edit: {:?}", api.writes.lock());
}

#[tokio::test]
async fn a_conflict_is_no_error_and_the_newer_version_is_decided() {
    let running = Running::start().await;
    let Running { api, reconciles, metrics, .. } = &running;
    until("the first status", || api.reported() == "first" && reconciles.get() == 1).await;
    api.hold_watches_after_next();
    api.write_text("second");
    api.edit(|note| note["metadata"]["annotations"] = json!({"a": "b"}));
    let is_refused = || api.writes.lock().iter().any(|write| write == "PATCH status 409");
    until("a refusal: the annotation made a newer version", is_refused).await;
    assert_eq!(api.reported(), "first");
    api.release_watches();
    until("the newer version to be decided", || api.reported() == "second").await;
    for (name, counter) in [("errors", &metrics.errors), ("retries", &metrics.retries)] {
        assert_eq!(counter.with_label_values(&["note"]).get(), 0, "{name}");
    }
}

#[tokio::test]
async fn the_watch_of_an_own_write_starts_nothing_even_where_it_is_faster_than_the_answer() {
    let running = Running::start().await;
    let Running { api, reconciles, .. } = &running;
    api.answer_after(Duration::from_millis(100));
    until("the first status", || api.reported() == "first" && reconciles.get() == 1).await;
    api.write_text("second");
    until("the second status", || api.reported() == "second" && reconciles.get() == 2).await;
    tokio::time::sleep(IDLE).await;
    assert_eq!(reconciles.get(), 2, "one for each text");
    let others = json!({"type": "AnotherTeams", "status": "True", "reason": "R", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    api.edit(|note| note["status"]["conditions"].as_array_mut().unwrap().push(others));
    api.edit(|note| note["metadata"]["annotations"] = json!({"a": "b"}));
    tokio::time::sleep(IDLE).await;
    assert_eq!(reconciles.get(), 2, "nothing that the operator decides has changed");
}
