//! Fits one algorithm on MovieLens 100K and prints its figures: the tool with which the examples' parameters were chosen.
//!
//! `tune ALGORITHM PARAMETERS [validation|test] [SEED]`, e.g. `tune ease '{"regularization": 300}'`. Parameters are JSON, as in
//! the parameters' structs; what is left out has its default. On `validation`, the default, the test part is never looked at:
//!
//! - ratings (`biased-mf`, `svd-plus-plus`): fit on rows 40,000.., judged on rows 20,000..40,000. The test part is rows ..20,000 (u1).
//! - rankings (`popularity`, `implicit-als`, `bpr`, `ease`): fit without each viewer's last two titles, judged on the one before the
//!   last. The test part is the last.
//!
//! The data lie in `$MARQUEE_CACHE/ml-100k`, where `make data` puts them.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool whose result is what it prints")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use marquee_algorithms::interactions::Duplicates;
use marquee_algorithms::metrics::{self, Bootstrap, RankingOptions};
use marquee_algorithms::split::{self, Split};
use marquee_algorithms::{
    FitContext, Interaction, Interactions, Progress, biased_mf, bpr, ease, implicit_als, popularity,
    svd_plus_plus,
};

type Outcome<T> = Result<T, Box<dyn Error>>;
type Scorer = Box<dyn Fn(u32, &mut [f32]) + Sync>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize, default: &str| arguments.get(at).map_or(default, String::as_str).to_owned();
    let (algorithm, parameters) = (argument(0, "ease"), argument(1, "{}"));
    let (is_test, seed) = (argument(2, "validation") == "test", argument(3, "1").parse()?);
    let threads = std::env::var("THREADS").map_or(Ok(0), |threads| threads.parse())?;
    let rows = movielens()?;
    let mut context = FitContext::new(seed, threads)?;
    let started = Instant::now();
    let line = match algorithm.as_str() {
        "biased-mf" | "svd-plus-plus" => explicit(&algorithm, &parameters, &rows, is_test, context)?,
        _ => implicit(&algorithm, &parameters, &rows, is_test, &mut context)?,
    };
    println!("{line} {:.1}s {algorithm} {parameters} seed={seed}", started.elapsed().as_secs_f64());
    Ok(())
}

fn movielens() -> Outcome<Vec<Interaction>> {
    let cache = std::env::var_os("MARQUEE_CACHE").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/marquee"));
    let path = cache.or_else(home).unwrap_or_default().join("ml-100k/ml-100k.inter");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}: run make data", path.display()))?;
    let row = |line: &str| -> Outcome<Interaction> {
        let fields: Vec<&str> = line.split('\t').collect();
        let id = |at: usize| fields[at].parse::<u32>().map(|id| id - 1);
        Ok(Interaction {
            viewer: id(0)?,
            title: id(1)?,
            rating: fields[2].parse()?,
            time: fields[3].parse()?,
        })
    };
    text.lines().skip(1).map(row).collect()
}

fn table(rows: &[Interaction]) -> Outcome<Interactions> {
    Ok(Interactions::from_rows(943, 1682, rows, Duplicates::Refuse)?)
}

fn explicit(
    algorithm: &str,
    parameters: &str,
    rows: &[Interaction],
    is_test: bool,
    context: FitContext<'_>,
) -> Outcome<String> {
    let first = split::fold(rows, 1, 5)?;
    let Split { train, test } = if is_test { first } else { split::fold(&first.train, 1, 4)? };
    let data = table(&train)?;
    let held = test.clone();
    let judge = move |model: &biased_mf::BiasedMf| {
        metrics::rate(
            &held,
            metrics::RatingScale { least: 1.0, most: 5.0 },
            Bootstrap { resamples: 0, seed: 0 },
            |viewer, title| model.predict(viewer, title),
        )
    };
    let mut context = context.with_observer(|progress: &Progress<'_>| {
        if progress.iteration.is_multiple_of(10) && std::env::var_os("VERBOSE").is_some() {
            eprintln!("{} training RMSE {:.4}", progress.iteration, progress.loss.unwrap_or_default());
        }
        ControlFlow::Continue(())
    });
    let model = if algorithm == "biased-mf" {
        biased_mf::fit(&data, &serde_json::from_str(parameters)?, &mut context)?
    } else {
        svd_plus_plus::fit(&data, &serde_json::from_str(parameters)?, &mut context)?.to_biased_mf(&data)
    };
    let report = judge(&model)?;
    Ok(format!("RMSE {:.4} MAE {:.4}", report.rmse.value, report.mae.value))
}

fn implicit(
    algorithm: &str,
    parameters: &str,
    rows: &[Interaction],
    is_test: bool,
    context: &mut FitContext<'_>,
) -> Outcome<String> {
    let last = split::leave_last_out(rows);
    let Split { train, test } = if is_test { last } else { split::leave_last_out(&last.train) };
    let (data, held) = (table(&train)?, table(&test)?);
    let scorer: Scorer = match algorithm {
        "popularity" => {
            let plays = popularity::fit(&data)?;
            Box::new(move |_, scores| scores.copy_from_slice(&plays))
        }
        "ease" => {
            let model = ease::fit(&data, &serde_json::from_str(parameters)?, context)?;
            let data = data.clone();
            Box::new(move |viewer, scores| model.score(data.history(viewer as usize), scores))
        }
        "implicit-als" => {
            let model = implicit_als::fit(&data, &serde_json::from_str(parameters)?, context)?;
            Box::new(move |viewer, scores| model.score(viewer, scores))
        }
        "bpr" => {
            let model = bpr::fit(&data, &serde_json::from_str(parameters)?, context)?;
            Box::new(move |viewer, scores| model.score(viewer, scores))
        }
        other => return Err(format!("no algorithm is called {other}").into()),
    };
    let report = metrics::rank(&data, &held, &RankingOptions::default(), scorer)?;
    let at = report.at(10).ok_or("no figures at 10")?;
    Ok(format!(
        "HR@10 {:.4} [{:.4}, {:.4}] NDCG@10 {:.4} MRR@10 {:.4} coverage {:.3}",
        at.hr.value, at.hr.low, at.hr.high, at.ndcg.value, at.mrr.value, at.coverage
    ))
}
