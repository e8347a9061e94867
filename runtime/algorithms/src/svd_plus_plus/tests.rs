use super::*;
use crate::fixtures::{assert_resumes, one_viewer, two_tastes};
use crate::interactions::{Duplicates, Interaction};

fn params() -> SvdPlusPlusParams {
    SvdPlusPlusParams {
        factors: 6,
        epochs: 5,
        learning_rate: 0.02,
        implicit_regularization: 0.1,
        ..Default::default()
    }
}

fn run(data: &Interactions, params: &SvdPlusPlusParams) -> SvdPlusPlus {
    fit(data, params, &mut FitContext::new(3, 2).unwrap()).unwrap()
}

/// The update as the paper writes it: at each rating, every implicit factor of the viewer moves.
#[test]
fn following_the_sum_equals_moving_every_implicit_factor_at_each_rating() {
    // Two viewers without a title in common, so that the order of the viewers is nothing; one rating is met last, at any rate.
    let rows: Vec<Interaction> = (0..4)
        .map(|title| Interaction { viewer: title / 2, title, rating: 1.0 + title as f32, time: 0 })
        .collect();
    let data = Interactions::from_rows(2, 4, &rows, Duplicates::Refuse).unwrap();
    let (rate, decay) = (0.05f32, 0.1f32);
    let at = |epochs| SvdPlusPlusParams {
        learning_rate: rate,
        learning_rate_decay: 1.0,
        regularization: decay,
        epochs,
        ..params()
    };
    let (before, after) = (run(&data, &at(3)), run(&data, &at(4)));
    for viewer in 0..2usize {
        let titles = [2 * viewer, 2 * viewer + 1];
        let outcomes =
            [titles, [titles[1], titles[0]]].map(|order| naive(&before, &data, (viewer, order), rate));
        let missed = outcomes.map(|y| {
            titles
                .iter()
                .enumerate()
                .flat_map(|(i, &title)| {
                    y[i].iter()
                        .zip(after.title_implicit.row(title))
                        .map(|(a, b)| (a - b).abs())
                        .collect::<Vec<_>>()
                })
                .fold(0.0f32, f32::max)
        });
        assert!(missed[0].min(missed[1]) < 1e-6, "one of the two orders is the one that was met: {missed:?}");
        assert!(missed[0].max(missed[1]) > 1e-6, "the order is seen, so the test is not blind: {missed:?}");
    }
}

fn naive(
    model: &SvdPlusPlus,
    data: &Interactions,
    (viewer, order): (usize, [usize; 2]),
    rate: f32,
) -> Vec<Vec<f32>> {
    let titles = data.history(viewer).to_vec();
    let scale = 1.0 / (titles.len() as f32).sqrt();
    let mut y: Vec<Vec<f32>> =
        titles.iter().map(|&title| model.title_implicit.row(title as usize).to_vec()).collect();
    let mut p = model.explicit.viewer_factors.row(viewer).to_vec();
    let mut bias = model.explicit.viewer_bias[viewer];
    for title in order {
        let q = model.explicit.title_factors.row(title).to_vec();
        let sum: Vec<f32> = (0..6).map(|k| scale * y.iter().map(|y| y[k]).sum::<f32>()).collect();
        let product: f32 = (0..6).map(|k| q[k] * (p[k] + sum[k])).sum();
        let rating = data.ratings()
            [data.span(viewer).start + data.history(viewer).binary_search(&(title as u32)).unwrap()];
        let error = rating - model.explicit.global_mean - bias - model.explicit.title_bias[title] - product;
        bias += rate * (error - 0.02 * bias);
        for k in 0..6 {
            p[k] += rate * (error * q[k] - 0.1 * p[k]);
            y.iter_mut().for_each(|y| y[k] += rate * (error * scale * q[k] - 0.1 * y[k]));
        }
    }
    y
}

#[test]
fn folding_in_what_was_rated_predicts_the_same() {
    let data = two_tastes(20, 15, 1);
    let model = run(&data, &SvdPlusPlusParams { ensemble: 2, ..params() });
    let folded = model.to_biased_mf(&data);
    for viewer in 0..20usize {
        let history = data.history(viewer);
        let scale = 1.0 / (history.len() as f32).sqrt();
        for title in 0..15usize {
            let q = model.explicit.title_factors.row(title);
            let implicit: f32 = history
                .iter()
                .map(|&other| {
                    q.iter().zip(model.title_implicit.row(other as usize)).map(|(q, y)| q * y).sum::<f32>()
                })
                .sum();
            let own: f32 = q.iter().zip(model.explicit.viewer_factors.row(viewer)).map(|(q, p)| q * p).sum();
            let expected = model.explicit.global_mean
                + model.explicit.viewer_bias[viewer]
                + model.explicit.title_bias[title]
                + own
                + scale * implicit;
            assert!((folded.predict(viewer as u32, title as u32) - expected).abs() < 1e-4);
        }
    }
}

#[test]
fn two_tastes_are_learned() {
    let data = two_tastes(60, 40, 1);
    let model = run(&data, &SvdPlusPlusParams { epochs: 30, ..params() }).to_biased_mf(&data);
    let cells = || (0..60).flat_map(|viewer| (0..40).map(move |title| (viewer, title)));
    let mean = |alike: bool| {
        let chosen = cells().filter(|(viewer, title)| (viewer % 2 == title % 2) == alike);
        chosen.map(|(viewer, title)| model.predict(viewer, title)).sum::<f32>() / 1200.0
    };
    assert!(
        mean(true) > 3.5 && mean(false) < 2.5,
        "the tastes rate 4 and 2: {} and {}",
        mean(true),
        mean(false)
    );
}

#[test]
fn a_resumed_fit_ends_bit_equal_on_any_number_of_threads() {
    let data = two_tastes(30, 20, 3);
    let params = SvdPlusPlusParams { ensemble: 2, ..params() };
    assert_resumes(3, 2, |context| fit(&data, &params, context));
    let on = |threads| fit(&data, &params, &mut FitContext::new(3, threads).unwrap()).unwrap();
    assert_eq!(on(1), on(4));
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let data = two_tastes(6, 5, 1);
    let error = |params| fit(&data, &params, &mut FitContext::new(1, 1).unwrap()).unwrap_err().to_string();
    let found = error(SvdPlusPlusParams { implicit_regularization: -1.0, ..params() });
    assert_eq!(found, "parameter implicitRegularization is -1, expected 0 or more");
    let found = error(SvdPlusPlusParams { initial_deviation: f32::INFINITY, ..params() });
    assert_eq!(found, "parameter initialDeviation is inf, expected 0 or more");
    let one = fit(&one_viewer(), &params(), &mut FitContext::new(1, 1).unwrap()).unwrap_err();
    assert!(matches!(one, AlgorithmError::OneViewer));
}
