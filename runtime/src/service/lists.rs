//! Lists of the titles that a page's rows can need. With them, a model in another process need not send every score.
//!
//! A row shows the best titles of its slice that no earlier row shows. So the `k` best titles of each slice are enough, and a
//! title that several rows need is sent once.

use std::sync::Arc;

use arc_swap::ArcSwap;
use marquee_artifacts::Digest;
use marquee_models::{
    TitleRow,
    select::{self, Excluded},
};
use marquee_pages::Candidate;

/// The title rows of a model that a row of a page may show, in ascending order. A digest of the rows names the slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Digest of [`Self::rows`].
    pub digest: Digest,
    /// Title rows, ascending and unique.
    pub rows: Arc<[TitleRow]>,
}

impl Slice {
    /// Makes a slice of `rows`. `None` if they do not ascend.
    pub fn new(rows: Arc<[TitleRow]>) -> Option<Self> {
        if rows.windows(2).any(|pair| pair[0] >= pair[1]) {
            return None;
        }
        Some(Self { digest: Digest::of(bytemuck::cast_slice(&rows)), rows })
    }
}

/// The `k` best titles of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TitleList {
    /// The slice; `None` means all titles.
    pub slice: Option<Slice>,
    /// Number of titles.
    pub k: usize,
}

impl TitleList {
    /// Most titles that the list can have, for a model with `n_titles` titles.
    pub fn n_most(&self, n_titles: usize) -> usize {
        self.k.min(self.slice.as_ref().map_or(n_titles, |slice| slice.rows.len()))
    }

    /// Number of titles to search, for a model with `n_titles` titles.
    pub fn n_sought(&self, n_titles: usize) -> usize {
        self.slice.as_ref().map_or(n_titles, |slice| slice.rows.len())
    }
}

/// Whether lists with `n_listed` titles in total need fewer bytes than the scores of all titles.
///
/// A listed title needs its score and the gap to the previous title, which takes a variable number of bytes.
pub fn are_shorter(n_listed: usize, n_titles: usize) -> bool {
    let n_bits = (usize::BITS - n_titles.leading_zeros()).max(1) as usize;
    n_listed.saturating_mul(size_of::<f32>() + n_bits.div_ceil(7)) < n_titles.saturating_mul(size_of::<f32>())
}

/// The titles in any of the lists, ascending and unique, without watched titles. `history` must ascend, `recent` need not.
pub fn listed(
    scores: &[f32],
    lists: &[TitleList],
    history: &[TitleRow],
    recent: &[TitleRow],
) -> Vec<Candidate> {
    let mut recent = recent.to_vec();
    recent.sort_unstable();
    let excluded = Excluded { watched: history, also: &recent };
    let mut all = Vec::new();
    for list in lists {
        let best = match &list.slice {
            None => select::top_k(scores, list.k, excluded),
            Some(slice) => {
                let rows = &*slice.rows;
                let score =
                    |place: usize| scores.get(rows[place].idx()).copied().unwrap_or(f32::NEG_INFINITY);
                select::top_k_of(rows, score, list.k, excluded)
            }
        };
        all.extend(best.into_iter().map(|best| Candidate { title: best.title, score: best.score }));
    }
    all.sort_unstable_by_key(|candidate| candidate.title);
    all.dedup_by_key(|candidate| candidate.title);
    all
}

/// Limits of the kept slices: their number and their bytes.
const KEPT_SLICES: usize = 256;
const KEPT_BYTES: usize = 64 << 20;

/// Slices that pages sent, for queries that name them. If there are too many, the oldest are removed, and pages resend them.
#[derive(Default)]
pub struct SliceStore(ArcSwap<Vec<Slice>>);

impl SliceStore {
    /// The slice with this digest.
    pub fn get(&self, digest: &[u8]) -> Option<Slice> {
        self.0.load().iter().find(|slice| slice.digest.as_bytes() == digest).cloned()
    }

    /// Keeps a slice.
    pub fn keep(&self, slice: &Slice) {
        self.0.rcu(|kept| {
            let mut kept: Vec<Slice> =
                kept.iter().filter(|other| other.digest != slice.digest).cloned().collect();
            kept.push(slice.clone());
            let bytes = |kept: &[Slice]| kept.iter().map(|slice| 4 * slice.rows.len()).sum::<usize>();
            while kept.len() > KEPT_SLICES || bytes(&kept) > KEPT_BYTES {
                kept.remove(0);
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(rows: &[u32]) -> Slice {
        Slice::new(TitleRow::from_numbers(rows).into()).unwrap()
    }

    #[test]
    fn lists_hold_the_best_of_each_slice_once_and_nothing_watched() {
        let scores = [0.1, 0.9, 0.5, 0.7, 0.3, 0.8];
        let lists = [
            TitleList { slice: None, k: 2 },
            TitleList { slice: Some(slice(&[0, 1, 2, 5])), k: 1 },
            TitleList { slice: Some(slice(&[0, 4])), k: 3 },
        ];
        let titles = |history: &[u32], recent: &[u32]| {
            let (history, recent) = (TitleRow::from_numbers(history), TitleRow::from_numbers(recent));
            listed(&scores, &lists, history, recent).iter().map(|c| c.title.0).collect::<Vec<_>>()
        };
        assert_eq!(titles(&[], &[]), [0, 1, 4, 5]);
        assert_eq!(titles(&[1, 4], &[5, 0]), [2, 3], "the next best titles fill the places");
    }

    #[test]
    fn lists_are_sent_where_they_are_shorter() {
        assert!(!are_shorter(2100, 1682), "for a small catalogue, all scores are shorter");
        assert!(are_shorter(1000, 1682) && are_shorter(2100, 1_000_000));
        assert!(!are_shorter(0, 0));
    }

    #[test]
    fn rows_that_do_not_ascend_are_no_slice() {
        assert!(Slice::new([1, 1].map(TitleRow).into()).is_none());
        assert!(Slice::new([2, 1].map(TitleRow).into()).is_none());
    }

    #[test]
    fn the_oldest_slices_go_when_there_are_too_many() {
        let store = SliceStore::default();
        for row in 0..300 {
            store.keep(&slice(&[row]));
        }
        assert!(store.get(slice(&[0]).digest.as_bytes()).is_none());
        assert_eq!(store.get(slice(&[299]).digest.as_bytes()), Some(slice(&[299])));
    }
}
