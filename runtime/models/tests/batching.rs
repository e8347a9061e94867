//! For every architecture: the batch equals the singles as exactly as the device promises (bit for bit on the CPU), padding
//! changes nothing, and the ways to ask agree.

#![allow(clippy::unwrap_used, reason = "a test stops where its own data is wrong")]

mod worlds;

use marquee_models::device::Tolerance;
use marquee_models::{Model, NearQuery, Scored, TitleRow, TopKQuery, ViewerContext};
use proptest::prelude::*;

use worlds::{ARCHITECTURES, Drawn, SMALL, Size, World, all_scores, history};

fn contexts(drawn: &[Drawn]) -> Vec<ViewerContext<'_>> {
    drawn.iter().map(Drawn::context).collect()
}

fn bits(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|score| score.to_bits()).collect()
}

/// Whether scores in company may stand for those alone, on the model's device.
fn agree(model: &dyn Model, together: &[f32], alone: &[f32]) -> bool {
    let tolerance = Tolerance::of(model.device());
    together.len() == alone.len() && together.iter().zip(alone).all(|(a, b)| tolerance.allows(*a, *b))
}

fn drawn(size: Size) -> impl Strategy<Value = Vec<Drawn>> {
    let viewer = prop::option::of(0..size.viewers as u32);
    let recent = prop::collection::vec(0..size.titles as u32, 0..12);
    prop::collection::vec((viewer, recent).prop_map(|(known, recent)| Drawn::new(known, &recent)), 1..9)
}

fn size() -> impl Strategy<Value = Size> {
    (1_usize..9, 1_usize..70, 1_usize..40).prop_map(|(viewers, titles, d)| Size { viewers, titles, d })
}

/// The titles that pass, best first.
fn sorted(scores: &[f32], k: usize, passes: impl Fn(u32) -> bool) -> Vec<Scored> {
    let mut all: Vec<Scored> = (0_u32..)
        .zip(scores)
        .filter(|(title, _)| passes(*title))
        .map(|(title, score)| Scored { title: TitleRow(title), score: *score })
        .collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.title.cmp(&b.title)));
    all.truncate(k);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_batch_equals_the_singles((size, drawn) in size().prop_flat_map(|size| (Just(size), drawn(size))), seed in 0_u64..99) {
        for architecture in ARCHITECTURES {
            let model = World::new(architecture, size, seed).model();
            let viewers = contexts(&drawn);
            let batch = all_scores(&*model, &viewers);
            for (viewer, row) in viewers.iter().zip(&batch) {
                let single = all_scores(&*model, std::slice::from_ref(viewer));
                prop_assert!(agree(&*model, row, &single[0]), "{}", architecture.name());
            }
        }
    }

    #[test]
    fn padding_changes_nothing(drawn in drawn(SMALL), lists in prop::collection::vec(prop::collection::vec(0..23_u32, 0..40), 8), seed in 0_u64..99) {
        for architecture in ARCHITECTURES {
            let model = World::new(architecture, SMALL, seed).model();
            let viewers = contexts(&drawn);
            let lists: Vec<&[u32]> = lists.iter().cycle().take(viewers.len()).map(Vec::as_slice).collect();
            let longest = lists.iter().map(|list| list.len()).max().unwrap_or_default();
            let padded: Vec<Vec<u32>> = lists.iter().map(|list| [list, &vec![0; longest - list.len()][..]].concat()).collect();
            let padded: Vec<&[TitleRow]> = padded.iter().map(|list| TitleRow::from_numbers(list)).collect();
            let given: Vec<&[TitleRow]> = lists.iter().map(|list| TitleRow::from_numbers(list)).collect();
            let all = all_scores(&*model, &viewers);
            let (plain, padded) = (model.score(&viewers, &given).unwrap(), model.score(&viewers, &padded).unwrap());
            for (at, list) in lists.iter().enumerate() {
                prop_assert!(agree(&*model, &padded[at][..list.len()], &plain[at]), "{}: padding", architecture.name());
                let of_all: Vec<f32> = list.iter().map(|title| all[at][*title as usize]).collect();
                prop_assert!(agree(&*model, &of_all, &plain[at]), "{}: given titles and all titles", architecture.name());
            }
        }
    }

    #[test]
    fn the_best_are_those_of_all_scores(
        drawn in drawn(SMALL), k in 0_usize..30, include_watched: bool, exclude in prop::collection::vec(0..40_u32, 0..6),
        candidates in prop::option::of(prop::collection::vec(0..23_u32, 0..30)),
    ) {
        for architecture in ARCHITECTURES {
            let model = World::new(architecture, SMALL, 5).model();
            let (viewers, top_k) = (contexts(&drawn), model.top_k().unwrap());
            let queries: Vec<TopKQuery<'_>> = viewers
                .iter()
                .map(|viewer| TopKQuery {
                    viewer: *viewer,
                    k,
                    candidates: candidates.as_deref().map(TitleRow::from_numbers),
                    exclude: TitleRow::from_numbers(&exclude),
                    include_watched,
                })
                .collect();
            let found = top_k.best(&queries).unwrap();
            for (at, drawn) in drawn.iter().enumerate() {
                let history = history(&*model, drawn.known);
                let watched = |title: u32| history.contains(&title) || viewers[at].titles().any(|recent| recent.0 == title);
                let scores = &all_scores(&*model, &viewers[at..=at])[0];
                let passes = |title: u32| (include_watched || !watched(title))
                    && !exclude.contains(&title)
                    && candidates.as_ref().is_none_or(|candidates| candidates.contains(&title));
                let expected = sorted(scores, k, passes);
                prop_assert_eq!(&found[at], &expected, "{}: batch", architecture.name());
                prop_assert_eq!(&top_k.best(&queries[at..=at]).unwrap()[0], &expected, "{}: single", architecture.name());
            }
        }
    }

    #[test]
    fn near_a_title_is_what_one_gets_who_watched_it_alone(seeds in prop::collection::vec(0..23_u32, 1..6), k in 0_usize..30) {
        for architecture in ARCHITECTURES {
            let model = World::new(architecture, SMALL, 5).model();
            let near = model.neighbours().unwrap();
            let mut scores = vec![0.0; seeds.len() * SMALL.titles];
            near.near_into(TitleRow::from_numbers(&seeds), &mut scores).unwrap();
            let queries: Vec<NearQuery<'_>> = seeds
                .iter()
                .map(|seed| NearQuery { seed: TitleRow(*seed), k, candidates: None, exclude: &[] })
                .collect();
            let best = near.best_near(&queries).unwrap();
            for (at, seed) in seeds.iter().enumerate() {
                let drawn = Drawn::new(None, &[*seed]);
                let expected = &all_scores(&*model, &[drawn.context()])[0];
                let found = &scores[at * SMALL.titles..][..SMALL.titles];
                prop_assert_eq!(bits(found), bits(expected), "{}", architecture.name());
                prop_assert_eq!(&best[at], &sorted(found, k, |title| title != *seed), "{}", architecture.name());
            }
        }
    }
}

#[test]
fn where_order_is_ignored_a_recent_title_counts_once_and_in_any_order() {
    for architecture in ARCHITECTURES.iter().filter(|architecture| architecture.ignores_order) {
        let model = World::new(architecture, SMALL, 3).model();
        for known in [None, Some(3)] {
            let scores =
                |recent: &[u32]| all_scores(&*model, &[Drawn::new(known, recent).context()]).remove(0);
            let once = scores(&[2, 11, 7]);
            assert_eq!(bits(&once), bits(&scores(&[7, 2, 7, 11, 2])), "{}", architecture.name());
            let with_history = [history(&*model, known).as_slice(), &[2, 11, 7]].concat();
            let joined = scores(&with_history);
            assert_eq!(bits(&once), bits(&joined), "{}: the history counts once too", architecture.name());
        }
    }
}

#[test]
fn an_empty_batch_has_no_rows() {
    for architecture in ARCHITECTURES {
        let model = World::new(architecture, SMALL, 3).model();
        assert!(all_scores(&*model, &[]).is_empty(), "{}", architecture.name());
        assert!(model.score(&[], &[]).unwrap().is_empty());
        assert!(model.top_k().unwrap().best(&[]).unwrap().is_empty());
    }
}
