//! Training data, and models that the binary trains on it.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use tokio::sync::OnceCell;

use crate::{Outcome, cluster::tools, runtime};

/// Root folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Folder for everything that is fetched or built outside Cargo: `MARQUEE_CACHE`, or `~/.cache/marquee`.
pub fn cache() -> Outcome<PathBuf> {
    Ok(match std::env::var_os("MARQUEE_CACHE") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("HOME is not set, nor is MARQUEE_CACHE")?)
            .join(".cache/marquee"),
    })
}

/// The folder of MovieLens 100K, which `make data` fetches.
pub fn ml_100k() -> Outcome<PathBuf> {
    let folder = cache()?.join("ml-100k");
    if folder.join("ml-100k.inter").is_file() {
        Ok(folder)
    } else {
        Err("MovieLens 100K is missing: run `make data`".into())
    }
}

/// Trains `algorithm` on a tab-separated file whose header has typed names, and writes the artifact to `output`.
pub async fn train(algorithm: &str, data: &Path, output: &Path, settings: &[&str]) -> Outcome {
    let mut args: Vec<String> =
        ["train", "--algorithm", algorithm, "--delimiter", "tab", "--data"].map(String::from).into();
    args.extend([data.display().to_string(), "--output".into(), output.display().to_string()]);
    for setting in settings {
        args.extend(["--set".into(), (*setting).into()]);
    }
    runtime::run(args).await.map(drop)
}

/// Writes a catalogue of the titles in `metadata`, with the plays counted in `data`.
pub async fn catalogue(metadata: &Path, data: &Path, output: &Path) -> Outcome {
    let (metadata, data, output) = (metadata.display(), data.display(), output.display());
    let args = format!(
        "catalogue\n--metadata\n{metadata}\n--metadata-delimiter\ntab\n--genre-separator\nspace\n--article-first\n--delimiter\ntab\n--data\n{data}\n--output\n{output}"
    );
    runtime::run(args.split('\n')).await.map(drop)
}

/// Trains the artifacts of `examples/homepage` on MovieLens 100K into a folder, with settings for speed.
pub async fn home_artifacts(folder: &Path) -> Outcome {
    let ml_100k = ml_100k()?;
    let ratings = ml_100k.join("ml-100k.inter");
    train("implicit-als", &ratings, &folder.join("home-ials"), &["factors=32"]).await?;
    train("ease", &ratings, &folder.join("home-ease"), &[]).await?;
    train("svd-plus-plus", &ratings, &folder.join("home-svdpp"), &["factors=16", "epochs=8"]).await?;
    catalogue(&ml_100k.join("ml-100k.item"), &ratings, &folder.join("home-catalogue")).await
}

/// Folder `target/tmp/NAME` with [`home_artifacts`]. They are trained once in each test binary, so each binary needs its own name.
pub async fn trained_home(name: &str) -> Outcome<&'static Path> {
    static TRAINED: OnceCell<PathBuf> = OnceCell::const_new();
    let train = async || {
        let folder = tools::sibling("marquee-runtime")?.with_file_name(format!("../tmp/{name}"));
        std::fs::create_dir_all(&folder)?;
        home_artifacts(&folder).await?;
        Outcome::Ok(folder)
    };
    Ok(TRAINED.get_or_try_init(train).await?)
}

/// Ids of viewers for comparisons of pages: 19 that the models of MovieLens 100K know, and one that they do not.
pub fn viewers() -> Vec<String> {
    (0..19).map(|n| (1 + n * 47).to_string()).chain(["nobody-known".to_owned()]).collect()
}

/// A title of a synthetic catalogue.
#[derive(Clone, Debug)]
pub struct MadeTitle {
    /// Title id, any text without tabs and line ends.
    pub id: String,
    /// Name, any text without tabs and line ends.
    pub name: String,
    /// Genre, one word.
    pub genre: &'static str,
}

/// Writes ratings and metadata in the format of MovieLens 100K into `folder`. Each of `n_viewers` viewers watched all titles
/// except some, which differ by viewer. Returns both files, ratings first.
pub fn made_up(folder: &Path, titles: &[MadeTitle], n_viewers: usize) -> Outcome<(PathBuf, PathBuf)> {
    let mut ratings = String::from("user_id:token\titem_id:token\trating:float\ttimestamp:float\n");
    let mut metadata =
        String::from("item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n");
    for (idx, title) in titles.iter().enumerate() {
        writeln!(metadata, "{}\t{}\t{}\t{}", title.id, title.name, 1950 + idx, title.genre)?;
        for viewer in (0..n_viewers).filter(|viewer| (viewer * 7 + idx * 3) % 5 < 2) {
            writeln!(ratings, "viewer-{viewer}\t{}\t{}\t{}", title.id, 1 + (viewer + idx) % 5, 1_000 + idx)?;
        }
    }
    let files = (folder.join("made.inter"), folder.join("made.item"));
    std::fs::write(&files.0, ratings)?;
    std::fs::write(&files.1, metadata)?;
    Ok(files)
}
