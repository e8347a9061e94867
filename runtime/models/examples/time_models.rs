//! Prints what one call costs: fold-in, scoring 100 titles, scoring all and the best 100, on made-up weights of a size like MovieLens 100K,
//! and what loading 100 MB of factors costs.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::time::Instant;

use bytes::Bytes;
use marquee_artifacts::RawTensor;
use marquee_artifacts::layout::{Declaration, Sizes};
use marquee_models::weights::Weights;
use marquee_models::{
    Capability, Descriptor, ModelError, ScanOptions, TitleRow, TopKQuery, ViewerContext, ViewerEvent,
    ViewerRow, biased_mf, implicit_als, registry,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for architecture in registry::ARCHITECTURES {
        let (tensors, hyperparameters) = made_up(architecture, 943, 1682, 64);
        let weights = Weights {
            architecture: architecture.architecture(),
            tensors: &tensors,
            hyperparameters: &hyperparameters,
        };
        let model = registry::build(&weights, ScanOptions::default())?;
        let lacks = |capability| ModelError::lacks(&*model, capability);
        let score_all = model.score_all().ok_or_else(|| lacks(Capability::ScoreAll))?;
        let top_k = model.top_k().ok_or_else(|| lacks(Capability::TopK))?;
        let titles: Vec<TitleRow> = (0..100).map(|at| TitleRow(at * 13 % 1682)).collect();
        let play = |title| ViewerEvent::play(TitleRow(title));
        let few: Vec<ViewerEvent> = (0..5).map(|at| play(at * 331 % 1682)).collect();
        let many: Vec<ViewerEvent> = (0..200).map(|at| play(at * 7 % 1682)).collect();
        let mut scores = vec![0.0; model.n_titles()];
        let of = |known: Option<u32>, events| ViewerContext {
            known: known.map(ViewerRow),
            ..ViewerContext::of_events(events)
        };
        writeln!(out, "{}", weights.name())?;
        for (what, viewer) in [
            ("known", of(Some(500), &[][..])),
            ("5 recent", of(None, &few)),
            ("200 recent", of(None, &many)),
            ("known and 5 recent", of(Some(500), &few)),
        ] {
            let query = TopKQuery { viewer, k: 100, candidates: None, exclude: &[], include_watched: false };
            let score = micros(|| model.score(&[viewer], &[&titles]).map(drop))?;
            let all = micros(|| score_all.score_all_into(&[viewer], &mut scores))?;
            let best = micros(|| top_k.best(&[query]).map(drop))?;
            writeln!(
                out,
                "  {what:20} 100 titles {score:7.1} µs   all {all:7.1} µs   best 100 {best:7.1} µs"
            )?;
        }
    }
    for architecture in [&implicit_als::DESCRIPTOR, &biased_mf::DESCRIPTOR] {
        let (tensors, hyperparameters) = made_up(architecture, 100_000, 300_000, 64);
        let weights = Weights {
            architecture: architecture.architecture(),
            tensors: &tensors,
            hyperparameters: &hyperparameters,
        };
        let start = Instant::now();
        let model = registry::build(&weights, ScanOptions::default())?;
        let seconds = start.elapsed().as_secs_f64();
        writeln!(out, "load {} titles of {}: {:.1} ms", model.n_titles(), weights.name(), 1e3 * seconds)?;
    }
    Ok(())
}

/// Median of many calls.
fn micros<E>(mut call: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut times = Vec::new();
    for _ in 0..300 {
        let start = Instant::now();
        call()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

type MadeUp = (BTreeMap<String, RawTensor>, serde_json::Map<String, serde_json::Value>);

fn made_up(architecture: &Descriptor, viewers: usize, titles: usize, d: usize) -> MadeUp {
    let (mut offsets, mut history) = (vec![0_u32], Vec::new());
    for viewer in 0..viewers as u32 {
        history.extend((0..106_u32).map(|at| at * 15 + viewer % 15));
        offsets.push(history.len() as u32);
    }
    let sizes = Sizes { viewers, titles, watched: history.len(), factors: d };
    let tensor = |declared: &Declaration| {
        let shape: Vec<usize> = declared.shape.iter().map(|size| sizes.get(*size)).collect();
        let data = match declared.name {
            "history.offsets" => Bytes::from_owner(Indexes(offsets.clone())),
            "history.titles" => Bytes::from_owner(Indexes(history.clone())),
            _ => {
                let number = |at: u32| (at.wrapping_mul(2_654_435_761) >> 16) as f32 / 65536.0 - 0.5;
                Bytes::from_owner(Floats((0..shape.iter().product::<usize>() as u32).map(number).collect()))
            }
        };
        RawTensor { dtype: declared.dtype, shape, data }
    };
    let declarations = architecture.layout.declarations();
    let tensors = declarations.map(|declared| (declared.name.to_owned(), tensor(declared))).collect();
    let hyperparameters = [("regularization", 0.1), ("alpha", 40.0), ("ratingMin", 1.0), ("ratingMax", 5.0)];
    (tensors, hyperparameters.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
}

struct Floats(Vec<f32>);

impl AsRef<[u8]> for Floats {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

struct Indexes(Vec<u32>);

impl AsRef<[u8]> for Indexes {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}
