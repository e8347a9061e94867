use super::*;
use crate::fixtures::{one_viewer, two_tastes};
use std::ops::ControlFlow;

/// −Pᵢⱼ / Pⱼⱼ by Gauss-Jordan elimination of XᵀX + λI, in double precision.
fn plainly(data: &Interactions, lambda: f64) -> Vec<f64> {
    let n = data.n_titles();
    let mut rows = vec![vec![0.0f64; 2 * n]; n];
    for viewer in 0..data.n_viewers() {
        for &i in data.history(viewer) {
            data.history(viewer).iter().for_each(|&j| rows[i as usize][j as usize] += 1.0);
        }
    }
    for (i, row) in rows.iter_mut().enumerate() {
        row[i] += lambda;
        row[n + i] = 1.0;
    }
    for pivot in 0..n {
        let by = rows[pivot][pivot];
        rows[pivot].iter_mut().for_each(|value| *value /= by);
        let reduced = rows[pivot].clone();
        for (i, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
            let times = row[pivot];
            assert!(i < n);
            row.iter_mut().zip(&reduced).for_each(|(value, by)| *value -= times * by);
        }
    }
    let p = |i: usize, j: usize| rows[i][n + j];
    (0..n * n)
        .map(|at| (at / n, at % n))
        .map(|(i, j)| if i == j { 0.0 } else { -p(i, j) / p(j, j) })
        .collect()
}

fn run(data: &Interactions, precision: Precision, threads: usize) -> Ease {
    let params = EaseParams { regularization: 20.0, precision };
    fit(data, &params, &mut FitContext::new(1, threads).unwrap()).unwrap()
}

#[test]
fn weights_are_those_of_the_dense_inverse_in_every_precision() {
    // Sizes on both sides of the tile in which the triangle is mirrored.
    for (n_titles, threads) in [(3, 1), (31, 2), (32, 1), (70, 3)] {
        let data = two_tastes(90, n_titles, 1);
        let expected = plainly(&data, 20.0);
        for (precision, tolerance) in
            [(Precision::Double, 1e-6), (Precision::Single, 1e-4), (Precision::Auto, 1e-6)]
        {
            let found = run(&data, precision, threads);
            for (found, expected) in found.weights.values().iter().zip(&expected) {
                let missed = (f64::from(*found) - expected).abs();
                assert!(missed < tolerance, "{n_titles} titles, {precision:?}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn multiplying_back_shows_how_good_the_inverse_is() {
    let data = two_tastes(90, 70, 2);
    let params = EaseParams { regularization: 20.0, ..Default::default() };
    let mut context = FitContext::new(1, 2).unwrap();
    let fit = Fit::new("ease", STEPS, &params, &data, 1);
    let double = inverse::<f64>(&data, 20.0, &fit, &mut context).unwrap();
    let single = inverse::<f32>(&data, 20.0, &fit, &mut context).unwrap();
    assert!(double.error(&data, 20.0) < 1e-12);
    assert!(single.error(&data, 20.0) > 1e-9 && single.error(&data, 20.0) < 1e-4);
    assert!(single.error(&data, 40.0) > 0.1, "the inverse of another matrix is seen to be one");
}

#[test]
fn scores_add_up_the_rows_of_the_history() {
    let data = two_tastes(40, 12, 3);
    let model = run(&data, Precision::Auto, 1);
    let mut scores = vec![9.0; 12];
    model.score(&[1, 5], &mut scores);
    for (title, score) in scores.iter().enumerate() {
        assert_eq!(*score, model.weights.row(1)[title] + model.weights.row(5)[title]);
    }
    assert!(scores[3] > scores[4], "odd titles go with odd ones");
}

#[test]
fn the_observer_hears_three_steps_and_may_stop_after_any() {
    let data = two_tastes(20, 10, 4);
    for stop in 1..=STEPS {
        let mut context = FitContext::new(1, 1).unwrap().with_observer(|progress| {
            assert_eq!(progress.of, STEPS);
            if progress.iteration == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let error = fit(&data, &EaseParams::default(), &mut context).unwrap_err();
        assert_eq!(error.to_string(), format!("ease was stopped after iteration {stop}"));
    }
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let data = two_tastes(6, 5, 1);
    for regularization in [0.0, -1.0, f32::INFINITY] {
        let params = EaseParams { regularization, ..Default::default() };
        let error = fit(&data, &params, &mut FitContext::new(1, 1).unwrap()).unwrap_err();
        let expected =
            format!("parameter regularization is {regularization}, expected a number above 0, such as 500");
        assert_eq!(error.to_string(), expected);
    }
    let error = fit(&one_viewer(), &EaseParams::default(), &mut FitContext::new(1, 1).unwrap()).unwrap_err();
    assert!(matches!(error, AlgorithmError::OneViewer));
}
