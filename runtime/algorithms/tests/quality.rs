//! Guards the quality of every algorithm on MovieLens 100K, seeded, in seconds. The full figures are those of the examples.
//!
//! The bounds lie just under what was measured, by less than one standard error, and above what each would reach with a mistake in it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use marquee_algorithms::interactions::Duplicates;
use marquee_algorithms::metrics::{self, AtK, Bootstrap, RankingOptions};
use marquee_algorithms::split::{self, Split};
use marquee_algorithms::{
    FitContext, Interaction, Interactions, biased_mf, bpr, ease, implicit_als, popularity, svd_plus_plus,
};

fn movielens() -> Vec<Interaction> {
    let cache = std::env::var_os("MARQUEE_CACHE").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/marquee");
    let path = cache.unwrap_or_else(home).join("ml-100k/ml-100k.inter");
    let text = std::fs::read_to_string(&path).expect("ML-100K is not in the cache: run make data");
    let rows: Vec<Interaction> = text
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let id = |at: usize| fields[at].parse::<u32>().unwrap() - 1;
            Interaction {
                viewer: id(0),
                title: id(1),
                rating: fields[2].parse().unwrap(),
                time: fields[3].parse().unwrap(),
            }
        })
        .collect();
    let sum: f32 = rows.iter().map(|row| row.rating).sum();
    assert_eq!((rows.len(), sum), (100_000, 352_986.0), "these are other data: run make data");
    rows
}

fn table(rows: &[Interaction]) -> Interactions {
    Interactions::from_rows(943, 1682, rows, Duplicates::Refuse).unwrap()
}

fn context() -> FitContext<'static> {
    FitContext::new(1, 2).unwrap()
}

#[test]
fn explicit_models_predict_the_ratings_of_u1() {
    let Split { train, test } = split::fold(&movielens(), 1, 5).unwrap();
    let data = table(&train);
    let rmse = |model: &biased_mf::BiasedMf| {
        metrics::rate(
            &test,
            metrics::RatingScale { least: 1.0, most: 5.0 },
            Bootstrap { resamples: 0, seed: 0 },
            |v, t| model.predict(v, t),
        )
        .unwrap()
        .rmse
        .value
    };
    let plain = biased_mf::BiasedMfParams {
        factors: 32,
        epochs: 60,
        learning_rate: 0.0107,
        learning_rate_decay: 0.995,
        regularization: 0.096,
        bias_regularization: 0.014,
        initial_deviation: 0.02,
        ensemble: 1,
    };
    let found = rmse(&biased_mf::fit(&data, &plain, &mut context()).unwrap());
    assert!(found < 0.925, "biased-mf: RMSE {found}");

    let with_implicit = svd_plus_plus::SvdPlusPlusParams {
        factors: 64,
        epochs: 60,
        learning_rate: 0.0075,
        learning_rate_decay: 0.985,
        regularization: 0.1,
        implicit_regularization: 0.006,
        bias_regularization: 0.006,
        initial_deviation: 0.04,
        ensemble: 1,
    };
    let found = rmse(&svd_plus_plus::fit(&data, &with_implicit, &mut context()).unwrap().to_biased_mf(&data));
    assert!(found < 0.917, "svd-plus-plus: RMSE {found}");
}

#[test]
fn implicit_models_rank_the_last_title_of_each_viewer() {
    let Split { train, test } = split::leave_last_out(&movielens());
    let (data, held) = (table(&train), table(&test));
    let judge = |score: &(dyn Fn(u32, &mut [f32]) + Sync)| -> AtK {
        let options = RankingOptions { at: vec![10], bootstrap: Bootstrap { resamples: 0, seed: 0 } };
        metrics::rank(&data, &held, &options, score).unwrap().at.remove(0)
    };
    let plays = popularity::fit(&data).unwrap();
    let model = ease::EaseParams { regularization: 100.0, ..Default::default() };
    let linear = ease::fit(&data, &model, &mut context()).unwrap();
    let model = implicit_als::ImplicitAlsParams {
        factors: 48,
        alpha: 2.0,
        regularization: 3.0,
        ..Default::default()
    };
    let squares = implicit_als::fit(&data, &model, &mut context()).unwrap();
    let model =
        bpr::BprParams { factors: 32, learning_rate: 0.1, regularization: 0.005, ..Default::default() };
    let pairs = bpr::fit(&data, &model, &mut context()).unwrap();
    #[rustfmt::skip]
    let cases: [(&str, AtK, f64, f64); 4] = [
        ("popularity",   judge(&|_, scores| scores.copy_from_slice(&plays)),                              0.085, 0.043),
        ("ease",         judge(&|viewer, scores| linear.score(data.history(viewer as usize), scores)),    0.147, 0.071),
        ("implicit-als", judge(&|viewer, scores| squares.score(viewer, scores)),                          0.140, 0.074),
        ("bpr",          judge(&|viewer, scores| pairs.score(viewer, scores)),                            0.118, 0.060),
    ];
    for (algorithm, found, hr, ndcg) in cases {
        let (found_hr, found_ndcg) = (found.hr.value, found.ndcg.value);
        assert!(
            found_hr >= hr && found_ndcg >= ndcg,
            "{algorithm}: HR@10 {found_hr:.4}, NDCG@10 {found_ndcg:.4}"
        );
    }
}
