//! `/status` of a page says which rows the fallback fills: what the conditions of a PageLayout rest on.

use super::*;

/// Share of viewers, in percent, whose rows the fallback fills, by objective.
async fn fallback(page: &Runtime) -> Outcome<BTreeMap<String, u64>> {
    let status: Value = http_client()?.get(format!("{}/status", page.http)).send().await?.json().await?;
    let objectives = status["pages"][0]["objectives"].as_array().cloned().unwrap_or_default();
    let percent = |of: &Value| Some((of["objective"].as_str()?.to_owned(), of["fallbackPercent"].as_u64()?));
    Ok(objectives.iter().filter_map(percent).collect())
}

async fn reports(page: &Runtime, objective: &str, percent: u64) -> Outcome {
    let what = format!("the fallback to fill {percent} % of {objective}");
    wait::until(&what, async || Ok((fallback(page).await?.get(objective) == Some(&percent)).then_some(())))
        .await
}

/// The plan is that of an API server whose EndpointSlice has no pod left.
#[tokio::test]
async fn a_model_without_pods_is_in_the_status_until_it_has_one() -> Outcome {
    let mut split = Split::start(1).await?;
    let whole = fallback(&split.page).await?;
    assert_eq!(whole.len(), MODELS.len(), "one objective for each model: {whole:?}");
    assert!(whole.values().all(|percent| *percent == 0), "{whole:?}");

    for gone in split.rankers.insert("top-picks".into(), Vec::new()).into_iter().flatten() {
        gone.stop().await?;
    }
    write_plan(split.folder.path(), &[("aa", 100)], &split.rankers)?;
    reports(&split.page, "top-picks", 100).await?;
    assert!(
        !model_failures(&split.ask("1").await?).is_empty(),
        "what a page shows, and what the status says"
    );
    assert_eq!(split.answering("top-picks").await?, Vec::<String>::new(), "no pod of it answers");
    let others: u64 = fallback(&split.page).await?.values().sum();
    assert_eq!(others, 100, "the other models answer");

    split.rankers.insert("top-picks".into(), vec![ranker(split.folder.path(), "top-picks").await?]);
    write_plan(split.folder.path(), &[("aa", 100)], &split.rankers)?;
    reports(&split.page, "top-picks", 0).await?;
    assert!(model_failures(&split.ask("1").await?).is_empty());
    Ok(())
}

/// The plan still names the pod: only the queries show that it is gone.
#[tokio::test]
async fn a_pod_that_does_not_answer_is_in_the_status_once_a_page_has_asked_it() -> Outcome {
    let mut split = Split::start(1).await?;
    for gone in split.rankers.remove("top-picks").into_iter().flatten() {
        gone.stop().await?;
    }
    wait::until("the status to say so", async || {
        split.ask("1").await?;
        Ok((fallback(&split.page).await?.get("top-picks") == Some(&100)).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_page_that_runs_its_models_itself_needs_no_fallback() -> Outcome {
    let models = MODELS.map(model).into_iter().collect::<Outcome<Vec<_>>>()?;
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), "monolith", &pod_config::monolith_pod(&layout()?, &models))?;
    let page = Runtime::start(artifacts().await?, &["--config", &config]).await?;
    let whole = fallback(&page).await?;
    assert_eq!((whole.len(), whole.values().sum::<u64>()), (MODELS.len(), 0), "{whole:?}");
    assert!(model_failures(&ask(&page, &json!({ "viewer": "1" })).await?).is_empty());
    Ok(())
}
