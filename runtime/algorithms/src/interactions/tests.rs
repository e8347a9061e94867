use proptest::prelude::*;

use super::*;

fn row(viewer: u32, title: u32, rating: f32, time: i64) -> Interaction {
    Interaction { viewer, title, rating, time }
}

#[test]
fn rows_are_sorted_by_viewer_and_title_with_ratings_and_times_beside() {
    let rows = [row(1, 2, 3.0, 30), row(0, 1, 5.0, 10), row(1, 0, 1.0, 20)];
    let table = Interactions::from_rows(3, 4, &rows, Duplicates::Refuse).unwrap();
    assert_eq!((table.n_viewers(), table.n_titles(), table.len()), (3, 4, 3));
    assert_eq!(table.offsets(), [0, 1, 3, 3]);
    assert_eq!(table.titles(), [1, 0, 2]);
    assert_eq!(table.ratings(), [5.0, 1.0, 3.0]);
    assert_eq!(table.times(), [10, 20, 30]);
    assert_eq!(table.plays(), [1.0, 1.0, 1.0, 0.0]);
    assert!(table.history(2).is_empty(), "a viewer without interactions keeps a row");
}

#[test]
fn titles_are_told_in_the_order_of_time_too() {
    let rows =
        [row(0, 0, 1.0, 9), row(0, 3, 1.0, 4), row(0, 1, 1.0, 4), row(0, 2, 1.0, 12), row(1, 2, 1.0, 0)];
    let table = Interactions::from_rows(2, 4, &rows, Duplicates::Refuse).unwrap();
    assert_eq!(table.titles(), [0, 1, 2, 3, 2]);
    assert_eq!(table.titles_in_order(), [1, 3, 0, 2, 2], "latest last; titles of one time ascend");
}

#[test]
fn of_duplicates_the_latest_is_kept_and_among_equal_times_the_last_in_the_file() {
    let rows = [row(0, 0, 1.0, 9), row(0, 0, 2.0, 5), row(0, 1, 3.0, 7), row(0, 1, 4.0, 7)];
    let table = Interactions::from_rows(1, 2, &rows, Duplicates::KeepLast).unwrap();
    assert_eq!(table.ratings(), [1.0, 4.0]);
}

#[test]
fn what_cannot_be_learned_from_is_refused_with_the_place_and_the_mend() {
    #[rustfmt::skip]
    let cases: [(&str, Vec<Interaction>, &str); 5] = [
        ("no row at all", vec![],
         "the data holds no interaction: expected at least one row of viewer and title"),
        ("a viewer beyond the table", vec![row(2, 0, 1.0, 0)],
         "interaction 0 names viewer 2, but there are only 2: rows count from 0"),
        ("a title beyond the table", vec![row(0, 0, 1.0, 0), row(0, 3, 1.0, 0)],
         "interaction 1 names title 3, but there are only 3: rows count from 0"),
        ("a rating that is no number", vec![row(1, 2, f32::NAN, 0)],
         "the rating of title 2 by viewer 1 is NaN, expected a finite number: correct or drop that row"),
        ("a pair that stands twice", vec![row(1, 2, 1.0, 0), row(1, 2, 1.0, 1)],
         "viewer 1 and title 2 stand together more than once: keep one of them, or choose to keep the last"),
    ];
    for (why, rows, message) in cases {
        let error = Interactions::from_rows(2, 3, &rows, Duplicates::Refuse).unwrap_err();
        assert_eq!(error.to_string(), message, "{why}");
    }
}

#[test]
fn compressed_rows_are_checked_before_they_are_believed() {
    #[rustfmt::skip]
    let cases = [
        ("offsets that do not start at 0",     vec![1, 2],    vec![0, 1], "parameter offsets is 2 offsets for 2 titles"),
        ("offsets that do not end at the end", vec![0, 1],    vec![0, 1], "parameter offsets is 2 offsets for 2 titles"),
        ("offsets that descend",               vec![0, 2, 1, 2], vec![0, 1], "parameter offsets is 4 offsets for 2 titles"),
        ("no offset",                          vec![],        vec![],     "parameter offsets is 0 offsets for 0 titles"),
        ("titles that descend",                vec![0, 2],    vec![1, 0], "parameter titles is 1 before 0 at viewer 0"),
        ("a title that stands twice",          vec![0, 2],    vec![1, 1], "parameter titles is 1 before 1 at viewer 0"),
        ("a title beyond the table",           vec![0, 2],    vec![0, 9], "interaction 1 names title 9"),
        ("no title",                           vec![0, 0],    vec![],     "the data holds no interaction"),
    ];
    for (why, offsets, titles, message) in cases {
        let error = Interactions::from_csr(3, offsets, titles).unwrap_err().to_string();
        assert!(error.starts_with(message), "{why}: {error}");
    }
}

#[test]
fn one_viewer_is_too_few_for_collaborative_models() {
    let one =
        Interactions::from_rows(5, 2, &[row(3, 0, 1.0, 0), row(3, 1, 1.0, 0)], Duplicates::Refuse).unwrap();
    assert!(matches!(one.require_two_viewers(), Err(AlgorithmError::OneViewer)));
}

proptest! {
    #[test]
    fn transposing_twice_gives_the_same_table(cells in prop::collection::btree_set((0u32..20, 0u32..30), 1..200)) {
        let rows: Vec<Interaction> =
            cells.iter().map(|&(v, t)| row(v, t, (v * 31 + t) as f32, i64::from(t) - i64::from(v))).collect();
        let table = Interactions::from_rows(20, 30, &rows, Duplicates::Refuse).unwrap();
        let transposed = table.transpose();
        prop_assert_eq!(transposed.n_viewers(), 30);
        prop_assert_eq!(&transposed.transpose(), &table);
        let back: Vec<Interaction> = table.iter().collect();
        prop_assert_eq!(back, rows, "a set is sorted by viewer and title already");
        for title in 0..30 {
            prop_assert_eq!(transposed.history(title).len() as f32, table.plays()[title]);
        }
    }
}
