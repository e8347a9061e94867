//! Every level and both scans against plain f64 arithmetic and against each other.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// How large a table is, and how many queries it gets at once.
#[derive(Clone, Copy, Debug)]
struct Size {
    titles: usize,
    factors: usize,
    queries: usize,
}

const fn size(titles: usize, factors: usize, queries: usize) -> Size {
    Size { titles, factors, queries }
}

/// Titles, and the queries for them.
struct World {
    factors: Table,
    bias: Option<Table>,
    queries: Vec<Query>,
}

impl World {
    /// `spread`: every row is scaled by up to that power of ten either way.
    fn new(seed: u64, size: Size, spread: f32, biased: bool) -> Self {
        let Size { titles: n, factors: d, queries: batch } = size;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut rows = |n: usize| -> Vec<f32> {
            let mut values = Vec::with_capacity(n * d);
            for _ in 0..n {
                let scale = 10.0_f32.powf(random.random_range(-1.0..=1.0) * spread);
                values.extend((0..d).map(|_| random.random_range(-1.0_f32..1.0) * scale));
            }
            values
        };
        let factors = rows(n);
        let queries =
            rows(batch).chunks(d).map(|vector| Query::new(biased as u8 as f32 * 3.5, vector)).collect();
        let bias = biased.then(|| (0..n).map(|_| random.random_range(-2.0..2.0)).collect::<Vec<f32>>());
        Self {
            factors: Table::from_values(&factors, d).unwrap(),
            bias: bias.map(|bias| Table::from_values(&bias, 1).unwrap()),
            queries,
        }
    }

    /// `quantized`: whatever the size.
    fn index(&self, level: Level, quantized: bool) -> TitleIndex {
        let options = ScanOptions { level, quantized: false };
        let mut index = TitleIndex::new(self.factors.clone(), self.bias.clone(), options).unwrap();
        if quantized {
            index.quantize();
        }
        index
    }

    /// Score in f64, and the sum of the magnitudes that went into it.
    fn reference(&self, query: &Query, title: usize) -> (f64, f64) {
        let bias = self.bias.as_ref().map_or(0.0, |bias| f64::from(bias.values()[title]));
        let start = f64::from(query.base()) + bias;
        let products = self.factors.row(title).iter().zip(query.padded());
        products.fold((start, start.abs()), |(sum, size), (a, b)| {
            let product = f64::from(*a) * f64::from(*b);
            (sum + product, size + product.abs())
        })
    }
}

fn searches<'a>(queries: &'a [Query], k: usize, also: &'a [u32]) -> Vec<Search<'a>> {
    let excluded = Excluded { watched: &[], also: TitleRow::from_numbers(also) };
    queries.iter().map(|query| Search { query, k, candidates: None, excluded }).collect()
}

fn all_scores(index: &TitleIndex, queries: &[Query]) -> Vec<f32> {
    let mut scores = vec![f32::NAN; queries.len() * index.n_titles()];
    index.score_all(queries, &mut scores);
    scores
}

fn bits(lists: &[Vec<Scored>]) -> Vec<Vec<(u32, u32)>> {
    lists
        .iter()
        .map(|list| list.iter().map(|scored| (scored.title.0, scored.score.to_bits())).collect())
        .collect()
}

/// Sizes at which something happens: less and more than a chunk, a block, a tile, four queries.
const SIZES: [Size; 9] = [
    size(1, 1, 1),
    size(3, 2, 2),
    size(16, 16, 4),
    size(17, 15, 5),
    size(33, 17, 3),
    size(128, 64, 8),
    size(129, 64, 1),
    size(300, 50, 6),
    size(1700, 100, 7),
];

#[test]
fn every_level_scores_as_plain_arithmetic_does() {
    for size in SIZES {
        for biased in [false, true] {
            let world = World::new(1, size, 0.5, biased);
            for level in Level::available() {
                let index = world.index(level, false);
                let all = all_scores(&index, &world.queries);
                for (query, scores) in world.queries.iter().zip(all.chunks(size.titles)) {
                    for (title, score) in scores.iter().enumerate() {
                        let (expected, magnitude) = world.reference(query, title);
                        let error = (f64::from(*score) - expected).abs();
                        assert!(error <= 1e-6 * magnitude, "{level} {size:?}: {score} against {expected}");
                    }
                }
            }
        }
    }
}

#[test]
fn given_titles_score_as_all_titles_do_bit_for_bit() {
    for size in SIZES {
        let world = World::new(2, size, 0.5, true);
        for level in Level::available() {
            let index = world.index(level, false);
            let all = all_scores(&index, &world.queries);
            for (at, query) in world.queries.iter().enumerate() {
                let alone = all_scores(&index, std::slice::from_ref(query));
                assert_eq!(
                    alone,
                    &all[at * size.titles..][..size.titles],
                    "{level} {size:?}: batch and single"
                );
                let titles: Vec<u32> = (0..size.titles as u32).rev().chain([0, 0]).collect();
                let given = index.score(query, TitleRow::from_numbers(&titles));
                for (title, score) in titles.iter().zip(given) {
                    assert_eq!(
                        score.to_bits(),
                        alone[*title as usize].to_bits(),
                        "{level} {size:?}: title {title}"
                    );
                }
            }
        }
    }
}

/// What the best must be, from the scores of every title.
fn expected(index: &TitleIndex, query: &Query, k: usize, also: &[u32]) -> Vec<Scored> {
    let scores = all_scores(index, std::slice::from_ref(query));
    let mut all: Vec<Scored> = (0_u32..)
        .zip(scores)
        .filter(|(title, _)| !also.contains(title))
        .map(|(title, score)| Scored { title: TitleRow(title), score })
        .collect();
    all.sort_by(crate::select::best_first);
    all.truncate(k);
    all
}

fn check_top_k(why: &str, world: &World, k: usize, also: &[u32]) {
    for level in Level::available() {
        let plain = world.index(level, false);
        let wanted: Vec<Vec<Scored>> =
            world.queries.iter().map(|query| expected(&plain, query, k, also)).collect();
        for quantized in [false, true] {
            let index = world.index(level, quantized);
            let searches = searches(&world.queries, k, also);
            assert_eq!(
                bits(&index.top_k(&searches)),
                bits(&wanted),
                "{why}: {level}, quantized {quantized}, batch"
            );
            for (search, wanted) in searches.iter().zip(&wanted) {
                let alone = index.top_k(std::slice::from_ref(search));
                assert_eq!(
                    bits(&alone),
                    bits(std::slice::from_ref(wanted)),
                    "{why}: {level}, quantized {quantized}, single"
                );
            }
        }
    }
}

#[test]
fn the_best_are_exact_on_every_level_in_both_scans() {
    for size in SIZES {
        for (k, also) in [(1, &[][..]), (10, &[0, 2][..]), (usize::MAX, &[][..])] {
            check_top_k("sizes", &World::new(3, size, 0.3, size.titles % 2 == 0), k, also);
        }
    }
}

#[test]
fn hard_tables_are_exact_too() {
    let d = 24;
    let row = |title: usize| (0..d).map(move |dim| ((title * 31 + dim * 7) % 13) as f32 - 6.0);
    type Value = fn(usize, f32) -> f32;
    #[rustfmt::skip]
    let cases: [(&str, Value); 6] = [
        ("all scores are equal",                      |_, _| 1.0),
        ("all factors are zero",                      |_, _| 0.0),
        ("each title is better than the one before",  |title, x| x.abs() * (title as f32 + 1.0)),
        ("titles differ less than a step of i8",      |title, x| x + (title % 5) as f32 * 1e-5),
        ("scales differ by 10^12",                    |title, x| x * 10.0_f32.powi((title % 13) as i32 - 6)),
        ("factors too small for a scale",             |title, x| x * if title % 2 == 0 { 1e-36 } else { 1e-3 }),
    ];
    for (why, change) in cases {
        let values: Vec<f32> =
            (0..1200).flat_map(|title| row(title).map(move |x| change(title, x))).collect();
        let factors = Table::from_values(&values, d).unwrap();
        let vector: Vec<f32> = (0..d).map(|dim| (dim as f32 * 0.37).sin().abs()).collect();
        let opposite: Vec<f32> = vector.iter().map(|x| -x * 1e3).collect();
        let queries =
            vec![Query::new(0.0, &vector), Query::new(-5.0, &opposite), Query::new(0.0, &vec![0.0; d])];
        let world = World { factors, bias: None, queries };
        check_top_k(why, &world, 20, &[3, 4]);
    }
}

#[test]
fn levels_agree_bit_for_bit_where_the_build_has_fused_multiply_add() {
    if !cfg!(target_feature = "fma") {
        return;
    }
    let world = World::new(4, size(500, 40, 3), 0.5, true);
    let portable = all_scores(&world.index(Level::Portable, false), &world.queries);
    for level in Level::available() {
        assert_eq!(all_scores(&world.index(level, false), &world.queries), portable, "{level}");
    }
}

#[test]
fn small_tables_are_never_copied() {
    let world = World::new(5, size(100, 8, 1), 0.0, false);
    let options = ScanOptions { level: Level::detect(), quantized: true };
    let index = TitleIndex::new(world.factors, None, options).unwrap();
    assert_eq!(index.heap_bytes(), 0);
    let large = Table::from_values(&vec![1.0; QUANTIZED_MIN_BYTES / 4], 64).unwrap();
    let index = TitleIndex::new(large, None, options).unwrap();
    assert_eq!(index.heap_bytes(), QUANTIZED_MIN_BYTES / 4 + QUANTIZED_MIN_BYTES / 64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_table_is_exact(
        seed: u64, n in 1_usize..600, d in 1_usize..80, batch in 1_usize..7, k in 0_usize..40, spread in 0.0_f32..4.0,
        biased: bool,
    ) {
        check_top_k("any", &World::new(seed, size(n, d, batch), spread, biased), k, &[1, 5, 8]);
    }
}
