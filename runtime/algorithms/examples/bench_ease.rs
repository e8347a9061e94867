//! Times EASE for `make bench`, in step with a driver that also times a peer on the same data.
//!
//! `bench_ease DATA_DIR LAMBDA THREADS`. DATA_DIR holds `offsets.u32` and `titles.u32` (compressed rows by viewer, titles ascending
//! in each, little endian) and `meta.json` (`{"titles"}`). Prints `{"ready":true}`; then each line on standard input runs one whole
//! fit, counting of pairs included, and prints `{"seconds", "checksum"}`, the sum of the weights' absolute values.

#![allow(clippy::print_stdout, reason = "the driver reads what is printed")]

use std::error::Error;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use marquee_algorithms::ease::{self, EaseParams};
use marquee_algorithms::{FitContext, Interactions};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, lambda, threads] = &arguments[..] else {
        return Err("usage: bench_ease DATA_DIR LAMBDA THREADS".into());
    };
    let folder = Path::new(folder);
    let meta: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("meta.json"))?)?;
    let n_titles = meta["titles"].as_u64().ok_or("meta.json: titles is missing")? as usize;
    let data = Interactions::from_csr(n_titles, words(folder, "offsets.u32")?, words(folder, "titles.u32")?)?;
    let params = EaseParams { regularization: lambda.parse()?, ..Default::default() };
    println!(r#"{{"ready":true}}"#);
    for line in std::io::stdin().lock().lines() {
        line?;
        let mut context = FitContext::new(1, threads.parse()?)?;
        let started = Instant::now();
        let model = ease::fit(&data, &params, &mut context)?;
        let seconds = started.elapsed().as_secs_f64();
        let checksum: f64 = model.weights.values().iter().map(|weight| f64::from(weight.abs())).sum();
        println!(r#"{{"seconds":{seconds},"checksum":{checksum}}}"#);
    }
    Ok(())
}

fn words(folder: &Path, name: &str) -> Outcome<Vec<u32>> {
    let bytes = std::fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
}
