use super::*;
use crate::fixtures::{assert_resumes, one_viewer, two_tastes};
use crate::interactions::{Duplicates, Interaction};
use crate::metrics::{self, Bootstrap};

fn params() -> BiasedMfParams {
    BiasedMfParams { factors: 6, epochs: 5, learning_rate: 0.02, ..Default::default() }
}

fn run(data: &Interactions, params: &BiasedMfParams) -> BiasedMf {
    fit(data, params, &mut FitContext::new(3, 2).unwrap()).unwrap()
}

#[test]
fn one_step_moves_along_the_gradient() {
    // One rating a viewer and title, met once: what moved is the learning rate times the gradient of the loss.
    let rows =
        [(0, 0, 5.0), (1, 1, 1.0)].map(|(v, t, rating)| Interaction { viewer: v, title: t, rating, time: 0 });
    let data = Interactions::from_rows(2, 2, &rows, Duplicates::Refuse).unwrap();
    let start = run(&data, &BiasedMfParams { learning_rate: 1e-30, epochs: 1, ..params() });
    let rate = 1e-3;
    let moved = run(&data, &BiasedMfParams { learning_rate: rate, epochs: 1, ..params() });
    let loss = |model: &BiasedMf, row: &Interaction| {
        let error = f64::from(row.rating - model.predict(row.viewer, row.title));
        0.5 * error * error
    };
    for (viewer, row) in rows.iter().enumerate() {
        for factor in 0..6 {
            let nudge = 1e-2;
            let mut up = start.clone();
            up.viewer_factors.row_mut(viewer)[factor] += nudge;
            let mut down = start.clone();
            down.viewer_factors.row_mut(viewer)[factor] -= nudge;
            let slope = (loss(&up, row) - loss(&down, row)) / f64::from(2.0 * nudge);
            let value = start.viewer_factors.row(viewer)[factor];
            let expected = -slope - f64::from(0.1 * value);
            let found = f64::from((moved.viewer_factors.row(viewer)[factor] - value) / rate);
            assert!((found - expected).abs() < 1e-2, "{found} is not {expected}");
        }
        assert!(
            (moved.viewer_bias[viewer] - rate * (row.rating - start.predict(row.viewer, row.title))).abs()
                < 1e-6
        );
    }
}

#[test]
fn two_tastes_are_learned_and_the_loss_descends() {
    let data = two_tastes(60, 40, 1);
    let mut losses = Vec::new();
    let mut context = FitContext::new(3, 1).unwrap().with_observer(|progress| {
        losses.extend(progress.loss);
        std::ops::ControlFlow::Continue(())
    });
    let model = fit(&data, &BiasedMfParams { epochs: 30, ..params() }, &mut context).unwrap();
    drop(context);
    assert_eq!(losses.len(), 30);
    assert!(losses[29] < 0.8 * losses[0], "{losses:?}");
    let mut scores = vec![0.0; 40];
    model.score(0, &mut scores);
    assert!(scores[0] > scores[1] + 1.0, "an even viewer likes even titles: {scores:?}");
    assert!((scores[5] - model.predict(0, 5)).abs() < 1e-5);
}

#[test]
fn an_ensemble_predicts_the_mean_of_its_members() {
    let data = two_tastes(30, 20, 2);
    let pair = run(&data, &BiasedMfParams { ensemble: 2, ..params() });
    assert_eq!(pair.title_factors.dim(), 12);
    let first = run(&data, &params());
    // The first member of the pair is the model alone, its viewers' half scaled.
    for viewer in 0..30 {
        let (wide, alone) = (&pair.viewer_factors.row(viewer)[..6], first.viewer_factors.row(viewer));
        assert!(wide.iter().zip(alone).all(|(wide, alone)| *wide == 0.5 * alone));
    }
    let rows: Vec<Interaction> = data.iter().collect();
    let rmse = |model: &BiasedMf| {
        metrics::rate(&rows, metrics::RatingScale { least: 1.0, most: 5.0 }, Bootstrap::default(), |v, t| {
            model.predict(v, t)
        })
        .unwrap()
        .rmse
        .value
    };
    assert!(rmse(&pair) < 1.05 * rmse(&first));
}

#[test]
fn a_resumed_fit_ends_bit_equal() {
    let data = two_tastes(30, 20, 3);
    let params = BiasedMfParams { ensemble: 2, ..params() };
    assert_resumes(2, 2, |context| fit(&data, &params, context));
}

#[test]
fn who_was_never_met_is_predicted_by_the_biases_alone() {
    let rows: Vec<Interaction> =
        two_tastes(10, 10, 4).iter().filter(|row| row.viewer != 4 && row.title != 7).collect();
    let data = Interactions::from_rows(10, 10, &rows, Duplicates::Refuse).unwrap();
    let model = run(&data, &params());
    assert_eq!(model.predict(4, 7), model.global_mean);
    assert_eq!(model.predict(4, 1), model.global_mean + model.title_bias[1]);
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let data = two_tastes(6, 5, 1);
    #[rustfmt::skip]
    let cases = [
        (BiasedMfParams { factors: 0, ..params() },             "parameter factors is 0, expected a number from 1 to 4096"),
        (BiasedMfParams { epochs: 0, ..params() },              "parameter epochs is 0, expected 1 or more"),
        (BiasedMfParams { ensemble: 0, ..params() },            "parameter ensemble is 0, expected a number from 1 to 256"),
        (BiasedMfParams { learning_rate: 0.0, ..params() },     "parameter learningRate is 0, expected a number above 0, at most 1"),
        (BiasedMfParams { learning_rate_decay: 1.5, ..params() }, "parameter learningRateDecay is 1.5, expected a number above 0, at most 1"),
        (BiasedMfParams { regularization: f32::NAN, ..params() }, "parameter regularization is NaN, expected 0 or more"),
    ];
    for (params, message) in cases {
        let error = fit(&data, &params, &mut FitContext::new(1, 1).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let error = fit(&one_viewer(), &params(), &mut FitContext::new(1, 1).unwrap()).unwrap_err();
    assert!(matches!(error, AlgorithmError::OneViewer));
    let wild = BiasedMfParams {
        learning_rate: 1.0,
        learning_rate_decay: 1.0,
        regularization: 0.0,
        epochs: 200,
        ..params()
    };
    let error =
        fit(&two_tastes(60, 40, 1), &wild, &mut FitContext::new(1, 1).unwrap()).unwrap_err().to_string();
    assert!(
        error.starts_with("biased-mf diverged at iteration ") && error.contains("lower learningRate"),
        "{error}"
    );
}
