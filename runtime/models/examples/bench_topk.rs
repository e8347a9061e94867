//! Times the exact top-k scan for a driver that alternates it with its peers.
//!
//! `bench_topk DATA_DIR N BATCH K` reads `titles.f32` (the first N rows of 64 little-endian f32) and `queries.f32` (rows of 64) from
//! DATA_DIR, builds the index and prints `{"ready":true}`. Each line on standard input then runs one repetition over the
//! first BATCH queries on one thread and prints `{"seconds":x}`; the line `result` prints `{"titles":[[…]]}` of the last.
//! Environment: `MARQUEE_CPU=portable|v3|v4` chooses the kernels, `MARQUEE_QUANTIZED=0` does without the quantized copy.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use marquee_models::ScanOptions;
use marquee_models::cpu::Level;
use marquee_models::scan::{Query, Search, TitleIndex};
use marquee_models::select::Excluded;
use marquee_models::weights::Table;

/// Dimensions of the benchmark.
const D: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, dir, n, batch, k] = args.as_slice() else {
        return Err("usage: bench_topk DATA_DIR N BATCH K".into());
    };
    let (n, batch, k): (usize, usize, usize) = (n.parse()?, batch.parse()?, k.parse()?);
    let titles = floats(&Path::new(dir).join("titles.f32"), n)?;
    let vectors = floats(&Path::new(dir).join("queries.f32"), batch)?;
    let level = Level::choose(std::env::var("MARQUEE_CPU").ok().as_deref())?;
    let quantized = std::env::var("MARQUEE_QUANTIZED").as_deref() != Ok("0");
    let factors = Table::from_values(&titles, D).ok_or("titles.f32 does not divide into rows")?;
    drop(titles);
    let index = TitleIndex::new(factors, None, ScanOptions { level, quantized })?;

    let mut out = std::io::stdout().lock();
    writeln!(out, "{{\"ready\":true}}")?;
    out.flush()?;
    let mut found = Vec::new();
    for line in std::io::stdin().lock().lines() {
        if line?.trim() == "result" {
            writeln!(out, "{}", serde_json::json!({ "titles": found }))?;
        } else {
            let start = Instant::now();
            let queries: Vec<Query> = vectors.chunks(D).map(|vector| Query::new(0.0, vector)).collect();
            let searches: Vec<Search<'_>> = queries
                .iter()
                .map(|query| Search { query, k, candidates: None, excluded: Excluded::default() })
                .collect();
            let best = index.top_k(&searches);
            let seconds = start.elapsed().as_secs_f64();
            found = best
                .iter()
                .map(|best| best.iter().map(|scored| scored.title.0).collect::<Vec<_>>())
                .collect();
            writeln!(out, "{}", serde_json::json!({ "seconds": seconds }))?;
        }
        out.flush()?;
    }
    Ok(())
}

/// The first `rows` rows of a file.
fn floats(path: &Path, rows: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let values = bytes.as_chunks::<4>().0;
    let rows = values.get(..rows * D).ok_or_else(|| {
        format!("{}: expected {rows} rows of {D}, found {}", path.display(), values.len() / D)
    })?;
    Ok(rows.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
