use super::*;
use crate::fixtures::{assert_resumes, one_viewer, two_tastes};
use crate::interactions::{Duplicates, Interaction};

fn params() -> ImplicitAlsParams {
    ImplicitAlsParams { factors: 5, iterations: 6, regularization: 0.5, alpha: 3.0, ..Default::default() }
}

fn run(data: &Interactions, params: &ImplicitAlsParams, threads: usize) -> ImplicitAls {
    fit(data, params, &mut FitContext::new(1, threads).unwrap()).unwrap()
}

/// The loss, cell by cell in double precision, and its gradient with respect to one row of the titles' factors.
fn plain_loss(
    data: &Interactions,
    params: &ImplicitAlsParams,
    model: &ImplicitAls,
    title: usize,
) -> (f64, Vec<f64>) {
    let (mut loss, mut total, mut gradient) = (0.0, 0.0, vec![0.0f64; params.factors]);
    for viewer in 0..data.n_viewers() {
        let x = model.viewer_factors.row(viewer);
        for t in 0..data.n_titles() {
            let y = model.title_factors.row(t);
            let score: f64 = x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            let watched = data.history(viewer).binary_search(&(t as u32)).ok();
            let rating = watched.map(|at| f64::from(data.ratings()[data.span(viewer).start + at]));
            let strength = if params.weight == Weight::Rating { rating } else { rating.map(|_| 1.0) };
            let (p, c) =
                strength.map_or((0.0, 1.0), |strength| (1.0, 1.0 + f64::from(params.alpha) * strength));
            loss += c * (p - score) * (p - score);
            total += c;
            if t == title {
                gradient.iter_mut().zip(x).for_each(|(g, x)| *g -= 2.0 * c * (p - score) * f64::from(*x));
            }
        }
    }
    let values = model.viewer_factors.values().iter().chain(model.title_factors.values());
    let norm: f64 = values.map(|value| f64::from(*value) * f64::from(*value)).sum();
    let lambda = f64::from(params.regularization);
    gradient
        .iter_mut()
        .zip(model.title_factors.row(title))
        .for_each(|(g, y)| *g += 2.0 * lambda * f64::from(*y));
    ((loss + lambda * norm) / total, gradient)
}

#[test]
fn the_loss_is_that_of_every_cell_and_the_exact_solution_has_no_gradient() {
    let data = two_tastes(30, 20, 1);
    for weight in [Weight::Watched, Weight::Rating] {
        let params = ImplicitAlsParams { solver: Solver::Exact, weight, ..params() };
        let model = run(&data, &params, 2);
        let (expected, gradient) = plain_loss(&data, &params, &model, 3);
        let found = loss(&data, &params, &model);
        assert!((found - expected).abs() < 1e-6 * expected, "{weight:?}: {found} is not {expected}");
        // Titles were solved for last: for them the loss is at its least. A unit step would change it by thousands.
        assert!(gradient.iter().all(|g| g.abs() < 2e-3), "{weight:?}: {gradient:?}");
    }
}

#[test]
fn conjugate_gradient_with_as_many_steps_as_factors_is_exact() {
    let data = two_tastes(40, 25, 2);
    let exact = run(&data, &ImplicitAlsParams { solver: Solver::Exact, ..params() }, 1);
    let found =
        run(&data, &ImplicitAlsParams { solver: Solver::ConjugateGradient { steps: 8 }, ..params() }, 1);
    for (found, exact) in found.title_factors.values().iter().zip(exact.title_factors.values()) {
        assert!((found - exact).abs() < 1e-3, "{found} is not {exact}");
    }
}

#[test]
fn three_steps_reach_the_loss_of_the_exact_solver_over_the_iterations() {
    let data = two_tastes(40, 25, 3);
    let long = |solver| ImplicitAlsParams { solver, iterations: 30, ..params() };
    let losses = [Solver::Exact, Solver::ConjugateGradient { steps: 3 }].map(|solver| {
        let params = long(solver);
        loss(&data, &params, &run(&data, &params, 1))
    });
    assert!((losses[1] / losses[0] - 1.0).abs() < 1e-3, "{losses:?}");
}

#[test]
fn threads_change_nothing_and_a_wide_model_neither() {
    let data = two_tastes(70, 45, 4);
    for factors in [1, 16, 70] {
        let params = ImplicitAlsParams { factors, ..params() };
        assert_eq!(run(&data, &params, 1), run(&data, &params, 3), "{factors} factors");
    }
}

#[test]
fn loss_descends_and_is_told_only_when_asked_for() {
    let data = two_tastes(40, 25, 5);
    let mut losses = Vec::new();
    let mut context = FitContext::new(1, 1).unwrap().with_loss_every(2).with_observer(|progress| {
        losses.push(progress.loss);
        std::ops::ControlFlow::Continue(())
    });
    fit(&data, &ImplicitAlsParams { solver: Solver::Exact, ..params() }, &mut context).unwrap();
    drop(context);
    assert!(losses.iter().step_by(2).all(Option::is_none) && losses.len() == 6);
    let observed: Vec<f64> = losses.into_iter().flatten().collect();
    assert!(observed.len() == 3 && observed.is_sorted_by(|a, b| a > b), "{observed:?}");
}

#[test]
fn a_resumed_fit_ends_bit_equal() {
    let data = two_tastes(40, 25, 6);
    assert_resumes(2, 2, |context| fit(&data, &params(), context));
}

#[test]
fn viewers_and_titles_without_interactions_get_zeros() {
    let rows =
        [(0, 0), (1, 0), (1, 2)].map(|(viewer, title)| Interaction { viewer, title, rating: 1.0, time: 0 });
    let data = Interactions::from_rows(3, 4, &rows, Duplicates::Refuse).unwrap();
    for solver in [Solver::Exact, Solver::default()] {
        let model = run(&data, &ImplicitAlsParams { solver, ..params() }, 1);
        assert!(
            model.viewer_factors.row(2).iter().chain(model.title_factors.row(3)).all(|value| *value == 0.0)
        );
        let mut scores = [0.0; 4];
        model.score(1, &mut scores);
        assert!(scores[0] > 0.5 && scores[2] > 0.5 && scores[1] == 0.0, "{scores:?}");
    }
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let data = two_tastes(6, 5, 1);
    #[rustfmt::skip]
    let cases = [
        (ImplicitAlsParams { factors: 0, ..params() },              "parameter factors is 0, expected a number from 1 to 4096"),
        (ImplicitAlsParams { iterations: 0, ..params() },           "parameter iterations is 0, expected 1 or more"),
        (ImplicitAlsParams { regularization: 0.0, ..params() },     "parameter regularization is 0, expected a number above 0, such as 0.01"),
        (ImplicitAlsParams { regularization: f32::NAN, ..params() }, "parameter regularization is NaN, expected a number above 0, such as 0.01"),
        (ImplicitAlsParams { alpha: -1.0, ..params() },             "parameter alpha is -1, expected 0 or more, such as 1"),
        (ImplicitAlsParams { solver: Solver::ConjugateGradient { steps: 0 }, ..params() }, "parameter steps is 0, expected 1 or more"),
    ];
    for (params, message) in cases {
        let error = fit(&data, &params, &mut FitContext::new(1, 1).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let error = fit(&one_viewer(), &params(), &mut FitContext::new(1, 1).unwrap()).unwrap_err();
    assert!(matches!(error, AlgorithmError::OneViewer));
    let initial = ImplicitAls { viewer_factors: Factors::zeros(6, 4), title_factors: Factors::zeros(5, 5) };
    let error = fit_from(&data, &params(), &initial, &mut FitContext::new(1, 1).unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("parameter initial viewer factors is a table of 6 x 4"), "{error}");
}
