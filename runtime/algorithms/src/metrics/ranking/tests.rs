use super::*;
use crate::interactions::{Duplicates, Interaction};
use proptest::prelude::*;

fn table(n_titles: usize, cells: &[(u32, u32)]) -> Interactions {
    let rows: Vec<Interaction> =
        cells.iter().map(|&(viewer, title)| Interaction { viewer, title, rating: 1.0, time: 0 }).collect();
    Interactions::from_rows(2, n_titles, &rows, Duplicates::Refuse).unwrap()
}

fn options(at: &[usize]) -> RankingOptions {
    RankingOptions { at: at.to_vec(), bootstrap: Bootstrap { resamples: 200, seed: 1 } }
}

#[test]
fn figures_agree_with_those_worked_out_by_hand() {
    // Viewer 0 watched title 0; its titles rank 1, 2, 3, 4 and title 2 is held out: place 2.
    // Viewer 1 watched nothing; its titles rank 0, 1, 2, 3, 4 and titles 0 and 4 are held out: places 1 and 5.
    let (watched, held) = (table(5, &[(0, 0)]), table(5, &[(0, 2), (1, 0), (1, 4)]));
    let report = rank(&watched, &held, &options(&[1, 3]), |_, scores| {
        scores.copy_from_slice(&[9.0, 4.0, 3.0, 2.0, 1.0])
    })
    .unwrap();
    assert_eq!(report.viewers, 2);
    let (one, three) = (report.at(1).unwrap(), report.at(3).unwrap());
    let second = 1.0 / 3f64.log2();
    #[rustfmt::skip]
    let cases = [
        ("HR@1: viewer 1 hits",                    one.hr.value,     0.5),
        ("NDCG@1: the best list of one has one",   one.ndcg.value,   0.5),
        ("recall@1: viewer 1 finds one of two",    one.recall.value, 0.25),
        ("MRR@1",                                  one.mrr.value,    0.5),
        ("coverage@1: titles 0 and 1",             one.coverage,     0.4),
        ("HR@3: both hit",                         three.hr.value,   1.0),
        ("NDCG@3",                                 three.ndcg.value, (second + 1.0 / (1.0 + second)) / 2.0),
        ("recall@3",                               three.recall.value, 0.75),
        ("MRR@3: places 2 and 1",                  three.mrr.value,  0.75),
        ("coverage@3: titles 0 to 3",              three.coverage,   0.8),
    ];
    for (why, found, expected) in cases {
        assert!((found - expected).abs() < 1e-12, "{why}: {found} is not {expected}");
    }
}

#[test]
fn equal_scores_rank_by_row_and_zeros_of_either_sign_are_equal() {
    let (watched, held) = (table(4, &[(0, 3)]), table(4, &[(1, 2)]));
    let report = rank(&watched, &held, &options(&[4]), |_, scores| {
        scores.copy_from_slice(&[0.0, -0.0, 0.0, -0.0]);
    });
    assert!((report.unwrap().at[0].mrr.value - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn a_title_that_is_watched_and_held_out_is_ranked() {
    let (watched, held) = (table(3, &[(0, 0), (0, 1)]), table(3, &[(0, 0)]));
    let report = rank(&watched, &held, &options(&[1]), |_, scores| scores.copy_from_slice(&[1.0, 3.0, 2.0]));
    assert_eq!(report.unwrap().at[0].hr.value, 0.0, "title 2 stands before it, title 1 is not ranked");
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let (watched, held) = (table(3, &[(0, 0)]), table(3, &[(1, 1)]));
    let judge = |held: &Interactions, at: &[usize], score: f32| {
        rank(&watched, held, &options(at), |_, scores| scores.fill(score)).unwrap_err().to_string()
    };
    assert!(judge(&held, &[], 1.0).starts_with("parameter at is [], expected one length of list or more"));
    assert!(judge(&held, &[10, 0], 1.0).starts_with("parameter at is [10, 0]"));
    assert!(judge(&table(4, &[(1, 1)]), &[1], 1.0).starts_with("parameter held is (2, 4)"));
    assert_eq!(
        judge(&held, &[1], f32::NAN),
        "the model scores title 0 for viewer 1 as NaN: scores must be numbers"
    );
}

proptest! {
    /// The place of a title is what a plain sort of all candidates says.
    #[test]
    fn places_agree_with_a_sort(
        scores in prop::collection::vec((-3i8..3).prop_map(f32::from), 2..60),
        pick in any::<prop::sample::Index>(),
        seen in any::<prop::sample::Index>(),
        k in 1usize..70,
    ) {
        let n = scores.len();
        let (held, seen) = (pick.index(n) as u32, seen.index(n) as u32);
        let ranked = rank_one(&scores, &[seen], &[held], k);
        let mut order: Vec<u32> = (0..n as u32).filter(|&title| title != seen || title == held).collect();
        order.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
        prop_assert_eq!(&ranked.places, &[1 + order.iter().position(|&title| title == held).unwrap()]);
        order.truncate(k);
        prop_assert_eq!(ranked.list, order);
    }
}
