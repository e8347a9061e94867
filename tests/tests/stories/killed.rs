use marquee_tests::{Outcome, platform::Platform};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

/// Requests in flight at once under the story's load.
const CONNECTIONS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_ranker_killed_under_load_fails_no_page() -> Outcome {
    let Some(platform) = Platform::new("killed").await? else { return Ok(()) };
    platform.patient_homepage().await?;
    let two = json!({ "spec": { "serving": { "replicas": { "min": 2 } } } });
    platform.patch("rankingmodel/home-top-picks", &two).await?;
    let both = |model: &serde_json::Value| model["status"]["pods"] == "2/2";
    platform.until("rankingmodel/home-top-picks", "two rankers", both).await?;

    let load = platform.load(100, CONNECTIONS).await?;
    load.answers(100).await?;
    let pods = platform.list("pods -l marquee.dev/model=home-top-picks").await?;
    let container = pods[0]["status"]["containerStatuses"][0]["containerID"].as_str();
    let processes = platform.cluster.processes_of(container.ok_or("a pod without a container")?)?;
    assert!(!processes.is_empty(), "the pod has no process to kill");
    for process in processes {
        let process = i32::try_from(process).ok().and_then(Pid::from_raw).ok_or("no process number")?;
        // The process may have ended meanwhile.
        let _ = kill_process(process, Signal::KILL);
    }
    load.answers(300).await?;
    let tally = load.stop().await?;
    eprintln!(
        "killed: {} pages answered, {} degraded, {} late, {} failed",
        tally.answered,
        tally.degraded,
        tally.late,
        tally.failed.len()
    );
    tally.none_failed()?;
    assert!(
        tally.degraded <= CONNECTIONS,
        "{} pages degraded, more than were in flight: {:?}",
        tally.degraded,
        tally.fallback_rows
    );
    Ok(())
}
