//! The CEL rules on a real API server, with the same rows as the unit tests of the kinds.

use kube::api::{DynamicObject, PostParams};
use marquee_tests::{Outcome, cluster::ApiServer};
use serde_json::json;

use super::{
    complaints, faults, resources,
    rules::{KINDS, fixed, rows, schema, smallest, with},
};

#[tokio::test]
async fn a_rule_accepts_what_is_right_and_refuses_what_is_wrong() -> Outcome {
    let mut n_rows = 0;
    for kind in KINDS {
        let resources = resources(kind, "default").await?;
        for row in rows(kind) {
            let found = faults(&resources, &with(smallest(kind), &row.pointer, &row.value)).await?;
            let about = format!("{kind}: {} ({}): {found:?}", row.why, row.pointer);
            match row.refused {
                None => assert!(found.is_empty(), "{about}"),
                Some(message) => {
                    assert_eq!(found.len(), 1, "{about}");
                    assert!(found[0].1.ends_with(message), "{about}");
                }
            }
            n_rows += 1;
        }
    }
    println!("{n_rows} rows");
    assert!(n_rows >= 60, "{n_rows} rows");
    Ok(())
}

#[tokio::test]
async fn a_surface_cannot_be_changed_and_other_fields_can() -> Outcome {
    ApiServer::shared_with_kinds().await?.kubectl(&["create", "namespace", "fixed"])?;
    for (kind, free, other) in
        [("RankingModel", "/spec/objective", json!("other")), ("PageLayout", "/spec/deadline", json!("50ms"))]
    {
        let resources = resources(kind, "fixed").await?;
        let object = with(smallest(kind), "/metadata/namespace", &json!("fixed"));
        let made = resources.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
        let name = made.metadata.name.clone().unwrap();
        let replace = async |pointer: &str, value| -> Outcome<_> {
            let changed: DynamicObject =
                serde_json::from_value(with(serde_json::to_value(&made)?, pointer, value))?;
            let dry = PostParams { dry_run: true, ..PostParams::default() };
            complaints(resources.replace(&name, &dry, &changed).await.map(drop))
        };
        assert_eq!(replace(free, &other).await?, [], "{kind}: {free} may change");
        let (pointer, value, message) = fixed(kind);
        let found = replace(pointer, &value).await?;
        assert!(found.len() == 1 && found[0].1.ends_with(message), "{kind}: {found:?}");
    }
    Ok(())
}

/// The rules see the default of a field that is absent.
#[tokio::test]
async fn rules_see_defaults() -> Outcome {
    let resources = resources("RankingModel", "default").await?;
    #[rustfmt::skip]
    let cases = [
        ("the default folder",   "/spec/artifact", json!({"uri": "file:///artifacts/ease", "volume": {"claimName": "models"}}), None),
        ("another folder",       "/spec/artifact", json!({"uri": "file:///models/ease", "volume": {"claimName": "models"}}),    Some("uri is outside the volume")),
        ("fewer pods than one",  "/spec/serving",  json!({"replicas": {"max": 0}}),        Some("should be greater than or equal to 1")),
        ("a batch of one",       "/spec/serving",  json!({"batching": {"maxBatch": 1}}),   None),
        ("a wait by itself",     "/spec/serving",  json!({"batching": {"maxDelay": "2ms"}}), None),
        ("null counts as absent", "/spec/serving", json!(null),                            None),
    ];
    for (why, pointer, value, refused) in cases {
        let found = faults(&resources, &with(smallest("RankingModel"), pointer, &value)).await?;
        let is_named = found.iter().any(|(_, message)| refused.is_some_and(|part| message.contains(part)));
        assert_eq!((found.is_empty(), is_named), (refused.is_none(), refused.is_some()), "{why}: {found:?}");
    }
    Ok(())
}

#[tokio::test]
async fn absent_fields_get_their_defaults() -> Outcome {
    #[rustfmt::skip]
    let expected = [
        ("RankingModel", json!({
            "serving": {
                "batching": {"maxBatch": 32, "maxDelay": "0ms"}, "maxTopK": 500, "replicas": {"min": 1},
                "autoscaling": {"targetCpuPercent": 70},
            },
            "resources": {}, "progressDeadline": "10m", "revisionHistoryLimit": 3,
        })),
        ("PageLayout", json!({
            "page": {"rows": 10, "titlesPerRow": 20}, "deduplicate": "Page", "deadline": "100ms", "fallback": "Popular",
            "topology": "Microservices", "replicas": {"min": 1}, "autoscaling": {"targetCpuPercent": 70},
            "resources": {}, "progressDeadline": "10m", "revisionHistoryLimit": 3,
        })),
    ];
    for (kind, filled) in expected {
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let object = serde_json::from_value(smallest(kind))?;
        let made = resources(kind, "default").await?.create(&dry, &object).await?;
        let mut spec = smallest(kind)["spec"].clone();
        spec.as_object_mut().unwrap().extend(filled.as_object().unwrap().clone());
        assert_eq!(made.data["spec"], spec, "{kind}");
    }
    // Fails when a default is added to the schema and not to the list above.
    for (kind, filled) in [("RankingModel", 4), ("PageLayout", 10)] {
        let properties = schema(kind)["properties"]["spec"]["properties"].clone();
        let defaults =
            properties.as_object().unwrap().values().filter(|field| field.get("default").is_some());
        assert_eq!(defaults.count(), filled, "{kind}");
    }
    Ok(())
}
