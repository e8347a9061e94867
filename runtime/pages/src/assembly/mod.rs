//! Candidate rows in, the page's rows out: from the top, each with the best titles that are left.

use marquee_artifacts::{CatalogueRow, TableRow, TitleRow};

use crate::{
    Deduplicate,
    bitmap::Bitmap,
    selection::{AT_ONCE, Selection},
};

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
    let (mut watched_of_model, mut watched_of_catalogue) = (Watched::default(), Watched::default());
    let mut chosen = Vec::with_capacity(options.rows_shown.min(rows.len()));
    for (idx, row) in rows.iter().enumerate() {
        if chosen.len() == options.rows_shown {
            break;
        }
        let titles = match row {
            Row::OfModel { titles, to_catalogue: None } => page.choose(titles, &mut watched_of_model, None),
            Row::OfModel { titles, to_catalogue: Some(map) } => {
                page.choose(titles, &mut watched_of_model, Some(map))
            }
            Row::OfCatalogue(titles) => page.choose(titles, &mut watched_of_catalogue, None),
        };
        if !titles.is_empty() {
            chosen.push(ChosenRow { row: idx, titles });
        }
    }
    chosen
}

/// What the rows of one page share: the titles that are left, and memory.
struct Page<'a> {
    options: &'a PageOptions,
    /// Titles of the catalogue that may still be shown.
    left: Bitmap<CatalogueRow>,
    /// Those of them that one row may show; kept for its memory.
    open: Bitmap<CatalogueRow>,
    selection: Selection,
}

/// The titles that a viewer watched, as a set. Rows of one model have the same ones, so the set is made once.
struct Watched<'a, R> {
    rows: &'a [R],
    /// Rows of the table below this number are in the set if they are watched.
    end: usize,
    set: Bitmap<R>,
}

impl<R: TableRow + Default> Default for Watched<'_, R> {
    fn default() -> Self {
        Self { rows: &[], end: 0, set: Bitmap::default() }
    }
}

impl<'a, R: TableRow> Watched<'a, R> {
    /// The set of `rows` that are below `end`. With no rows, it has no room.
    fn of(&mut self, rows: &'a [R], end: usize) -> &Bitmap<R> {
        let end = if rows.is_empty() { 0 } else { end };
        if !std::ptr::eq(self.rows, rows) || self.end < end {
            self.set.reset(end);
            for &row in rows {
                self.set.insert(row);
            }
            (self.rows, self.end) = (rows, end);
        }
        &self.set
    }
}

impl<'a> Page<'a> {
    fn new(options: &'a PageOptions) -> Self {
        let mut left = Bitmap::default();
        left.fill(options.n_catalogue);
        Self { options, left, open: Bitmap::default(), selection: Selection::default() }
    }

    /// The best titles of `row` that may be shown, now no longer left. Without `to_catalogue`, its table has the titles of the
    /// catalogue in the same rows.
    fn choose<'w, R: TableRow>(
        &mut self,
        row: &RowTitles<'w, R>,
        watched: &mut Watched<'w, R>,
        to_catalogue: Option<&[CatalogueRow]>,
    ) -> Vec<ChosenTitle> {
        let n_candidates = row.candidates.len();
        if n_candidates == 0 {
            return Vec::new();
        }
        let watched = watched.of(row.watched, row.candidates.end());
        if self.options.deduplicate == Deduplicate::Row {
            self.left.fill(self.options.n_catalogue);
        }
        let wanted = self.options.titles_per_row.min(n_candidates);
        self.select(&row.candidates, wanted, watched, to_catalogue);
        let mut titles = Vec::with_capacity(wanted);
        let n_repeats = self.accept(&mut titles, to_catalogue);
        if n_repeats > 0 {
            // Candidates that name a title twice, or two rows of one title: some of the best `wanted` were the same title, so
            // fewer than wanted are left. Rank all candidates and go on from there. The accepted titles are no longer left,
            // so they are not offered again, and every other title ranks below them.
            self.select(&row.candidates, n_candidates, watched, to_catalogue);
            self.accept(&mut titles, to_catalogue);
        }
        titles
    }

    /// Ranks the best `wanted` of the candidates that may be shown.
    fn select<R: TableRow>(
        &mut self,
        candidates: &Candidates<'_, R>,
        wanted: usize,
        watched: &Bitmap<R>,
        to_catalogue: Option<&[CatalogueRow]>,
    ) {
        let Self { left, open, selection, .. } = self;
        selection.start(wanted);
        match to_catalogue {
            None => {
                // One look-up for each title instead of two.
                open.assign_difference(left, watched);
                offer(selection, candidates, |title| open.contains(CatalogueRow(title.number())));
            }
            // The scores of a model in this process hide what was watched.
            Some(map) if !watched.has_room() => offer(selection, candidates, |title| {
                map.get(title.number() as usize).is_some_and(|&row| left.contains(row))
            }),
            Some(map) => offer(selection, candidates, |title| {
                let row = map.get(title.number() as usize);
                row.is_some_and(|&row| left.contains(row)) & !watched.contains(title)
            }),
        }
    }

    /// Moves the ranked titles to `titles` until the row is full; returns how many were there already.
    fn accept(&mut self, titles: &mut Vec<ChosenTitle>, to_catalogue: Option<&[CatalogueRow]>) -> usize {
        let mut n_repeats = 0;
        for ranked in self.selection.best() {
            if titles.len() == self.options.titles_per_row {
                break;
            }
            let number = ranked.number();
            let catalogue =
                to_catalogue.map_or(Some(CatalogueRow(number)), |map| map.get(number as usize).copied());
            let Some(catalogue) = catalogue else { continue };
            if self.left.remove(catalogue) {
                titles.push(ChosenTitle { catalogue, score: ranked.score() });
            } else {
                n_repeats += 1;
            }
        }
        n_repeats
    }
}

/// Offers the candidates that may be shown.
fn offer<R: TableRow>(
    selection: &mut Selection,
    candidates: &Candidates<'_, R>,
    may_show: impl Fn(R) -> bool,
) {
    match candidates {
        Candidates::Listed(listed) => {
            for &Candidate { title, score } in *listed {
                if selection.may_take(score) && may_show(title) {
                    selection.take(score, title.number());
                }
            }
        }
        Candidates::View { scores, titles } => {
            let score_of =
                |title: R| scores.get(title.number() as usize).copied().unwrap_or(f32::NEG_INFINITY);
            let (first, rest) = titles.split_at(titles.len().min(AT_ONCE));
            let offered = |&title: &R| unless(!may_show(title), score_of(title));
            selection.take_best(first.iter().map(offered), |at| first[at].number());
            for &title in rest {
                let score = score_of(title);
                if selection.may_take(score) && may_show(title) {
                    selection.take(score, title.number());
                }
            }
        }
    }
}

/// The score, or minus infinity for a hidden title. Without a branch, which would be hard to predict.
#[inline]
fn unless(hidden: bool, score: f32) -> f32 {
    let keep = u32::from(hidden).wrapping_sub(1);
    f32::from_bits(score.to_bits() & keep | f32::NEG_INFINITY.to_bits() & !keep)
}

#[cfg(test)]
mod tests;
