use super::*;
use crate::fixtures::{assert_resumes, one_viewer, two_tastes};
use crate::interactions::{Duplicates, Interaction};

fn params() -> BprParams {
    BprParams { factors: 8, epochs: 20, ..Default::default() }
}

fn run(data: &Interactions, params: &BprParams, threads: usize) -> Bpr {
    fit(data, params, &mut FitContext::new(5, threads).unwrap()).unwrap()
}

/// Share of pairs of a watched and an unwatched title that the model puts in order.
fn ordered(data: &Interactions, model: &Bpr) -> f64 {
    let (mut right, mut all) = (0, 0);
    let mut scores = vec![0.0; data.n_titles()];
    for viewer in 0..data.n_viewers() {
        model.score(viewer as u32, &mut scores);
        let history = data.history(viewer);
        for other in (0..data.n_titles() as u32).filter(|title| history.binary_search(title).is_err()) {
            right += history.iter().filter(|&&title| scores[title as usize] > scores[other as usize]).count();
            all += history.len();
        }
    }
    right as f64 / all as f64
}

#[test]
fn watched_titles_come_to_stand_above_unwatched_ones_on_any_number_of_threads() {
    let data = two_tastes(60, 40, 1);
    for threads in [1, 2, 3] {
        for negatives in [Negatives::Uniform, Negatives::Plays] {
            let share = ordered(&data, &run(&data, &BprParams { negatives, ..params() }, threads));
            assert!(share > 0.8, "{threads} threads, {negatives:?}: {share}");
        }
    }
}

#[test]
fn a_seed_gives_one_result_for_each_number_of_threads() {
    let data = two_tastes(30, 20, 2);
    for threads in [1, 2, 3] {
        assert_eq!(run(&data, &params(), threads), run(&data, &params(), threads), "{threads} threads");
    }
    let other = fit(&data, &params(), &mut FitContext::new(6, 1).unwrap()).unwrap();
    assert_ne!(other, run(&data, &params(), 1), "another seed, another result");
}

#[test]
fn a_resumed_fit_ends_bit_equal() {
    let data = two_tastes(30, 20, 3);
    for threads in [1, 2] {
        assert_resumes(4, threads, |context| fit(&data, &params(), context));
    }
}

#[test]
fn a_state_from_another_number_of_threads_is_refused() {
    let data = two_tastes(30, 20, 3);
    let mut state = None;
    let mut context = FitContext::new(5, 1).unwrap().with_observer(|progress| {
        state = Some(progress.state());
        std::ops::ControlFlow::Break(())
    });
    fit(&data, &params(), &mut context).unwrap_err();
    drop(context);
    let error =
        fit(&data, &params(), &mut FitContext::new(5, 2).unwrap().with_resume(state.unwrap())).unwrap_err();
    assert!(error.to_string().contains("1 threads") && error.to_string().contains("2 threads"), "{error}");
}

#[test]
fn more_threads_than_viewers_and_viewers_who_watched_everything_do_no_harm() {
    let mut rows = Vec::new();
    for title in 0..4 {
        rows.push(Interaction { viewer: 1, title, rating: 1.0, time: 0 });
    }
    rows.push(Interaction { viewer: 2, title: 0, rating: 1.0, time: 0 });
    let data = Interactions::from_rows(4, 4, &rows, Duplicates::Refuse).unwrap();
    let model = run(&data, &params(), 6);
    assert!(model.viewer_factors.is_finite() && model.title_factors.is_finite());
    assert!(model.viewer_factors.row(0).iter().chain(model.viewer_factors.row(3)).all(|value| *value == 0.0));
    let mut scores = [0.0; 4];
    model.score(2, &mut scores);
    assert!(scores[0] > scores[1].max(scores[2]).max(scores[3]), "{scores:?}");
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let data = two_tastes(6, 5, 1);
    #[rustfmt::skip]
    let cases = [
        (BprParams { factors: 5000, ..params() },        "parameter factors is 5000, expected a number from 1 to 4096"),
        (BprParams { epochs: 0, ..params() },            "parameter epochs is 0, expected 1 or more"),
        (BprParams { learning_rate: 2.0, ..params() },   "parameter learningRate is 2, expected a number above 0, at most 1"),
        (BprParams { regularization: -0.1, ..params() }, "parameter regularization is -0.1, expected 0 or more"),
    ];
    for (params, message) in cases {
        let error = fit(&data, &params, &mut FitContext::new(1, 1).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let error = fit(&one_viewer(), &params(), &mut FitContext::new(1, 1).unwrap()).unwrap_err();
    assert!(matches!(error, AlgorithmError::OneViewer));
}
