//! No page fails when the processes of models do.

use super::*;

#[tokio::test]
async fn a_process_killed_under_load_fails_no_page() -> Outcome {
    let mut split = Split::start(2).await?;
    let load = Load::start(&split.page)?;
    load.more(200).await?;
    let killed = split.rankers.get_mut("top-picks").and_then(Vec::pop).ok_or("no such process")?;
    killed.stop().await?;
    load.more(500).await?;
    let (answered, degraded) = load.end().await?;
    assert!(degraded <= 4, "{degraded} of {answered} pages were degraded, more than were in flight");
    Ok(())
}

#[tokio::test]
async fn traffic_that_moves_to_another_revision_degrades_no_page() -> Outcome {
    let mut split = Split::start(1).await?;
    let load = Load::start(&split.page)?;
    load.more(100).await?;
    let mut newer = BTreeMap::new();
    for name in MODELS {
        newer.insert(model(name)?.spec.objective, vec![ranker(split.folder.path(), name).await?]);
    }
    write_plan(split.folder.path(), &[("bb", 100)], &newer)?;
    wait::until("the new revision to answer", async || {
        Ok((split.answering("top-picks").await? == ["bb"] && split.answering("similar").await? == ["bb"])
            .then_some(()))
    })
    .await?;
    load.more(50).await?;
    // The old processes end last, as pods do once they get no more requests.
    for mut old in std::mem::replace(&mut split.rankers, newer).into_values().flatten() {
        assert!(old.terminate().await?.success());
    }
    load.more(200).await?;
    let (answered, degraded) = load.end().await?;
    assert_eq!(degraded, 0, "of {answered} pages");
    Ok(())
}

#[tokio::test]
async fn a_process_that_drains_fails_no_request() -> Outcome {
    let mut split = Split::start(2).await?;
    let load = Load::start(&split.page)?;
    load.more(200).await?;
    for pods in split.rankers.values_mut() {
        let mut drained = pods.pop().ok_or("no process")?;
        assert!(drained.terminate().await?.success());
    }
    load.more(300).await?;
    let (answered, degraded) = load.end().await?;
    assert_eq!(degraded, 0, "of {answered} pages: a drained connection loses no request");
    Ok(())
}

#[tokio::test]
async fn pages_use_fallbacks_while_no_model_answers_and_recover() -> Outcome {
    let mut split = Split::start(1).await?;
    assert!(model_failures(&split.ask("1").await?).is_empty());
    for stopped in std::mem::take(&mut split.rankers).into_values().flatten() {
        stopped.stop().await?;
    }
    let page = split.ask("1").await?;
    assert_eq!(page["degraded"], true, "{page}");
    assert!(page["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{page}");
    for name in MODELS {
        split.rankers.insert(model(name)?.spec.objective, vec![ranker(split.folder.path(), name).await?]);
    }
    write_plan(split.folder.path(), &[("aa", 100)], &split.rankers)?;
    wait::until("pages without model failures", async || {
        Ok(model_failures(&split.ask("1").await?).is_empty().then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_page_whose_models_do_not_answer_yet_is_ready_and_uses_fallbacks() -> Outcome {
    let folder = tempfile::tempdir()?;
    let no_pods = BTreeMap::from([("top-picks".to_owned(), Vec::new())]);
    write_plan(folder.path(), &[("aa", 100)], &no_pods)?;
    let page = page(folder.path()).await?;
    let shown = ask(&page, &json!({ "viewer": "1" })).await?;
    assert!(model_failures(&shown).iter().all(|reason| *reason == "ModelNotReady"), "{shown}");
    assert!(!model_failures(&shown).is_empty(), "{shown}");
    Ok(())
}
