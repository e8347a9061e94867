//! A folder with ratings in it, and the commands run as a person would.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use clap::Parser;
use marquee_training::{
    Io, TrainingError,
    cli::{self, CatalogueArgs, EvaluateArgs, TrainArgs},
};
use tempfile::TempDir;

#[derive(Parser)]
#[command(no_binary_name = true)]
enum Command {
    Train(Box<TrainArgs>),
    Evaluate(Box<EvaluateArgs>),
    Catalogue(Box<CatalogueArgs>),
}

/// A temporary folder.
pub struct World(TempDir);

impl World {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Every file below, with its bytes.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.push((path.clone(), fs::read(&path).unwrap()));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), &mut found);
        found.sort();
        found
    }

    /// Runs a command; `@name` stands for a file of this folder. What it printed, with the folder left out of all paths.
    pub fn run(&self, line: &str) -> Result<String, TrainingError> {
        self.run_to(line, &AtomicBool::new(false), Vec::new())
    }

    /// The same, with a request to stop that is set, or will be.
    pub fn run_until(&self, line: &str, cancel: &AtomicBool) -> Result<String, TrainingError> {
        self.run_to(line, cancel, Vec::new())
    }

    fn run_to(&self, line: &str, cancel: &AtomicBool, mut out: Vec<u8>) -> Result<String, TrainingError> {
        run(self, line, &mut Io { out: &mut out, terminal: false, cancel })?;
        let folder = format!("{}/", self.0.path().display());
        Ok(String::from_utf8(out).unwrap().replace(&folder, ""))
    }

    /// The message of an error with its causes, the folder left out.
    pub fn message(&self, error: &TrainingError) -> String {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(found) = cause {
            text += &format!(": {found}");
            cause = found.source();
        }
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Runs a command with the given writer.
pub fn run(world: &World, line: &str, io: &mut Io<'_>) -> Result<(), TrainingError> {
    let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
        Some(name) => world.path(name).display().to_string(),
        None => word.to_owned(),
    });
    match Command::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")) {
        Command::Train(args) => cli::train(&args, io),
        Command::Evaluate(args) => cli::evaluate(&args, io),
        Command::Catalogue(args) => cli::catalogue(&args, io),
    }
}

/// Sets `cancel` once `text` was printed.
pub struct StopAt<'a> {
    pub text: &'static str,
    pub cancel: &'a AtomicBool,
    pub seen: String,
}

impl Write for StopAt<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.seen += &String::from_utf8_lossy(bytes);
        if self.seen.contains(self.text) {
            self.cancel.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Ratings of 60 viewers for 40 titles: two tastes, with some noise. Always the same.
pub fn ratings() -> String {
    let mut text = String::from("viewer,title,rating,time\n");
    let mut random = 12_345_u64;
    let mut draw = |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    for viewer in 0..60 {
        for title in 0..40 {
            let likes = viewer % 2 == title % 2;
            if draw(10) < if likes { 6 } else { 1 } {
                let rating = if likes { 3 + draw(3) } else { 1 + draw(3) };
                text += &format!("v{viewer},t{title},{rating},{}\n", draw(100_000));
            }
        }
    }
    text
}

/// Where ML-100K lies.
pub fn movielens() -> PathBuf {
    let cache = std::env::var_os("MARQUEE_CACHE").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/marquee");
    let folder = cache.unwrap_or_else(home).join("ml-100k");
    assert!(folder.join("ml-100k.inter").exists(), "ML-100K is not in the cache: run make data");
    folder
}
