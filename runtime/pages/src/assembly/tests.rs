//! The rules of a page, by example and against a reference that sorts everything.

use std::collections::HashSet;

use marquee_artifacts::{CatalogueRow, TitleRow};
use proptest::prelude::*;

use super::{Candidate, Candidates, ChosenRow, NOT_IN_CATALOGUE, PageOptions, Row, RowTitles, assemble};
use crate::{Deduplicate, titles_needed};

const ALL: [u32; 6] = [0, 1, 2, 3, 4, 5];

fn options(rows_shown: usize, titles_per_row: usize, deduplicate: Deduplicate) -> PageOptions {
    PageOptions { rows_shown, titles_per_row, deduplicate, n_catalogue: 6 }
}

/// A row of a model; the numbers are rows of its title table.
fn row<'a>(scores: &'a [f32], slice: &'a [u32]) -> Row<'a> {
    Row::OfModel { titles: titles(scores, slice, &[]), to_catalogue: None }
}

fn mapped_row<'a>(scores: &'a [f32], slice: &'a [u32], to_catalogue: &'a [CatalogueRow]) -> Row<'a> {
    Row::OfModel { titles: titles(scores, slice, &[]), to_catalogue: Some(to_catalogue) }
}

fn titles<'a>(scores: &'a [f32], slice: &'a [u32], watched: &'a [u32]) -> RowTitles<'a, TitleRow> {
    let titles = TitleRow::from_numbers(slice);
    RowTitles { candidates: Candidates::View { scores, titles }, watched: TitleRow::from_numbers(watched) }
}

/// `(candidate row, catalogue rows of its titles)`, which is what most tests look at.
fn shape(page: &[ChosenRow]) -> Vec<(usize, Vec<u32>)> {
    page.iter().map(|row| (row.row, row.titles.iter().map(|title| title.catalogue.0).collect())).collect()
}

#[test]
fn a_title_stands_once_a_page_or_once_a_row_as_the_layout_says() {
    let scores = [0.1, 0.9, 0.5, 0.7, 0.3, 0.2];
    let rows = [row(&scores, &ALL), row(&scores, &ALL)];
    let once = assemble(&rows, &options(2, 3, Deduplicate::Page));
    assert_eq!(shape(&once), [(0, vec![1, 3, 2]), (1, vec![4, 5, 0])]);
    let twice = assemble(&rows, &options(2, 3, Deduplicate::Row));
    assert_eq!(shape(&twice), [(0, vec![1, 3, 2]), (1, vec![1, 3, 2])]);
}

#[test]
fn a_row_without_titles_is_skipped_and_the_next_is_tried() {
    let scores = [0.1, 0.9, 0.5, 0.7, 0.3, 0.2];
    let never = [f32::NAN, f32::NEG_INFINITY, f32::NAN, f32::NAN, f32::NAN, f32::NAN];
    let rows = [
        row(&scores, &[]),
        row(&never, &ALL),
        row(&scores, &[1, 2]),
        row(&scores, &[2, 1]),
        row(&scores, &[5]),
        row(&scores, &[4]),
    ];
    let page = assemble(&rows, &options(2, 3, Deduplicate::Page));
    assert_eq!(
        shape(&page),
        [(2, vec![1, 2]), (4, vec![5])],
        "rows 0, 1 and 3 have nothing left; 5 is one too many"
    );
}

#[test]
fn equal_scores_go_by_ascending_model_row_whatever_the_catalogue_says() {
    let scores = [0.0, -0.0, 1.0, 1.0, 0.0, f32::INFINITY];
    let backwards = [5, 4, 3, 2, 1, 0].map(CatalogueRow);
    let rows = [mapped_row(&scores, &[4, 3, 2, 1, 0, 5], &backwards)];
    let page = assemble(&rows, &options(1, 6, Deduplicate::Page));
    assert_eq!(shape(&page), [(0, vec![0, 3, 2, 5, 4, 1])]);
}

#[test]
fn what_is_watched_or_outside_is_never_shown() {
    let scores = [0.9, 0.8, 0.7, 0.6];
    let to_catalogue = [CatalogueRow(0), NOT_IN_CATALOGUE, CatalogueRow(99)];
    let slice = [0, 1, 2, 3, 77];
    let rows = [
        mapped_row(&scores, &slice, &to_catalogue),
        Row::OfModel { titles: titles(&scores, &slice, &[1, 400]), to_catalogue: None },
    ];
    let page = assemble(&rows, &options(2, 9, Deduplicate::Row));
    assert_eq!(shape(&page), [(0, vec![0]), (1, vec![0, 2, 3])]);
}

#[test]
fn a_row_of_the_catalogue_and_a_row_of_a_model_share_titles_but_not_what_was_watched() {
    let scores = [0.9, 0.8, 0.7];
    let all = [0, 1, 2];
    let backwards = [2, 1, 0].map(CatalogueRow);
    let of_catalogue = RowTitles {
        candidates: Candidates::View { scores: &scores, titles: CatalogueRow::from_numbers(&all) },
        watched: &[CatalogueRow(0)],
    };
    // The model's row 0 is the catalogue's row 2.
    let of_model = Row::OfModel { titles: titles(&scores, &all, &[1]), to_catalogue: Some(&backwards) };
    let page = assemble(&[Row::OfCatalogue(of_catalogue), of_model], &options(2, 1, Deduplicate::Page));
    assert_eq!(shape(&page), [(0, vec![1]), (1, vec![2])]);
}

#[test]
fn a_slice_that_names_a_title_twice_still_fills_its_row() {
    let scores = [0.9, 0.8, 0.7, 0.6];
    let page = assemble(&[row(&scores, &[0, 0, 0, 1, 1, 2, 3])], &options(1, 3, Deduplicate::Page));
    assert_eq!(shape(&page), [(0, vec![0, 1, 2])]);
}

#[test]
fn nothing_asked_is_nothing_answered() {
    let scores = [0.9, 0.8];
    for (rows_shown, titles_per_row) in [(0, 5), (5, 0)] {
        let page =
            assemble(&[row(&scores, &[0, 1])], &options(rows_shown, titles_per_row, Deduplicate::Page));
        assert_eq!(page, []);
    }
    assert_eq!(assemble(&[], &options(5, 5, Deduplicate::Page)), []);
}

/// A candidate row that owns its numbers.
#[derive(Clone, Debug)]
struct OwnedRow {
    scores: Vec<f32>,
    slice: Vec<u32>,
    to_catalogue: Option<Vec<u32>>,
    watched: Vec<u32>,
}

impl OwnedRow {
    fn borrowed(&self) -> Row<'_> {
        self.row_of(titles(&self.scores, &self.slice, &self.watched).candidates)
    }

    fn row_of<'a>(&'a self, candidates: Candidates<'a, TitleRow>) -> Row<'a> {
        let watched = TitleRow::from_numbers(&self.watched);
        let to_catalogue = self.to_catalogue.as_deref().map(CatalogueRow::from_numbers);
        Row::OfModel { titles: RowTitles { candidates, watched }, to_catalogue }
    }
}

/// The same page by the plainest means: sort all of a slice, then walk it.
fn reference(rows: &[OwnedRow], options: &PageOptions) -> Vec<(usize, Vec<(u32, f32)>)> {
    let mut shown: HashSet<u32> = HashSet::new();
    let mut page = Vec::new();
    for (idx, row) in rows.iter().enumerate() {
        let mut ranked: Vec<u32> = row.slice.clone();
        ranked
            .retain(|&t| row.scores.get(t as usize).is_some_and(|s| !s.is_nan() && *s != f32::NEG_INFINITY));
        ranked.retain(|t| !row.watched.contains(t));
        ranked.sort_by(|&a, &b| {
            row.scores[b as usize].partial_cmp(&row.scores[a as usize]).unwrap().then(a.cmp(&b))
        });
        let mut here: HashSet<u32> = HashSet::new();
        let mut titles = Vec::new();
        for title in ranked {
            let catalogue = match &row.to_catalogue {
                None => title,
                Some(map) => map.get(title as usize).copied().unwrap_or(NOT_IN_CATALOGUE.0),
            };
            let elsewhere = options.deduplicate == Deduplicate::Page && shown.contains(&catalogue);
            let outside = catalogue as usize >= options.n_catalogue;
            if titles.len() < options.titles_per_row && !outside && !elsewhere && here.insert(catalogue) {
                titles.push((catalogue, row.scores[title as usize]));
            }
        }
        if !titles.is_empty() && page.len() < options.rows_shown {
            shown.extend(&here);
            page.push((idx, titles));
        }
    }
    page
}

/// Few different scores, so that ties are common, and the values that must never be chosen.
fn score() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => (-8i8..8).prop_map(|n| f32::from(n) / 4.0),
        6 => -1e6f32..1e6,
        1 => Just(f32::NAN),
        1 => Just(f32::NEG_INFINITY),
        1 => Just(f32::INFINITY),
        1 => Just(-0.0),
    ]
}

fn owned_row() -> impl Strategy<Value = OwnedRow> {
    (1usize..160).prop_flat_map(|n| {
        let ids = 0..(n as u32 + 3);
        let to_catalogue = prop::option::of(prop::collection::vec(
            prop_oneof![9 => 0u32..170, 1 => Just(NOT_IN_CATALOGUE.0)],
            n.saturating_sub(2)..=n,
        ));
        (
            prop::collection::vec(score(), n),
            prop::collection::vec(ids.clone(), 0..200),
            to_catalogue,
            prop::collection::vec(ids, 0..20),
        )
            .prop_map(|(scores, slice, to_catalogue, watched)| OwnedRow {
                scores,
                slice,
                to_catalogue,
                watched,
            })
    })
}

/// A row whose model knows each title of the catalogue once, as id tables have it.
fn one_to_one_row() -> impl Strategy<Value = OwnedRow> {
    (owned_row(), any::<bool>(), Just((0u32..180).collect::<Vec<_>>()).prop_shuffle()).prop_map(
        |(mut row, is_mapped, catalogue)| {
            row.to_catalogue = is_mapped.then(|| catalogue[..row.scores.len()].to_vec());
            row.slice.sort_unstable();
            row.slice.dedup();
            row
        },
    )
}

impl OwnedRow {
    /// The best `n` titles of the catalogue that were not watched, in no order: what a ranker sends.
    fn best(&self, n: usize) -> Vec<Candidate> {
        let candidate = |&title: &u32| {
            Some(Candidate { title: TitleRow(title), score: *self.scores.get(title as usize)? })
        };
        let mut best: Vec<Candidate> = self.slice.iter().filter_map(candidate).collect();
        best.retain(|c| {
            !c.score.is_nan() && c.score != f32::NEG_INFINITY && !self.watched.contains(&c.title.0)
        });
        best.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap().then(a.title.cmp(&b.title)));
        best.truncate(n);
        best.reverse();
        best
    }
}

fn page_options() -> impl Strategy<Value = PageOptions> {
    let deduplicate = prop_oneof![Just(Deduplicate::Page), Just(Deduplicate::Row)];
    (0usize..6, 0usize..40, deduplicate, 0usize..180).prop_map(
        |(rows_shown, titles_per_row, deduplicate, n_catalogue)| PageOptions {
            rows_shown,
            titles_per_row,
            deduplicate,
            n_catalogue,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_page_is_the_one_that_sorting_everything_gives(
        rows in prop::collection::vec(owned_row(), 0..8), options in page_options(),
    ) {
        let borrowed: Vec<Row<'_>> = rows.iter().map(OwnedRow::borrowed).collect();
        let page: Vec<(usize, Vec<(u32, f32)>)> = assemble(&borrowed, &options)
            .into_iter()
            .map(|row| (row.row, row.titles.iter().map(|t| (t.catalogue.0, t.score)).collect()))
            .collect();
        prop_assert_eq!(page, reference(&rows, &options));
    }

    #[test]
    fn a_list_of_the_titles_needed_gives_the_page_that_all_scores_give(
        rows in prop::collection::vec(one_to_one_row(), 0..8), options in page_options(),
    ) {
        // A ranker only lists titles of the catalogue.
        let options = PageOptions { n_catalogue: 180, ..options };
        let lists: Vec<Vec<Candidate>> =
            rows.iter().enumerate().map(|(idx, row)| row.best(titles_needed(idx, &options))).collect();
        let listed: Vec<Row<'_>> = rows
            .iter()
            .zip(&lists)
            .map(|(row, list)| row.row_of(Candidates::Listed(list)))
            .collect();
        let all: Vec<Row<'_>> = rows.iter().map(OwnedRow::borrowed).collect();
        prop_assert_eq!(assemble(&listed, &options), assemble(&all, &options));
    }

    #[test]
    fn the_order_of_a_slice_never_matters(
        rows in prop::collection::vec(owned_row(), 1..5), options in page_options(),
    ) {
        let mut reversed = rows.clone();
        for row in &mut reversed {
            row.slice.reverse();
        }
        let page = |rows: &[OwnedRow]| assemble(&rows.iter().map(OwnedRow::borrowed).collect::<Vec<_>>(), &options);
        prop_assert_eq!(page(&rows), page(&reversed));
    }

    #[test]
    fn the_rules_hold_on_every_page(rows in prop::collection::vec(owned_row(), 1..6), options in page_options()) {
        let page = assemble(&rows.iter().map(OwnedRow::borrowed).collect::<Vec<_>>(), &options);
        prop_assert!(page.len() <= options.rows_shown);
        prop_assert!(page.windows(2).all(|pair| pair[0].row < pair[1].row), "rows keep their order");
        let mut on_page = HashSet::new();
        for chosen in &page {
            let titles = &chosen.titles;
            prop_assert!(!titles.is_empty() && titles.len() <= options.titles_per_row);
            prop_assert!(titles.windows(2).all(|pair| pair[0].score >= pair[1].score), "scores descend");
            let row = &rows[chosen.row];
            let mut in_row = HashSet::new();
            for title in titles {
                prop_assert!(in_row.insert(title.catalogue), "a title stands once in a row");
                let first_on_page = on_page.insert(title.catalogue);
                prop_assert!(first_on_page || options.deduplicate == Deduplicate::Row);
                prop_assert!(title.catalogue.idx() < options.n_catalogue);
                let unwatched = row.slice.iter().any(|&t| {
                    let catalogue = row.to_catalogue.as_ref().map_or(Some(t), |m| m.get(t as usize).copied());
                    catalogue == Some(title.catalogue.0) && !row.watched.contains(&t)
                });
                prop_assert!(unwatched, "only titles of the slice that were not watched");
            }
        }
    }
}
