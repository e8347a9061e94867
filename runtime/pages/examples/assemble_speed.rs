//! Times the assembly of one page: 10 rows of 20 out of 1,682 titles, without repeats.
//!
//! `cargo run --release -p marquee-pages --example assemble_speed`

use std::{
    hint::black_box,
    io::{self, Write},
    time::Instant,
};

use marquee_artifacts::TitleRow;
use marquee_pages::{Candidates, Deduplicate, PageOptions, Row, RowTitles, assemble};

const TITLES: u32 = 1_682;
const ROWS: u32 = 10;
const ROUNDS: usize = 20_000;
/// So many that the processor cannot learn their scores.
const VIEWERS: usize = 512;

/// A number in 0..1 that looks random, from a counter (splitmix64).
fn noise(counter: u64) -> f32 {
    let mut z = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z >> 40) as f32 / (1u64 << 24) as f32
}

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    let of_viewer =
        |viewer: usize| (0..u64::from(TITLES)).map(move |title| noise(viewer as u64 * 7_919 + title));
    let scores: Vec<Vec<f32>> = (0..VIEWERS).map(|viewer| of_viewer(viewer).collect()).collect();
    let watched: Vec<TitleRow> = (0..TITLES).step_by(16).map(TitleRow).collect();
    let all: Vec<TitleRow> = (0..TITLES).map(TitleRow).collect();
    let genres: Vec<Vec<TitleRow>> = (2..ROWS + 2)
        .map(|genre| {
            let is_in = |title: &u32| noise(u64::from(title * 31 + genre)) < 0.9 / genre as f32;
            (0..TITLES).filter(is_in).map(TitleRow).collect()
        })
        .collect();
    let options = PageOptions {
        rows_shown: ROWS as usize,
        titles_per_row: 20,
        deduplicate: Deduplicate::Page,
        n_catalogue: TITLES as usize,
    };
    let full = vec![all; ROWS as usize];
    for (what, slices) in [("genre slices", &genres), ("every title in every row", &full)] {
        let started = Instant::now();
        for round in 0..ROUNDS {
            let scores = &scores[round % VIEWERS];
            let row = |titles| Row::OfModel {
                titles: RowTitles { candidates: Candidates::View { scores, titles }, watched: &watched },
                to_catalogue: None,
            };
            let rows: Vec<Row<'_>> = slices.iter().map(|slice| row(slice)).collect();
            black_box(assemble(black_box(&rows), &options));
        }
        let micros = started.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64;
        writeln!(out, "{what}: {micros:.1} µs a page")?;
    }
    Ok(())
}
