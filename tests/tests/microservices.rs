//! A page whose models answer in processes of their own: what the single process shows, whatever becomes of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "microservices/api_server.rs"]
mod api_server;
#[path = "microservices/pod.rs"]
mod pod;
#[path = "microservices/same_page.rs"]
mod same_page;
#[path = "microservices/status.rs"]
mod status;
#[path = "microservices/trouble.rs"]
mod trouble;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use marquee_crds::{PageLayout, RankingModel, pod_config};
use marquee_tests::{Outcome, data, http_client, runtime::Runtime, wait};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

const MODELS: [&str; 3] = ["rated-for-you", "similar", "top-picks"];

/// Artifacts of the homepage, trained once for all tests of this file.
async fn artifacts() -> Outcome<&'static Path> {
    data::trained_home("microservices-home").await
}

/// A manifest of `examples/homepage`.
fn example(name: &str) -> Outcome<Value> {
    let path = data::repository().join(format!("examples/homepage/{name}.yaml"));
    Ok(serde_yaml::from_str(&fs::read_to_string(path)?)?)
}

/// The layout, with a deadline that a loaded machine keeps too.
fn layout() -> Outcome<PageLayout> {
    let mut layout = example("layout")?;
    layout["spec"]["deadline"] = json!("5s");
    Ok(serde_json::from_value(layout)?)
}

fn model(name: &str) -> Outcome<RankingModel> {
    Ok(serde_json::from_value(example(name)?)?)
}

/// The page's process, and those of its models.
struct Split {
    page: Runtime,
    /// By objective.
    rankers: BTreeMap<String, Vec<Runtime>>,
    folder: TempDir,
}

impl Split {
    /// `n` processes a model, and the page when it has asked them all.
    async fn start(n: usize) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let mut rankers: BTreeMap<String, Vec<Runtime>> = BTreeMap::new();
        for name in MODELS {
            let model = model(name)?;
            let mut pods = Vec::new();
            for _ in 0..n {
                pods.push(ranker(folder.path(), name).await?);
            }
            rankers.insert(model.spec.objective, pods);
        }
        write_plan(folder.path(), &[("aa", 100)], &rankers)?;
        let page = page(folder.path()).await?;
        Ok(Self { page, rankers, folder })
    }

    /// A page as the browser gets it, without what tells the time.
    async fn ask(&self, viewer: &str) -> Outcome<Value> {
        ask(&self.page, &json!({ "viewer": viewer })).await
    }

    /// The answering revisions of an objective, as `/status` has them.
    async fn answering(&self, objective: &str) -> Outcome<Vec<String>> {
        let status: Value =
            http_client()?.get(format!("{}/status", self.page.http)).send().await?.json().await?;
        let targets = status["traffic"]["objectives"][objective].as_array().cloned().unwrap_or_default();
        let answers = targets.iter().filter(|target| target["answers"] == true);
        Ok(answers.filter_map(|target| Some(target["revision"].as_str()?.to_owned())).collect())
    }
}

/// A process that serves one model of the examples.
async fn ranker(folder: &Path, name: &str) -> Outcome<Runtime> {
    let config = write_config(folder, name, &pod_config::ranker_pod(&model(name)?))?;
    Runtime::start(artifacts().await?, &["--config", &config]).await
}

/// A process that serves the page, as the plan of `folder` says.
async fn page(folder: &Path) -> Outcome<Runtime> {
    let config = write_config(folder, "page", &pod_config::page_pod(&layout()?))?;
    let plan = folder.join("plan.json").display().to_string();
    let args = ["--config", &config, "--traffic-plan", &plan, "--poll", "20ms"];
    Runtime::start(artifacts().await?, &args).await
}

fn write_config(folder: &Path, name: &str, config: &pod_config::PodConfig) -> Outcome<String> {
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, serde_json::to_vec(config)?)?;
    Ok(path.display().to_string())
}

/// The same revisions for every model, all at its processes.
fn write_plan(folder: &Path, revisions: &[(&str, u32)], rankers: &BTreeMap<String, Vec<Runtime>>) -> Outcome {
    let targets = |pods: &Vec<Runtime>| -> Value {
        let addresses: Vec<&str> = pods.iter().map(|pod| pod.grpc.as_str()).collect();
        let target = |&(revision, weight): &(&str, u32)| json!({"revision": revision, "weight": weight, "addresses": addresses});
        revisions.iter().map(target).collect()
    };
    let objectives: BTreeMap<&String, Value> =
        rankers.iter().map(|(name, pods)| (name, targets(pods))).collect();
    // A file that is replaced is never read half.
    let (new, path) = (folder.join("plan.new"), folder.join("plan.json"));
    fs::write(&new, serde_json::to_vec(&json!({ "objectives": objectives }))?)?;
    Ok(fs::rename(new, path)?)
}

async fn ask(page: &Runtime, body: &Value) -> Outcome<Value> {
    let url = format!("{}/v1/surfaces/home/page", page.http);
    let answer = http_client()?.post(url).json(body).send().await?.error_for_status()?;
    let mut page: Value = answer.json().await?;
    page.as_object_mut().ok_or("no object")?.retain(|field, _| field != "timings");
    Ok(page)
}

/// Reasons of degraded rows for which a model is to blame.
fn blamed(page: &Value) -> Vec<&str> {
    let rows = page["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let reasons = rows.iter().filter_map(|row| row["degraded"].as_str());
    reasons.filter(|reason| *reason != "ViewerUnknown").collect()
}

/// Pages asked without a pause over connections that are kept.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    degraded: Arc<AtomicUsize>,
    tasks: JoinSet<Outcome>,
}

impl Load {
    fn start(page: &Runtime) -> Outcome<Self> {
        let (stop, answered, degraded) = <(Arc<AtomicBool>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (client, mut tasks) = (http_client()?, JoinSet::new());
        for task in 0..4 {
            let url = format!("{}/v1/surfaces/home/page", page.http);
            let (client, stop, answered, degraded) =
                (client.clone(), stop.clone(), answered.clone(), degraded.clone());
            tasks.spawn(async move {
                for n in 0.. {
                    if stop.load(Relaxed) {
                        break;
                    }
                    let viewer = (1 + (n * 4 + task) % 900).to_string();
                    let answer = client.post(&url).json(&json!({ "viewer": viewer })).send().await?;
                    let page: Value = answer.error_for_status()?.json().await?;
                    degraded.fetch_add(usize::from(!blamed(&page).is_empty()), Relaxed);
                    answered.fetch_add(1, Relaxed);
                }
                Ok(())
            });
        }
        Ok(Self { stop, answered, degraded, tasks })
    }

    /// Waits for so many pages more.
    async fn more(&self, n: usize) -> Outcome {
        let enough = self.answered.load(Relaxed) + n;
        wait::until("pages under load", async || Ok((self.answered.load(Relaxed) >= enough).then_some(())))
            .await
    }

    /// Ends it; an error is that of the first page that failed. Pages answered, and those of them with a degraded row.
    async fn end(mut self) -> Outcome<(usize, usize)> {
        self.stop.store(true, Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok((self.answered.load(Relaxed), self.degraded.load(Relaxed)))
    }
}
