//! What a real API server makes of good and bad resources: it refuses what is wrong and says the mend.

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

/// What the API server has against the object: a field and a message each. Nothing is kept.
async fn faults(resources: &Api<DynamicObject>, object: &Value) -> Outcome<Vec<(String, String)>> {
    let object = serde_json::from_value(object.clone())?;
    let asked = resources.create(&PostParams { dry_run: true, ..PostParams::default() }, &object).await;
    complaints(asked.map(drop))
}

/// The causes of a refusal; none where there was no refusal.
fn complaints(asked: kube::Result<()>) -> Outcome<Vec<(String, String)>> {
    match asked {
        Ok(()) => Ok(Vec::new()),
        Err(kube::Error::Api(status)) if status.reason == "Invalid" => {
            let cause = |cause: StatusCause| (cause.field, cause.message);
            let causes = status.details.map(|details| details.causes).unwrap_or_default();
            // It says so wherever it skipped a rule because of a fault that it names as well.
            let skipped = |message: &str| message.contains("some validation rules were not checked");
            Ok(causes.into_iter().map(cause).filter(|(_, message)| !skipped(message)).collect())
        }
        Err(other) => Err(other.into()),
    }
}
