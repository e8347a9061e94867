//! What a page's conditions say of its rows: what its pods report, and not what the models' statuses promise. And models in its pods.

use marquee_crds::{
    conditions::{ConditionType, find},
    page_layout::Topology,
    termination::Termination,
};
use marquee_operator::observed::{Ended, PodFacts};
use serde_json::json;

use crate::{
    cluster::{DRAIN, at, layout, model},
    surface::Surface,
};
use marquee_crds::conditions::Reason;

fn two_models() -> Surface {
    let similar = model("similar", json!({ "artifact": { "uri": "s3://models/b" } }));
    let models = vec![model("top-picks", json!({})), similar];
    let mut surface = Surface::new(layout(&["top-picks", "similar"], json!({})), models);
    surface.settle(|_| true);
    surface
}

#[test]
fn a_page_whose_pods_report_the_fallback_is_degraded_until_they_report_models() {
    use ConditionType::{Degraded, ModelsResolved, Ready};
    let mut surface = two_models();
    surface.report(&[("similar", 0), ("top-picks", 100)], &[]);
    surface.settle(|_| true);
    let (status, reason, message) = surface.page_says(ModelsResolved);
    assert_eq!(
        (status, reason),
        ("False", "ModelNotReady"),
        "though the statuses of the models say that all is well"
    );
    assert_eq!(
        message,
        "RankingModel top-picks does not answer, so the fallback fills its rows: see its status"
    );
    assert_eq!(surface.page_says(Degraded), ("True", "ModelNotReady", "ModelNotReady, see ModelsResolved"));
    assert_eq!(surface.page_says(Ready).0, "True", "the page is answered");
    assert_eq!(surface.page_status().why, "ModelNotReady");

    surface.report(&[("similar", 0), ("top-picks", 0)], &[]);
    surface.settle(|_| true);
    assert_eq!(surface.page_says(ModelsResolved).1, "AllModelsServed");
    assert_eq!((surface.page_says(Degraded).0, surface.page_status().why.as_str()), ("False", ""));
}

#[test]
fn a_page_whose_pods_report_models_is_whole_whatever_the_models_say() {
    let mut surface = two_models();
    surface.report(&[("similar", 0), ("top-picks", 0)], &[]);
    surface.models[0].1.observed.pods.clear();
    surface.settle(|who| who != "top-picks");
    assert_eq!(surface.model_says(0, ConditionType::Ready).0, "False");
    assert_eq!(surface.page_says(ConditionType::ModelsResolved).0, "True");
    // Pods that were not asked yet report nothing: then the model's own status counts.
    surface.page.observed.pods.iter_mut().for_each(|pod| pod.page = None);
    surface.settle(|who| who != "top-picks");
    assert_eq!(surface.page_says(ConditionType::ModelsResolved).0, "False");
}

#[test]
fn a_share_of_pods_or_viewers_is_named() {
    let mut surface = two_models();
    surface.report(&[("similar", 25), ("top-picks", 0)], &[]);
    let mut second = surface.page.observed.pods[0].clone();
    second.name = "pod-2".into();
    second.page.as_mut().unwrap().fallback_percent.insert("top-picks".into(), 100);
    surface.page.observed.pods.push(second);
    surface.settle(|_| true);
    let message = surface.page_says(ConditionType::ModelsResolved).2;
    assert_eq!(
        message,
        "the RankingModels similar (for 25 % of the viewers) and top-picks (in 1 of 2 pods of the page) do not answer, so the \
         fallback fills their rows: see their status"
    );
}

#[test]
fn models_that_move_into_the_page_are_never_called_silent() {
    let mut surface = two_models();
    surface.report(&[("similar", 0), ("top-picks", 0)], &[]);
    surface.layout.spec.topology = Topology::Monolith;
    surface.wait(60);
    surface.settle(|who| who != "page");
    assert_eq!(surface.page_says(ConditionType::ModelsResolved).0, "True", "the pods that answer are whole");
    surface.page.observed.pods.iter_mut().for_each(|pod| (pod.ready, pod.page) = (true, None));
    surface.settle(|_| true);
    assert_eq!(surface.page_says(ConditionType::ModelsResolved).0, "True", "the new ones run the models");
    assert_eq!(surface.page_says(ConditionType::Degraded).0, "False");
}

#[test]
fn a_row_that_can_never_be_shown_is_a_condition_with_the_mend_of_the_pod() {
    const WARNING: &str = "row \"western\" is never shown: no title of the catalogue has the genre \"Westernn\"; correct \
                           source.genre.name (the nearest is \"Western\")";
    let mut surface = two_models();
    surface.report(&[("similar", 0), ("top-picks", 0)], &[WARNING]);
    surface.settle(|_| true);
    assert_eq!(surface.page_says(ConditionType::Degraded), ("True", "RowsNotShown", WARNING));
    assert_eq!(surface.page_status().why, "RowsNotShown");
    surface.report(&[("similar", 0), ("top-picks", 100)], &[WARNING]);
    surface.settle(|_| true);
    let expected = format!("ModelNotReady, see ModelsResolved; {WARNING}");
    assert_eq!(surface.page_says(ConditionType::Degraded), ("True", "ModelNotReady", expected.as_str()));
}

/// The pods of the page that are not ready end with this reason.
fn break_pods(surface: &mut Surface, message: &str) {
    let said = Termination { reason: Reason::NotFinite, message: message.into() };
    let ended = Ended { exit_code: 3, reason: "Error".into(), said: Some(said), at: None };
    let is_new = |pod: &&mut PodFacts| !pod.ready;
    surface.page.observed.pods.iter_mut().filter(is_new).for_each(|pod| pod.ended = Some(ended.clone()));
}

#[test]
fn a_broken_artifact_of_a_monolith_is_told_as_that_of_a_model_with_pods_and_stalls_at_its_deadline() {
    use ConditionType::{ArtifactResolved, Degraded, Progressing, Ready, Reconciling, RolledOut, Stalled};
    let mut surface = two_models();
    surface.layout.spec.topology = Topology::Monolith;
    surface.settle(|_| true);
    surface.wait(i64::try_from(DRAIN).unwrap() + 1);
    surface.settle(|_| true);
    assert_eq!(surface.model_says(0, RolledOut).0, "True");

    surface.models[0].0.spec.artifact.uri = "s3://models/nan".into();
    surface.models[0].0.spec.progress_deadline.0 = std::time::Duration::from_secs(60);
    surface.settle(|who| who != "page");
    assert_eq!(surface.model_says(0, Reconciling).0, "True");
    assert_eq!(
        surface.model_says(0, RolledOut),
        ("False", "RevisionStarting", "what the spec asks for does not answer yet: see Progressing")
    );
    assert_eq!(surface.model_says(1, RolledOut).0, "True", "the other one is what its spec asks for");
    break_pods(&mut surface, "RankingModel shop/top-picks: tensor \"titles\" holds NaN: train it again");
    surface.settle(|who| who != "page");
    let (status, reason, message) = surface.model_says(0, ArtifactResolved);
    assert_eq!((status, reason), ("False", "NotFinite"));
    assert!(message.contains("holds NaN"), "{message}");
    assert_eq!(surface.model_says(0, Degraded).0, "True");
    assert_eq!(surface.model_says(0, Degraded).1, "NotFinite");
    assert_eq!(surface.model_says(0, Ready).0, "True", "the revision before answers");
    assert_eq!(surface.model_status(0).why, "NotFinite");

    surface.wait(61);
    surface.settle(|who| who != "page");
    assert_eq!(surface.model_says(0, Stalled).0, "True");
    assert_eq!(
        (surface.model_says(0, Progressing).0, surface.model_says(0, Progressing).1),
        ("False", "ProgressDeadlineExceeded")
    );
    let holds = |found: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
        found.message.contains("holds NaN")
    };
    assert_eq!(surface.model_status(0).conditions.iter().filter(holds).count(), 1, "said once");
    surface.settle(|who| who != "page");
    assert_eq!(surface.model_says(0, Stalled).0, "True", "it stays so");

    surface.models[0].0.spec.artifact.uri = "s3://models/c".into();
    surface.page.observed.pods.iter_mut().for_each(|pod| pod.ended = None);
    surface.settle(|who| who != "page");
    assert_eq!(find(&surface.model_status(0).conditions, Stalled), None, "another revision has its own time");
    surface.page.observed.pods.iter_mut().for_each(|pod| pod.ready = true);
    surface.settle(|_| true);
    assert_eq!((surface.model_says(0, RolledOut).0, surface.model_status(0).why.as_str()), ("True", ""));
}

#[test]
fn a_new_model_of_a_monolith_whose_pods_never_run_it_stalls_at_its_deadline() {
    let spec = json!({ "progressDeadline": "1m" });
    let layout = layout(&["top-picks"], json!({ "topology": "Monolith" }));
    let mut surface = Surface::new(layout, vec![model("top-picks", spec)]);
    surface.settle(|_| false);
    assert_eq!(surface.model_says(0, ConditionType::Reconciling).0, "True");
    break_pods(&mut surface, "RankingModel shop/top-picks: tensor \"titles\" holds NaN");
    surface.wait(61);
    surface.settle(|_| false);
    let (status, reason, message) = surface.model_says(0, ConditionType::Ready);
    assert_eq!((status, reason), ("False", "NotFinite"));
    assert!(
        message.contains("PageLayout shop/home") && message.contains("see ArtifactResolved"),
        "{message}"
    );
    assert_eq!(surface.model_says(0, ConditionType::Stalled).0, "True");
}

#[test]
fn the_next_model_of_an_objective_takes_the_place_of_one_that_is_being_deleted() {
    let mut surface = two_models();
    surface.layout.spec.topology = Topology::Monolith;
    surface.models[1].0.spec.objective = "top-picks".into();
    surface.models[1].0.metadata.creation_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(50)));
    surface.settle(|_| true);
    let hosted = |surface: &Surface| -> Vec<String> {
        surface.page_status().models.iter().map(|model| model.name.clone()).collect()
    };
    assert_eq!(hosted(&surface), ["top-picks"], "the older one");
    surface.models[0].0.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(200)));
    surface.settle(|_| true);
    assert_eq!(hosted(&surface), ["similar"]);
}
