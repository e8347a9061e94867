//! Times implicit ALS for `make bench`, in step with a driver that also times a peer on the same data.
//!
//! `bench_als DATA_DIR FACTORS ITERATIONS THREADS`. DATA_DIR holds `offsets.u32` and `titles.u32` (compressed rows by viewer, titles
//! ascending in each, little endian), `meta.json` (`{"viewers", "titles"}` and optionally `"regularization"`, default 0.01, and
//! `"confidence"`, that of a watched title, default 1: the peer's `alpha`), and optionally the factors to start from,
//! `x0.f32` and `y0.f32`. Prints `{"ready":true}`; then each line on standard input runs one whole fit and prints
//! `{"seconds", "loss"}`, the loss as in `marquee_algorithms::implicit_als::loss` and outside the time.

#![allow(clippy::print_stdout, reason = "the driver reads what is printed")]

use std::error::Error;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use marquee_algorithms::implicit_als::{self, ImplicitAls, ImplicitAlsParams};
use marquee_algorithms::{Factors, FitContext, Interactions};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, factors, iterations, threads] = &arguments[..] else {
        return Err("usage: bench_als DATA_DIR FACTORS ITERATIONS THREADS".into());
    };
    let folder = Path::new(folder);
    let meta: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("meta.json"))?)?;
    let number = |name: &str, default: f64| meta[name].as_f64().unwrap_or(default) as f32;
    let n_titles = meta["titles"].as_u64().ok_or("meta.json: titles is missing")? as usize;
    let data = Interactions::from_csr(n_titles, words(folder, "offsets.u32")?, words(folder, "titles.u32")?)?;
    let params = ImplicitAlsParams {
        factors: factors.parse()?,
        iterations: iterations.parse()?,
        regularization: number("regularization", 0.01),
        alpha: number("confidence", 1.0) - 1.0,
        ..Default::default()
    };
    let initial = initial(folder, params.factors)?;
    println!(r#"{{"ready":true}}"#);
    for line in std::io::stdin().lock().lines() {
        line?;
        let mut context = FitContext::new(1, threads.parse()?)?;
        let started = Instant::now();
        let model = match &initial {
            Some(initial) => implicit_als::fit_from(&data, &params, initial, &mut context)?,
            None => implicit_als::fit(&data, &params, &mut context)?,
        };
        let seconds = started.elapsed().as_secs_f64();
        let loss = context.pool().install(|| implicit_als::loss(&data, &params, &model));
        println!(r#"{{"seconds":{seconds},"loss":{loss}}}"#);
    }
    Ok(())
}

fn initial(folder: &Path, dim: usize) -> Outcome<Option<ImplicitAls>> {
    if !folder.join("x0.f32").exists() {
        return Ok(None);
    }
    let table = |name: &str| -> Outcome<Factors> {
        let values = words(folder, name)?.into_iter().map(f32::from_bits).collect();
        Ok(Factors::from_values(dim, values).ok_or(format!("{name}: its length is no multiple of {dim}"))?)
    };
    Ok(Some(ImplicitAls { viewer_factors: table("x0.f32")?, title_factors: table("y0.f32")? }))
}

fn words(folder: &Path, name: &str) -> Outcome<Vec<u32>> {
    let bytes = std::fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
}
