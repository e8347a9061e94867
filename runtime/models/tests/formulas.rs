//! Every architecture against its formula, written out plainly in f64 and solved by Gaussian elimination.

#![allow(clippy::unwrap_used, reason = "a test stops where its own data is wrong")]

mod worlds;

use worlds::{ARCHITECTURES, Drawn, SMALL, World, all_scores};

const D: usize = SMALL.d;

/// Solves `a x = b`, a being square and regular.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|i, j| a[*i][k].abs().total_cmp(&a[*j][k].abs())).unwrap();
        a.swap(k, pivot);
        b.swap(k, pivot);
        for i in 0..n {
            if i != k {
                let factor = a[i][k] / a[k][k];
                let row = a[k].clone();
                a[i].iter_mut().zip(row).for_each(|(out, x)| *out -= factor * x);
                b[i] -= factor * b[k];
            }
        }
    }
    (0..n).map(|i| b[i] / a[i][i]).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `Σ weight · row rowᵀ + diagonal I`.
fn outer(rows: &[(&[f64], f64)], n: usize, diagonal: f64) -> Vec<Vec<f64>> {
    let mut a = vec![vec![0.0; n]; n];
    for (i, row) in a.iter_mut().enumerate() {
        for (j, out) in row.iter_mut().enumerate() {
            *out = rows.iter().map(|(x, weight)| weight * x[i] * x[j]).sum::<f64>();
        }
        row[i] += diagonal;
    }
    a
}

/// The viewer's (base, vector) by least squares with confidences, zeros included.
fn implicit(world: &World, watched: &[usize], alpha: f64, ridge: f64) -> Vec<f64> {
    let y = world.values("title.factors");
    let rows: Vec<(&[f64], f64)> = y
        .chunks(D)
        .enumerate()
        .map(|(title, row)| (row, if watched.contains(&title) { 1.0 + alpha } else { 1.0 }))
        .collect();
    let mut b = vec![0.0; D];
    for title in watched {
        for (b, y) in b.iter_mut().zip(rows[*title].0) {
            *b += (1.0 + alpha) * y;
        }
    }
    solve(outer(&rows, D, ridge), b)
}

struct Person {
    known: Option<usize>,
    history: Vec<usize>,
    /// New ones only.
    recent: Vec<usize>,
}

impl Person {
    fn watched(&self) -> Vec<usize> {
        let mut all = [self.history.clone(), self.recent.clone()].concat();
        all.sort_unstable();
        all
    }
}

/// Bias and vector of a rating model once the new titles are folded in; `added` is SVD++'s part.
fn ratings(world: &World, person: &Person, added: &[f64]) -> (f64, Vec<f64>) {
    let (q, title_bias) = (world.values("title.factors"), world.values("title.bias"));
    let (p, viewer_bias) = (world.values("viewer.factors"), world.values("viewer.bias"));
    let (bias, vector) = match person.known {
        Some(row) => (viewer_bias[row], p[row * D..][..D].to_vec()),
        None => (0.0, vec![0.0; D]),
    };
    if person.recent.is_empty() {
        return (bias, vector);
    }
    let features: Vec<Vec<f64>> =
        q.chunks(D).map(|row| std::iter::once(1.0).chain(row.iter().copied()).collect()).collect();
    let watched = person.watched();
    let rows: Vec<(&[f64], f64)> = watched.iter().map(|title| (features[*title].as_slice(), 1.0)).collect();
    let a = outer(&rows, D + 1, 0.1 * watched.len() as f64);
    let assumed = f64::midpoint(3.5, 5.0);
    let mut b = vec![0.0; D + 1];
    for title in &person.recent {
        let z = &features[*title];
        let residual =
            assumed - 3.5 - title_bias[*title] - bias - dot(&vector, &z[1..]) - dot(added, &z[1..]);
        for (b, z) in b.iter_mut().zip(z) {
            *b += residual * z;
        }
    }
    let change = solve(a, b);
    (bias + change[0], vector.iter().zip(&change[1..]).map(|(x, change)| x + change).collect())
}

fn expected(world: &World, person: &Person) -> Vec<f64> {
    let n = SMALL.titles;
    let watched = person.watched();
    let row_of = |name: &str, row: usize| world.values(name)[row * D..][..D].to_vec();
    let against_titles = |base: f64, vector: &[f64], biased: bool| -> Vec<f64> {
        let bias = if biased { world.values("title.bias") } else { vec![0.0; n] };
        (0..n).map(|title| base + bias[title] + dot(vector, &row_of("title.factors", title))).collect()
    };
    let trained = person.known.filter(|_| person.recent.is_empty());
    let nothing = person.known.is_none() && person.recent.is_empty();
    match world.architecture.name() {
        "popularity" => world.values("title.plays"),
        "ease" => {
            let weights = world.values("weights");
            (0..n).map(|title| watched.iter().map(|i| weights[i * n + title]).sum()).collect()
        }
        "implicit-als" => {
            let vector = match trained {
                Some(row) => row_of("viewer.factors", row),
                None => implicit(world, &watched, 4.0, 0.1),
            };
            against_titles(0.0, &vector, false)
        }
        "bpr" => {
            let vector = match trained {
                Some(row) => row_of("viewer.factors", row),
                None if nothing => vec![0.0; D],
                None => {
                    let y = world.values("title.factors");
                    let trace: f64 = y.iter().map(|y| y * y).sum();
                    let x = implicit(world, &watched, 20.0, 0.05 * trace / D as f64);
                    let viewers = world.values("viewer.factors");
                    let length = |x: &[f64]| dot(x, x).sqrt();
                    let mean = viewers.chunks(D).map(length).sum::<f64>() / SMALL.viewers as f64;
                    x.iter().map(|value| value * mean / length(&x)).collect()
                }
            };
            against_titles(0.0, &vector, true)
        }
        "biased-mf" => {
            let (bias, vector) = ratings(world, person, &[0.0; D]);
            against_titles(3.5 + bias, &vector, true)
        }
        "svd-plus-plus" => {
            let mut added = vec![0.0; D];
            for title in &watched {
                let row = row_of("title.implicit", *title);
                added.iter_mut().zip(row).for_each(|(sum, y)| *sum += y / (watched.len() as f64).sqrt());
            }
            let (bias, vector) = ratings(world, person, &added);
            let vector: Vec<f64> = vector.iter().zip(&added).map(|(p, y)| p + y).collect();
            against_titles(3.5 + bias, &vector, true)
        }
        name => unreachable!("write down the formula of {name}"),
    }
}

#[test]
fn every_architecture_computes_its_formula() {
    #[rustfmt::skip]
    let cases: [(&str, Option<u32>, &[u32]); 6] = [
        ("a stranger",                                None,    &[]),
        ("trained factors",                           Some(3), &[]),
        ("one recent title",                          None,    &[4]),
        ("more recent titles than factors",           None,    &[4, 9, 1, 22, 0, 13, 8]),
        ("history and recent titles",                 Some(3), &[4, 9]),
        ("a viewer whose history is empty",           Some(0), &[4, 9]),
    ];
    for architecture in ARCHITECTURES {
        for seed in 0..5 {
            let world = World::new(architecture, SMALL, seed);
            let model = world.model();
            for (why, known, recent) in cases {
                let history = worlds::history(&*model, known);
                let person = Person {
                    known: known.map(|known| known as usize),
                    recent: recent
                        .iter()
                        .filter(|title| !history.contains(title))
                        .map(|title| *title as usize)
                        .collect(),
                    history: history.iter().map(|title| *title as usize).collect(),
                };
                let found = all_scores(&*model, &[Drawn::new(known, recent).context()]);
                for (title, (found, expected)) in found[0].iter().zip(expected(&world, &person)).enumerate() {
                    let error = (f64::from(*found) - expected).abs() / expected.abs().max(1.0);
                    assert!(
                        error < 1e-5,
                        "{}, {why}, title {title}: {found} against {expected}",
                        architecture.name()
                    );
                }
            }
        }
    }
}
