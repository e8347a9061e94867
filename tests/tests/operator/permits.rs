//! After a change of the runtime's image, next revisions start one after the other, as `--max-starting` says.

use marquee_tests::{Outcome, operator::OperatorFixture, wait};
use serde_json::{Value, json};

const MODELS: [&str; 3] = ["a", "b", "c"];

fn model(name: &str) -> Value {
    json!({
        "apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel", "metadata": {"name": name},
        "spec": {
            "surface": "home", "objective": name, "revisionHistoryLimit": 0,
            "artifact": {"uri": "s3://models/top", "sha256": "0".repeat(64)},
        },
    })
}

/// How many Deployments with the next image have no ready pod.
async fn n_starting(fixture: &OperatorFixture) -> Outcome<usize> {
    let deployments = fixture.api("Deployment")?.list(&Default::default()).await?;
    let starts = deployments.into_iter().filter(|deployment| {
        let pod = &deployment.data["spec"]["template"]["spec"]["containers"][0];
        pod["image"] == "runtime:2" && deployment.data["status"]["readyReplicas"].as_i64().unwrap_or(0) == 0
    });
    Ok(starts.count())
}

async fn reasons(fixture: &OperatorFixture) -> Outcome<Vec<String>> {
    let mut reasons = Vec::new();
    for name in MODELS {
        reasons.push(fixture.condition("RankingModel", name, "Progressing").await?.0);
    }
    reasons.sort();
    Ok(reasons)
}

#[tokio::test(flavor = "multi_thread")]
async fn next_revisions_wait_for_their_turn_and_all_get_it() -> Outcome {
    let fixture = OperatorFixture::new("permits").await?;
    let mut first = fixture.start_operator(&["--leader-elect=false", "--runtime-image=runtime:1"])?;
    for name in MODELS {
        fixture
            .api("RankingModel")?
            .create(&Default::default(), &serde_json::from_value(model(name))?)
            .await?;
    }
    fixture
        .until("first revisions, which need no permit", async || {
            Ok(reasons(&fixture).await?.iter().all(|reason| reason == "True UpToDate"))
        })
        .await?;
    first.kill().await?;

    let args = ["--leader-elect=false", "--runtime-image=runtime:2", "--max-starting=1"];
    let _second = fixture.start_operator(&args)?;
    // Nobody reports pods as ready meanwhile.
    wait::until("one to start and the others to wait", async || {
        let expected = ["True RevisionStarting", "True RevisionWaiting", "True RevisionWaiting"];
        Ok((reasons(&fixture).await? == expected).then_some(()))
    })
    .await?;
    assert_eq!(n_starting(&fixture).await?, 1);
    // `until` makes the pods of one revision ready after the other.
    fixture
        .until("every next revision to have its turn", async || {
            assert!(n_starting(&fixture).await? <= 1, "two start at the same time");
            let reasons = reasons(&fixture).await?;
            Ok(reasons
                .iter()
                .all(|reason| ["True UpToDate", "True RevisionDraining"].contains(&reason.as_str())))
        })
        .await?;
    let images =
        fixture.api("Deployment")?.list(&Default::default()).await?.into_iter().filter(|deployment| {
            deployment.data["spec"]["template"]["spec"]["containers"][0]["image"] == "runtime:2"
        });
    assert_eq!(images.count(), MODELS.len());
    Ok(())
}
