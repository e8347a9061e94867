//! A real API server accepts valid resources, and refuses invalid ones with a message that says the fix.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "admit/kubectl.rs"]
mod kubectl;
#[path = "../../crds/tests/rules/mod.rs"]
mod rules;
#[path = "admit/rules_hold.rs"]
mod rules_hold;
#[path = "admit/schema.rs"]
mod schema;

use kube::{
    Api, Client, Config,
    api::{DynamicObject, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{ApiResource, response::StatusCause},
};
use marquee_crds::{PageLayout, RankingModel};
use marquee_tests::{Outcome, cluster::ApiServer};
use serde_json::Value;

/// Resources of one kind in one namespace.
async fn resources(kind: &str, namespace: &str) -> Outcome<Api<DynamicObject>> {
    let kubeconfig = Kubeconfig::read_from(ApiServer::shared_with_kinds().await?.kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let resource = match kind {
        "RankingModel" => ApiResource::erase::<RankingModel>(&()),
        _ => ApiResource::erase::<PageLayout>(&()),
    };
    Ok(Api::namespaced_with(Client::try_from(config)?, namespace, &resource))
}

/// Field and message of each fault that the API server finds in the object. It does not store the object.
async fn faults(resources: &Api<DynamicObject>, object: &Value) -> Outcome<Vec<(String, String)>> {
    let object = serde_json::from_value(object.clone())?;
    let created = resources.create(&PostParams { dry_run: true, ..PostParams::default() }, &object).await;
    complaints(created.map(drop))
}

/// The causes of a refusal. Empty if there was no refusal.
fn complaints(answer: kube::Result<()>) -> Outcome<Vec<(String, String)>> {
    match answer {
        Ok(()) => Ok(Vec::new()),
        Err(kube::Error::Api(status)) if status.reason == "Invalid" => {
            let cause = |cause: StatusCause| (cause.field, cause.message);
            let causes = status.details.map(|details| details.causes).unwrap_or_default();
            // The API server adds this cause when it skipped a rule because of a fault, which it also names.
            let skipped = |message: &str| message.contains("some validation rules were not checked");
            Ok(causes.into_iter().map(cause).filter(|(_, message)| !skipped(message)).collect())
        }
        Err(other) => Err(other.into()),
    }
}
