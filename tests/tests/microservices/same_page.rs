//! The page is the same wherever its models run.

use marquee_tests::data::viewers;

use super::*;

#[tokio::test]
async fn pages_equal_those_of_a_single_process() -> Outcome {
    let folder = tempfile::tempdir()?;
    for name in MODELS {
        fs::write(folder.path().join(format!("{name}.yaml")), serde_yaml::to_string(&example(name)?)?)?;
    }
    fs::write(folder.path().join("layout.yaml"), serde_yaml::to_string(&layout()?)?)?;
    let single = Runtime::serve(folder.path(), artifacts().await?, &[]).await?;
    let split = Split::start(1).await?;
    for viewer in viewers() {
        for recent in [&[][..], &["50"], &["172", "no-such-title", "1", "50", "172"]] {
            let body = json!({ "viewer": viewer, "recent": recent });
            let (one, other) = (ask(&single, &body).await?, ask(&split.page, &body).await?);
            assert!(model_failures(&one).is_empty(), "{body}: a model failed in the single process: {one}");
            assert_eq!(serde_json::to_string(&one)?, serde_json::to_string(&other)?, "{body}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_viewer_keeps_a_revision_while_weights_stay() -> Outcome {
    let split = Split::start(1).await?;
    write_plan(split.folder.path(), &[("aa", 50), ("bb", 50)], &split.rankers)?;
    wait::until("both revisions to answer", async || {
        Ok((split.answering("top-picks").await? == ["aa", "bb"]).then_some(()))
    })
    .await?;
    for _ in 0..3 {
        for viewer in viewers() {
            split.ask(&viewer).await?;
        }
    }
    let metrics = http_client()?.get(format!("{}/metrics", split.page.http)).send().await?.text().await?;
    let queries = |revision: &str| -> usize {
        let of_revision = format!("revision=\"{revision}\"");
        let lines = metrics.lines().filter(|line| {
            line.starts_with("marquee_rankers_requests_total")
                && line.contains("rated-for-you")
                && line.contains(&of_revision)
        });
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
    };
    let (aa, bb) = (queries("aa"), queries("bb"));
    assert_eq!(aa + bb, 60, "one query for each page: {metrics}");
    assert!(
        aa % 3 == 0 && bb % 3 == 0 && aa > 0 && bb > 0,
        "a viewer changed its revision: {aa} and {bb} queries"
    );
    Ok(())
}
