//! Fallbacks for the ranking of a model that did not answer.

use std::num::NonZeroUsize;

use lru::LruCache;
use marquee_crds::page_layout::Fallback;
use marquee_pages::ChosenTitle;
use parking_lot::Mutex;

/// The replacement for a ranking.
#[derive(Clone, Debug, PartialEq)]
pub enum Replacement {
    /// The row that this viewer saw last.
    LastGood(Box<[ChosenTitle]>),
    /// The most popular titles of the row's slice.
    Popular,
    /// Nothing: the row is left out.
    Nothing,
}

/// Chooses the replacement for a missing ranking, as the layout declares it.
pub fn replacement(
    declared: Fallback,
    last_good: impl FnOnce() -> Option<Box<[ChosenTitle]>>,
) -> Replacement {
    match declared {
        Fallback::Popular => Replacement::Popular,
        Fallback::OmitRow => Replacement::Nothing,
        Fallback::LastGood => last_good().map_or(Replacement::Popular, Replacement::LastGood),
    }
}

/// The rows that a viewer saw last, by candidate row.
type Rows = Vec<Option<Box<[ChosenTitle]>>>;

/// The last rows of recent viewers. Written only for layouts that declare `LastGood`.
pub struct LastGood {
    /// By viewer, with one entry for each candidate row.
    viewers: Mutex<LruCache<Box<str>, Rows>>,
    n_rows: usize,
}

/// Number of viewers whose rows are kept. With 10 rows of 20 titles they need 16 MB.
pub const VIEWERS_KEPT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

impl LastGood {
    /// Keeps the rows of at most `viewers` viewers, for a layout of `n_rows` candidate rows.
    pub fn new(viewers: NonZeroUsize, n_rows: usize) -> Self {
        Self { viewers: Mutex::new(LruCache::new(viewers)), n_rows }
    }

    /// The titles that `viewer` saw last in `row`.
    pub fn get(&self, viewer: &str, row: usize) -> Option<Box<[ChosenTitle]>> {
        self.viewers.lock().get(viewer)?.get(row)?.clone()
    }

    /// Records the rows that `viewer` was shown, by row index. Other rows keep their titles.
    pub fn put(&self, viewer: &str, rows: impl Iterator<Item = (usize, Box<[ChosenTitle]>)>) {
        let mut viewers = self.viewers.lock();
        if !viewers.contains(viewer) {
            viewers.put(viewer.into(), vec![None; self.n_rows]);
        }
        let Some(kept) = viewers.get_mut(viewer) else { return };
        for (row, shown) in rows {
            if let Some(place) = kept.get_mut(row) {
                *place = Some(shown);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use marquee_artifacts::CatalogueRow;

    use super::*;

    fn row(catalogue: u32) -> Box<[ChosenTitle]> {
        Box::new([ChosenTitle { catalogue: CatalogueRow(catalogue), score: 0.5 }])
    }

    #[test]
    fn the_declared_fallback_replaces_the_ranking() {
        let shown = row(3);
        #[rustfmt::skip]
        let cases = [
            ("popular is popular",                 Fallback::Popular,  Some(shown.clone()), Replacement::Popular),
            ("an omitted row is nothing",          Fallback::OmitRow,  Some(shown.clone()), Replacement::Nothing),
            ("the last good row, if it exists",    Fallback::LastGood, Some(shown.clone()), Replacement::LastGood(shown.clone())),
            ("popular if there is no last row",    Fallback::LastGood, None,                Replacement::Popular),
        ];
        for (why, declared, last_good, expected) in cases {
            assert_eq!(replacement(declared, || last_good), expected, "{why}");
        }
    }

    #[test]
    fn last_good_rows_are_kept_by_viewer_and_row_for_the_viewers_seen_last() {
        let kept = LastGood::new(NonZeroUsize::new(2).unwrap(), 2);
        kept.put("ann", [(0, row(1)), (1, row(2))].into_iter());
        kept.put("ann", [(1, row(3)), (9, row(4))].into_iter());
        assert_eq!(kept.get("ann", 0), Some(row(1)), "a row that was not shown keeps its titles");
        assert_eq!(kept.get("ann", 1), Some(row(3)), "the newer row");
        assert_eq!(kept.get("ann", 9), None, "no such row");
        kept.put("bob", [(0, row(5))].into_iter());
        kept.get("ann", 0);
        kept.put("cy", [(0, row(6))].into_iter());
        assert_eq!(kept.get("bob", 0), None, "the viewer seen longest ago is removed");
        assert_eq!(kept.get("ann", 0), Some(row(1)));
    }
}
