//! Candidate rows in, the page's rows out: from the top, each with the best titles that are left.

use marquee_artifacts::{CatalogueRow, TableRow, TitleRow};

use crate::{Deduplicate, bitmap::Bitmap, selection::Selection};

/// The row that [`Row::OfModel`] maps a title to when the catalogue does not have it. Such a title is never shown.
pub const NOT_IN_CATALOGUE: CatalogueRow = CatalogueRow(u32::MAX);

/// A title that a row may show, by its row in a table of titles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate<R = TitleRow> {
    /// Row in the table.
    pub title: R,
    /// Larger is better. A title with NaN or minus infinity is never shown.
    pub score: f32,
}

/// The titles that a row may show, each with its score, in any order. A row without any is skipped.
#[derive(Clone, Copy, Debug)]
pub enum Candidates<'a, R> {
    /// A list of them.
    Listed(&'a [Candidate<R>]),
    /// A view of a list of all scores: a model in this process need not copy any.
    View {
        /// By row of the table.
        scores: &'a [f32],
        /// Rows of the table.
        titles: &'a [R],
    },
}

impl<R: TableRow> Candidates<'_, R> {
    fn len(&self) -> usize {
        match self {
            Self::Listed(candidates) => candidates.len(),
            Self::View { titles, .. } => titles.len(),
        }
    }

    /// Every candidate is below this row of the table.
    fn end(&self) -> usize {
        match self {
            Self::Listed(listed) => {
                listed.iter().map(|listed| listed.title.number() as usize + 1).max().unwrap_or(0)
            }
            Self::View { scores, .. } => scores.len(),
        }
    }
}

/// The titles of a candidate row, by the rows of one table.
#[derive(Clone, Copy, Debug)]
pub struct RowTitles<'a, R> {
    /// Titles with scores.
    pub candidates: Candidates<'a, R>,
    /// Titles that must not be shown.
    pub watched: &'a [R],
}

/// A candidate row: which titles it may show, and how good each is for the viewer.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// By rows of a model's title table.
    OfModel {
        /// Titles with scores.
        titles: RowTitles<'a, TitleRow>,
        /// By title row: the catalogue's row of the title, or [`NOT_IN_CATALOGUE`]. `None` where the model and the catalogue have
        /// their titles in the same rows.
        to_catalogue: Option<&'a [CatalogueRow]>,
    },
    /// By rows of the catalogue.
    OfCatalogue(RowTitles<'a, CatalogueRow>),
}

/// How much of the candidate rows is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOptions {
    /// Most rows.
    pub rows_shown: usize,
    /// Most titles in a row.
    pub titles_per_row: usize,
    /// Whether a title may be in two rows. It is never twice in one row.
    pub deduplicate: Deduplicate,
    /// Titles in the catalogue: every row of the catalogue is below this number.
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
    pub catalogue: CatalogueRow,
    /// The score by which it was chosen; never NaN or minus infinity.
    pub score: f32,
}

/// The page: the first candidate rows that have titles left to show, each with its best titles, best first.
///
/// Titles with equal scores are in ascending order of their rows in the table, so the order of the candidates never matters.
/// A row outside the scores, `to_catalogue` or the catalogue is never shown.
pub fn assemble(rows: &[Row<'_>], options: &PageOptions) -> Vec<ChosenRow> {
    let mut page = Page::new(options);
    let (mut watched_of_model, mut watched_of_catalogue) = (Bitmap::default(), Bitmap::default());
    let mut chosen = Vec::with_capacity(options.rows_shown.min(rows.len()));
    for (idx, row) in rows.iter().enumerate() {
        if chosen.len() == options.rows_shown {
            break;
        }
        let titles = match row {
            Row::OfModel { titles, to_catalogue: None } => {
                page.choose(titles, &mut watched_of_model, |title| Some(title.in_same_catalogue()))
            }
            Row::OfModel { titles, to_catalogue: Some(map) } => {
                page.choose(titles, &mut watched_of_model, |title| mapped(map, title))
            }
            Row::OfCatalogue(titles) => page.choose(titles, &mut watched_of_catalogue, Some),
        };
        if !titles.is_empty() {
            chosen.push(ChosenRow { row: idx, titles });
        }
    }
    chosen
}

/// What the rows of one page share: the titles shown so far, and memory.
struct Page<'a> {
    options: &'a PageOptions,
    /// Titles that may not be shown any more.
    shown: Bitmap<CatalogueRow>,
    selection: Selection,
}

impl<'a> Page<'a> {
    fn new(options: &'a PageOptions) -> Self {
        let shown = Bitmap::with_room(options.n_catalogue);
        Self { options, shown, selection: Selection::new() }
    }

    /// The best titles of `row` that may be shown, now marked as shown. `watched` lends its memory.
    fn choose<R: TableRow>(
        &mut self,
        row: &RowTitles<'_, R>,
        watched: &mut Bitmap<R>,
        catalogue_row: impl Fn(R) -> Option<CatalogueRow> + Copy,
    ) -> Vec<ChosenTitle> {
        let n_candidates = row.candidates.len();
        if n_candidates == 0 {
            return Vec::new();
        }
        watched.reset(row.candidates.end());
        for &title in row.watched {
            watched.insert(title);
        }
        if self.options.deduplicate == Deduplicate::Row {
            self.shown.reset(self.options.n_catalogue);
        }
        let catalogue_row = |title: R| catalogue_row(title).filter(|_| !watched.contains(title));
        let wanted = self.options.titles_per_row.min(n_candidates);
        self.select(&row.candidates, wanted, catalogue_row);
        let mut titles = Vec::with_capacity(wanted);
        let n_repeats = self.accept(&mut titles, catalogue_row);
        if n_repeats > 0 {
            // Candidates that name a title twice, or two rows of one title: some of the best `wanted` were the same title, so
            // fewer than wanted are left. Rank all candidates and go on from there. The accepted titles are marked as shown,
            // so they are not offered again, and every other title ranks below them.
            self.select(&row.candidates, n_candidates, catalogue_row);
            self.accept(&mut titles, catalogue_row);
        }
        titles
    }

    /// Ranks the best `wanted` of the candidates that may be shown.
    fn select<R: TableRow>(
        &mut self,
        candidates: &Candidates<'_, R>,
        wanted: usize,
        catalogue_row: impl Fn(R) -> Option<CatalogueRow>,
    ) {
        self.selection.start(wanted);
        match candidates {
            Candidates::Listed(listed) => {
                listed.iter().for_each(|listed| self.offer(listed.title, listed.score, &catalogue_row));
            }
            Candidates::View { scores, titles } => {
                for &title in *titles {
                    let Some(&score) = scores.get(title.number() as usize) else { continue };
                    self.offer(title, score, &catalogue_row);
                }
            }
        }
    }

    #[inline]
    fn offer<R: TableRow>(
        &mut self,
        title: R,
        score: f32,
        catalogue_row: impl Fn(R) -> Option<CatalogueRow>,
    ) {
        if self.selection.may_take(score) && catalogue_row(title).is_some_and(|row| self.may_show(row)) {
            self.selection.take(score, title.number());
        }
    }

    #[inline]
    fn may_show(&self, title: CatalogueRow) -> bool {
        title.idx() < self.options.n_catalogue && !self.shown.contains(title)
    }

    /// Moves the ranked titles to `titles` until the row is full; returns how many were there already.
    fn accept<R: TableRow>(
        &mut self,
        titles: &mut Vec<ChosenTitle>,
        catalogue_row: impl Fn(R) -> Option<CatalogueRow>,
    ) -> usize {
        let mut n_repeats = 0;
        for ranked in self.selection.best() {
            if titles.len() == self.options.titles_per_row {
                break;
            }
            let Some(catalogue) = catalogue_row(R::from_number(ranked.number())) else { continue };
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
fn mapped(to_catalogue: &[CatalogueRow], title: TitleRow) -> Option<CatalogueRow> {
    to_catalogue.get(title.idx()).copied().filter(|&catalogue| catalogue != NOT_IN_CATALOGUE)
}

#[cfg(test)]
mod tests;
