//! Writes an implicit-ALS artifact of seeded random factors, for benchmarks of loading and serving at a size.
//!
//! `make_artifact DIR VIEWERS TITLES FACTORS`: `4 · FACTORS · (VIEWERS + TITLES)` bytes of factors. Does nothing where an artifact lies.

use std::{env, error::Error, path::Path};

use marquee_artifacts::{Lineage, Role, TensorData, Writer};
use marquee_models::{golden, implicit_als, registry};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [dir, viewers, titles, factors] = arguments.as_slice() else {
        return Err("usage: make_artifact DIR VIEWERS TITLES FACTORS".into());
    };
    let dir = Path::new(dir);
    if dir.join("marquee.json").exists() {
        return Ok(());
    }
    let (viewers, titles, factors): (usize, usize, usize) =
        (viewers.parse()?, titles.parse()?, factors.parse()?);
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let mut normal = |n: usize| -> Vec<f32> { (0..n).map(|_| random.random_range(-0.3..0.3)).collect() };
    let (viewer_factors, title_factors) = (normal(viewers * factors), normal(titles * factors));
    let plays: Vec<f32> = (0..titles).map(|title| (titles - title) as f32).collect();
    let offsets = vec![0_u32; viewers + 1];

    let mut writer = Writer::create(dir)?;
    writer.tensors(
        "weights.safetensors",
        &[
            TensorData::f32("viewer.factors", &[viewers, factors], &viewer_factors),
            TensorData::f32("title.factors", &[titles, factors], &title_factors),
            TensorData::f32("title.plays", &[titles], &plays),
            TensorData::u32("history.offsets", &[viewers + 1], &offsets),
            TensorData::u32("history.titles", &[0], &[]),
        ],
    )?;
    writer.ids(Role::Viewers, (1..=viewers).map(|id| id.to_string()))?;
    writer.ids(Role::Titles, (1..=titles).map(|id| id.to_string()))?;
    let hyperparameters = json!({ "factors": factors, "regularization": 0.01, "alpha": 1.0 });
    let hyperparameters = hyperparameters.as_object().cloned().unwrap_or_default();
    let lineage = Lineage { seed: 1, code_version: env!("CARGO_PKG_VERSION").into(), ..Lineage::default() };
    let draft = writer.draft(implicit_als::DESCRIPTOR.architecture(), &hyperparameters, &lineage)?;
    let golden = golden::make(&*registry::load(&draft)?, 1)?;
    drop(draft);
    writer.finish(implicit_als::DESCRIPTOR.architecture(), hyperparameters, lineage, Some(golden))?;
    Ok(())
}
