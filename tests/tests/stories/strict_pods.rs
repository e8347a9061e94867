use marquee_tests::{Outcome, platform::Platform};
use serde_json::{Value, json};

/// The fields that strict clusters ask for reach a pod that a kubelet accepts and runs.
#[tokio::test(flavor = "multi_thread")]
async fn pods_with_every_field_of_a_strict_cluster_are_admitted_and_serve() -> Outcome {
    let Some(platform) = Platform::new("strict-pods").await? else { return Ok(()) };
    let cluster_wide = json!({ "apiVersion": "v1", "kind": "List", "items": [
        { "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": { "name": "story-serving" }, "value": 1000 },
        { "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": { "name": "story-runc" }, "handler": "runc" },
        { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "reads-artifacts" } },
    ]});
    platform.apply(&cluster_wide.to_string()).await?;
    let on_linux = json!({ "nodeSelectorTerms": [{ "matchExpressions": [
        { "key": "kubernetes.io/os", "operator": "In", "values": ["linux"] },
    ]}]});
    let model = |name: &str, objective: &str, account: Value| {
        json!({
            "apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel", "metadata": { "name": name },
            "spec": {
                "surface": "home", "objective": objective,
                "artifact": {
                    "uri": "file:///artifacts/home-ials",
                    "volume": { "claimName": "marquee-artifacts", "mountPath": "/artifacts" },
                },
                "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": on_linux } },
                "priorityClassName": "story-serving",
                "runtimeClassName": "story-runc",
                "schedulerName": "default-scheduler",
                "terminationGracePeriodSeconds": 45,
                "env": [{ "name": "AWS_REGION", "value": "eu-west-1" }],
                "serviceAccount": account,
            },
        })
    };
    let role = "arn:aws:iam::111122223333:role/reads-artifacts";
    let annotated = json!({ "annotations": { "eks.amazonaws.com/role-arn": role } });
    platform.apply(&model("annotated", "top-picks", annotated).to_string()).await?;
    platform.apply(&model("named", "similar", json!({ "name": "reads-artifacts" })).to_string()).await?;

    for name in ["annotated", "named"] {
        platform.ready(&format!("rankingmodel/{name}")).await?;
        let pods = platform.list(&format!("pods -l marquee.dev/model={name}")).await?;
        let [pod] = pods.as_slice() else { return Err(format!("{} pods of {name}", pods.len()).into()) };
        let spec = &pod["spec"];
        assert_eq!(spec["priorityClassName"], "story-serving");
        assert_eq!(spec["priority"], 1000);
        assert_eq!(spec["runtimeClassName"], "story-runc");
        assert_eq!(spec["schedulerName"], "default-scheduler");
        assert_eq!(spec["terminationGracePeriodSeconds"], 45);
        assert_eq!(
            spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"],
            on_linux
        );
        let env = spec["containers"][0]["env"].as_array().ok_or("no env")?;
        assert!(env.contains(&json!({ "name": "AWS_REGION", "value": "eu-west-1" })), "{env:?}");
        let account = spec["serviceAccountName"].as_str().ok_or("no ServiceAccount")?;
        let found = platform.get(&format!("serviceaccount/{account}")).await?;
        let annotation = found["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].as_str();
        match name {
            "annotated" => assert_eq!(annotation, Some(role), "{found}"),
            _ => assert_eq!((account, annotation), ("reads-artifacts", None)),
        }
    }
    platform.kubectl("delete priorityclass/story-serving runtimeclass/story-runc").await.map(drop)
}
