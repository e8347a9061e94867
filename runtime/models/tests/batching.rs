//! For every architecture: the batch equals the singles bit for bit, padding changes nothing, and the three ways to ask agree.

#![allow(clippy::unwrap_used, reason = "a test stops where its own data is wrong")]

mod worlds;

use marquee_models::{Model, Scored, TopKQuery, Viewer};
use proptest::prelude::*;

use worlds::{ARCHITECTURES, SMALL, Size, World};

/// A viewer as drawn: row or none, recent titles.
type Drawn = (Option<u32>, Vec<u32>);

fn viewers(drawn: &[Drawn]) -> Vec<Viewer<'_>> {
    drawn.iter().map(|(known, recent)| Viewer { known: *known, recent }).collect()
}

fn bits(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|score| score.to_bits()).collect()
}

fn all_scores(model: &dyn Model, viewers: &[Viewer<'_>]) -> Vec<Vec<f32>> {
    model.score_all(viewers).unwrap().to_vec2().unwrap()
}

fn drawn(size: Size) -> impl Strategy<Value = Vec<Drawn>> {
    let viewer = prop::option::of(0..size.viewers as u32);
    let recent = prop::collection::vec(0..size.titles as u32, 0..12);
    prop::collection::vec((viewer, recent), 1..9)
}

fn size() -> impl Strategy<Value = Size> {
    (1_usize..9, 1_usize..70, 1_usize..40).prop_map(|(viewers, titles, d)| Size { viewers, titles, d })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_batch_equals_the_singles((size, drawn) in size().prop_flat_map(|size| (Just(size), drawn(size))), seed in 0_u64..99) {
        for architecture in ARCHITECTURES {
            let model = World::new(architecture, size, seed).model();
            let viewers = viewers(&drawn);
            let batch = all_scores(&*model, &viewers);
            for (viewer, row) in viewers.iter().zip(&batch) {
                let single = all_scores(&*model, std::slice::from_ref(viewer));
                prop_assert_eq!(bits(&single[0]), bits(row), "{:?}", architecture);
            }
        }
    }

    #[test]
    fn padding_changes_nothing(drawn in drawn(SMALL), lists in prop::collection::vec(prop::collection::vec(0..23_u32, 0..40), 8), seed in 0_u64..99) {
        for architecture in ARCHITECTURES {
            let model = World::new(architecture, SMALL, seed).model();
            let viewers = viewers(&drawn);
            let lists: Vec<&[u32]> = lists.iter().cycle().take(viewers.len()).map(Vec::as_slice).collect();
            let longest = lists.iter().map(|list| list.len()).max().unwrap_or_default();
            let padded: Vec<Vec<u32>> = lists.iter().map(|list| [list, &vec![0; longest - list.len()][..]].concat()).collect();
            let padded: Vec<&[u32]> = padded.iter().map(Vec::as_slice).collect();
            let all = all_scores(&*model, &viewers);
            let (plain, padded) = (model.score(&viewers, &lists).unwrap(), model.score(&viewers, &padded).unwrap());
            for (at, list) in lists.iter().enumerate() {
                prop_assert_eq!(bits(&plain[at]), bits(&padded[at][..list.len()]), "{:?}: padding", architecture);
                let of_all: Vec<f32> = list.iter().map(|title| all[at][*title as usize]).collect();
                prop_assert_eq!(bits(&plain[at]), bits(&of_all), "{:?}: given titles and all titles", architecture);
            }
        }
    }

    #[test]
    fn the_best_are_those_of_all_scores(drawn in drawn(SMALL), k in 0_usize..30, include_watched: bool, exclude in prop::collection::vec(0..40_u32, 0..6)) {
        for architecture in ARCHITECTURES {
            let model = World::new(architecture, SMALL, 5).model();
            let viewers = viewers(&drawn);
            let queries: Vec<TopKQuery<'_>> = viewers
                .iter()
                .map(|viewer| TopKQuery { viewer: *viewer, k, exclude: &exclude, include_watched })
                .collect();
            let found = model.top_k(&queries).unwrap();
            for (at, viewer) in viewers.iter().enumerate() {
                let history = viewer.known.map(|known| model.history(known)).unwrap_or_default();
                let watched = |title: u32| !include_watched && (history.contains(&title) || viewer.recent.contains(&title));
                let scores = &all_scores(&*model, std::slice::from_ref(viewer))[0];
                let mut expected: Vec<Scored> = (0_u32..)
                    .zip(scores)
                    .filter(|(title, _)| !watched(*title) && !exclude.contains(title))
                    .map(|(title, score)| Scored { title, score: *score })
                    .collect();
                expected.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.title.cmp(&b.title)));
                expected.truncate(k);
                prop_assert_eq!(&found[at], &expected, "{:?}: batch", architecture);
                prop_assert_eq!(&model.top_k(&queries[at..=at]).unwrap()[0], &expected, "{:?}: single", architecture);
            }
        }
    }
}

#[test]
fn a_recent_title_counts_once_and_in_any_order() {
    for architecture in ARCHITECTURES {
        let model = World::new(architecture, SMALL, 3).model();
        for known in [None, Some(3)] {
            let once = all_scores(&*model, &[Viewer { known, recent: &[2, 11, 7] }]);
            let again = all_scores(&*model, &[Viewer { known, recent: &[7, 2, 7, 11, 2] }]);
            assert_eq!(bits(&once[0]), bits(&again[0]), "{architecture:?}");
            let watched = known.map(|known| model.history(known).to_vec()).unwrap_or_default();
            let with_history = [watched.as_slice(), &[2, 11, 7]].concat();
            let joined = all_scores(&*model, &[Viewer { known, recent: &with_history }]);
            assert_eq!(bits(&once[0]), bits(&joined[0]), "{architecture:?}: the history counts once too");
        }
    }
}

#[test]
fn an_empty_batch_has_no_rows() {
    for architecture in ARCHITECTURES {
        let model = World::new(architecture, SMALL, 3).model();
        assert_eq!(model.score_all(&[]).unwrap().dims(), [0, SMALL.titles], "{architecture:?}");
        assert!(model.score(&[], &[]).unwrap().is_empty());
        assert!(model.top_k(&[]).unwrap().is_empty());
    }
}
