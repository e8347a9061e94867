//! Candidate rows in, the page's rows out: from the top, each with the best titles that are left.

use crate::{Deduplicate, bitmap::Bitmap, selection::Selection};

/// Stands in [`Row::to_catalogue`] for a title that the catalogue does not have. Such a title is never shown.
pub const NOT_IN_CATALOGUE: u32 = u32::MAX;

/// A title that a row may show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Model row.
    pub title: u32,
    /// Larger is better. NaN and minus infinity stand for "never".
    pub score: f32,
}

/// The titles that a row may show, each with its score, in any order. None skips the row.
#[derive(Clone, Copy, Debug)]
pub enum Candidates<'a> {
    /// A list of them.
    Listed(&'a [Candidate]),
    /// A view of a list of all scores, so that a model in this process need not copy any.
    View {
        /// By model row.
        scores: &'a [f32],
        /// Model rows.
        titles: &'a [u32],
    },
}

impl Candidates<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Listed(candidates) => candidates.len(),
            Self::View { titles, .. } => titles.len(),
        }
    }
}

/// A candidate row: which titles it may show, and how good each is for the viewer.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Titles with scores.
    pub candidates: Candidates<'a>,
    /// Model row to catalogue row, [`NOT_IN_CATALOGUE`] for none; the same numbers when absent.
    pub to_catalogue: Option<&'a [u32]>,
    /// Model rows that must not be shown.
    pub watched: &'a [u32],
}

/// How much of the candidate rows is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOptions {
    /// Most rows.
    pub rows_shown: usize,
    /// Most titles in a row.
    pub titles_per_row: usize,
    /// Whether a title may stand in two rows. In one row it never stands twice.
    pub deduplicate: Deduplicate,
    /// Titles in the catalogue: catalogue rows are below it.
    pub n_catalogue: usize,
}

/// A row of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenRow {
    /// Which of the candidate rows.
    pub row: usize,
    /// Best first; never empty.
    pub titles: Vec<ChosenTitle>,
}

/// A title in a row of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChosenTitle {
    /// Row in the catalogue.
    pub catalogue: u32,
    /// By which it was chosen; never NaN or minus infinity.
    pub score: f32,
}

/// The page: the first candidate rows that have titles left to show, each with its best titles, best first.
///
/// Equal scores go by ascending model row, so that the order of the candidates never matters. A model row outside the
/// scores, `to_catalogue` or the catalogue is never shown.
pub fn assemble(rows: &[Row<'_>], options: &PageOptions) -> Vec<ChosenRow> {
    let mut page = Page::new(options);
    let mut chosen = Vec::with_capacity(options.rows_shown.min(rows.len()));
    for (idx, row) in rows.iter().enumerate() {
        if chosen.len() == options.rows_shown {
            break;
        }
        let titles = page.choose(row);
        if !titles.is_empty() {
            chosen.push(ChosenRow { row: idx, titles });
        }
    }
    chosen
}

/// What the rows of one page share: the titles shown so far, and memory.
struct Page<'a> {
    options: &'a PageOptions,
    /// Catalogue rows that may not be shown any more.
    shown: Bitmap,
    /// Model rows watched, of the row that is being chosen.
    watched: Bitmap,
    selection: Selection,
}

impl<'a> Page<'a> {
    fn new(options: &'a PageOptions) -> Self {
        let shown = Bitmap::with_room(options.n_catalogue);
        Self { options, shown, watched: Bitmap::default(), selection: Selection::new() }
    }

    /// The best titles of `row` that may be shown, now marked as shown.
    fn choose(&mut self, row: &Row<'_>) -> Vec<ChosenTitle> {
        let n_candidates = row.candidates.len();
        if n_candidates == 0 {
            return Vec::new();
        }
        // A model row outside the room is never a candidate.
        self.watched.reset(match row.candidates {
            Candidates::Listed(listed) => {
                listed.iter().map(|listed| listed.title as usize + 1).max().unwrap_or(0)
            }
            Candidates::View { scores, .. } => scores.len(),
        });
        for &title in row.watched {
            self.watched.insert(title);
        }
        if self.options.deduplicate == Deduplicate::Row {
            self.shown.reset(self.options.n_catalogue);
        }
        let wanted = self.options.titles_per_row.min(n_candidates);
        self.select(row, wanted);
        let mut titles = Vec::with_capacity(wanted);
        let n_repeats = self.accept(row, &mut titles);
        if n_repeats > 0 {
            // Candidates that name a title twice, or two model rows of one title: some of the best `wanted` were the same
            // title, so that fewer than wanted are left. Rank all candidates and go on from there. The titles
            // accepted are marked as shown, so they are not offered again, and every other one ranks below them.
            self.select(row, n_candidates);
            self.accept(row, &mut titles);
        }
        titles
    }

    /// Ranks the best `wanted` of `row`'s candidates that may be shown.
    fn select(&mut self, row: &Row<'_>, wanted: usize) {
        self.selection.start(wanted);
        match row.candidates {
            Candidates::Listed(listed) => {
                listed.iter().for_each(|candidate| self.offer(row, candidate.title, candidate.score));
            }
            Candidates::View { scores, titles } => {
                for &title in titles {
                    let Some(&score) = scores.get(title as usize) else { continue };
                    self.offer(row, title, score);
                }
            }
        }
    }

    #[inline]
    fn offer(&mut self, row: &Row<'_>, title: u32, score: f32) {
        if self.selection.may_take(score) && self.may_show(row, title) {
            self.selection.take(score, title);
        }
    }

    fn may_show(&self, row: &Row<'_>, title: u32) -> bool {
        let Some(catalogue) = catalogue_row(row, title) else { return false };
        (catalogue as usize) < self.options.n_catalogue
            && !self.watched.contains(title)
            && !self.shown.contains(catalogue)
    }

    /// Moves what was ranked to `titles` until the row is full; returns how many were there already.
    fn accept(&mut self, row: &Row<'_>, titles: &mut Vec<ChosenTitle>) -> usize {
        let mut n_repeats = 0;
        for ranked in self.selection.best() {
            if titles.len() == self.options.titles_per_row {
                break;
            }
            let Some(catalogue) = catalogue_row(row, ranked.title()) else { continue };
            if self.shown.insert(catalogue) {
                titles.push(ChosenTitle { catalogue, score: ranked.score() });
            } else {
                n_repeats += 1;
            }
        }
        n_repeats
    }
}

#[inline]
fn catalogue_row(row: &Row<'_>, title: u32) -> Option<u32> {
    match row.to_catalogue {
        None => Some(title),
        Some(map) => map.get(title as usize).copied().filter(|&catalogue| catalogue != NOT_IN_CATALOGUE),
    }
}

#[cfg(test)]
mod tests;
