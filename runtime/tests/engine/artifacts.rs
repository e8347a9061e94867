//! Small artifacts of known content, and manifests that name them.

use std::{fmt::Write, fs, path::Path};

use marquee_artifacts::{Architecture, CatalogueEntry, Digest, Lineage, Role, TensorData, Writer};
use marquee_models::{golden, registry};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, json};

/// Genres of the catalogue; title n has genre n mod 10, and every third one the next genre as well.
pub const GENRES: [&str; 10] =
    ["Action", "Comedy", "Drama", "Horror", "Romance", "Sci-Fi", "Thriller", "War", "Western", "Animation"];

/// How large a model is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub viewers: usize,
    pub titles: usize,
    pub factors: usize,
}

/// A forward pass takes microseconds.
pub const SMALL: Size = Size { viewers: 40, titles: 120, factors: 8 };

/// A forward pass takes several milliseconds, so a page with a deadline of 1 ms does not wait for it. The first titles and the
/// watched titles are those of [`SMALL`].
pub const HEAVY: Size = Size { viewers: 40, titles: 1_000_000, factors: 16 };

/// Titles that a viewer watched in training: ten, spread over the first 120 or fewer of the table.
pub fn history(viewer: usize, n_titles: usize) -> Vec<u32> {
    let n_titles = n_titles.min(SMALL.titles);
    let mut titles: Vec<u32> = (0..10).map(|n| ((viewer * 7 + n * 13) % n_titles) as u32).collect();
    titles.sort_unstable();
    titles.dedup();
    titles
}

/// Title ids `t0`, `t1`, …; viewer ids `v0`, `v1`, ….
pub fn ids(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|n| format!("{prefix}{n}")).collect()
}

/// A biased matrix factorization with random factors.
pub fn mf(dir: &Path, size: Size, seed: u64) -> Digest {
    let Size { viewers, titles, factors } = size;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |n: usize| -> Vec<f32> { (0..n).map(|_| random.random_range(-0.5..0.5)).collect() };
    let (viewer_factors, title_factors) = (draw(viewers * factors), draw(titles * factors));
    let (viewer_bias, title_bias) = (draw(viewers), draw(titles));
    let (mut offsets, mut watched, mut plays) = (vec![0], Vec::new(), vec![0.0f32; titles]);
    for viewer in 0..viewers {
        watched.extend(history(viewer, titles));
        offsets.push(watched.len() as u32);
    }
    watched.iter().for_each(|&title: &u32| plays[title as usize] += 1.0);
    let mut writer = Writer::create(dir).unwrap();
    let tensors = [
        TensorData::f32("global.mean", &[1], &[3.5]),
        TensorData::f32("viewer.bias", &[viewers], &viewer_bias),
        TensorData::f32("title.bias", &[titles], &title_bias),
        TensorData::f32("viewer.factors", &[viewers, factors], &viewer_factors),
        TensorData::f32("title.factors", &[titles, factors], &title_factors),
        TensorData::f32("title.plays", &[titles], &plays),
        TensorData::u32("history.offsets", &[viewers + 1], &offsets),
        TensorData::u32("history.titles", &[watched.len()], &watched),
        TensorData::u32("history.sequence", &[watched.len()], &watched),
    ];
    writer.tensors("weights.safetensors", &tensors).unwrap();
    writer.ids(Role::Viewers, ids("v", viewers)).unwrap();
    writer.ids(Role::Titles, ids("t", titles)).unwrap();
    let json = json!({ "factors": factors, "regularization": 0.1, "ratingMin": 1.0, "ratingMax": 5.0 });
    let hyperparameters: Map<_, _> = json.as_object().unwrap().clone();
    let lineage = Lineage { seed, code_version: "test".into(), ..Lineage::default() };
    let draft = writer.draft(Architecture::named("biased-mf"), &hyperparameters, &lineage).unwrap();
    let golden = golden::make(&*registry::load(&draft).unwrap(), seed).unwrap();
    writer.finish(Architecture::named("biased-mf"), hyperparameters, lineage, Some(golden)).unwrap()
}

/// Metadata of titles `t0`, `t1`, …: later titles are more popular. No model knows the last two titles.
pub fn catalogue(dir: &Path, n_titles: usize) -> Digest {
    let entry = |n: usize| CatalogueEntry {
        id: format!("t{n}"),
        name: format!("Title {n}"),
        year: Some(1950 + (n % 70) as i32),
        genres: [Some(n % 10), n.is_multiple_of(3).then_some((n + 1) % 10)]
            .into_iter()
            .flatten()
            .map(|genre| GENRES[genre].to_owned())
            .collect(),
        plays: n as u64,
    };
    let entries: Vec<_> = (0..n_titles + 2).map(entry).collect();
    let mut writer = Writer::create(dir).unwrap();
    writer.catalogue(&entries).unwrap();
    let lineage = Lineage { code_version: "test".into(), ..Lineage::default() };
    writer.finish(Architecture::CATALOGUE, Map::new(), lineage, None).unwrap()
}

/// A model's manifest; `rest` goes below `spec`.
pub fn model(objective: &str, uri: &Path, rest: &str) -> String {
    format!(
        "apiVersion: marquee.dev/v1alpha1\nkind: RankingModel\nmetadata:\n  name: {objective}\nspec:\n  surface: home\n  \
         objective: {objective}\n  artifact:\n    uri: file://{}\n{rest}---\n",
        uri.display()
    )
}

/// A row of a layout.
pub fn row(name: &str, heading: &str, source: &str) -> String {
    format!("    - name: {name}\n      heading: \"{heading}\"\n      source: {source}\n")
}

/// A layout of surface `home`; `rest` goes below `spec`.
pub fn layout(catalogue: &Path, rows: &[String], rest: &str) -> String {
    format!(
        "apiVersion: marquee.dev/v1alpha1\nkind: PageLayout\nmetadata:\n  name: home\nspec:\n  surface: home\n  catalogue:\n    \
         uri: file://{}\n{rest}  candidateRows:\n{}---\n",
        catalogue.display(),
        rows.concat()
    )
}

/// One row for each genre, ranked by `objective`.
pub fn genre_rows(objective: &str) -> Vec<String> {
    let source = |genre: &str| format!("{{genre: {{name: {genre}, objective: {objective}}}}}");
    GENRES.iter().map(|genre| row(&genre.to_lowercase(), genre, &source(genre))).collect()
}

/// Replaces the manifests in one step, as many editors do.
pub fn write(path: &Path, documents: &[String]) {
    let mut text = String::new();
    documents.iter().for_each(|document| write!(text, "{document}").unwrap());
    let beside = path.with_extension("tmp");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}
