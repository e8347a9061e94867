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
const ROUNDS: u32 = 20_000;

/// A number in 0..1 that looks random, from a counter (splitmix64).
fn noise(counter: u64) -> f32 {
    let mut z = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z >> 40) as f32 / (1u64 << 24) as f32
}

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    let scores: Vec<f32> = (0..u64::from(TITLES)).map(noise).collect();
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
    let row = |titles| Row::OfModel {
        titles: RowTitles { candidates: Candidates::View { scores: &scores, titles }, watched: &watched },
        to_catalogue: None,
    };
    let genre_rows: Vec<Row<'_>> = genres.iter().map(|genre| row(genre)).collect();
    let full_rows: Vec<Row<'_>> = (0..ROWS).map(|_| row(&all)).collect();
    for (what, rows) in [("genre slices", &genre_rows), ("every title in every row", &full_rows)] {
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(assemble(black_box(rows), &options));
        }
        let micros = started.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS);
        writeln!(out, "{what}: {micros:.1} µs a page")?;
    }
    Ok(())
}
