//! Who watched what: a compressed sparse table of viewers × titles, with ratings and times kept beside.

use rayon::prelude::*;

use crate::error::AlgorithmError;

/// One viewer met one title.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interaction {
    /// Row of the viewer, from 0.
    pub viewer: u32,
    /// Row of the title, from 0.
    pub title: u32,
    /// The rating given, in the data's own units; 1 where there is none. Implicit algorithms weight by it only on request.
    pub rating: f32,
    /// When, in whatever unit the data has (only the order counts); 0 where there is none.
    pub time: i64,
}

/// What to do when a viewer and a title stand together more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// An error that names the pair.
    #[default]
    Refuse,
    /// The latest by time; among equal times the one that stands last in the input.
    KeepLast,
}

/// Viewers × titles as compressed sparse rows. Within a viewer, titles ascend.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactions {
    n_titles: usize,
    offsets: Vec<u32>,
    titles: Vec<u32>,
    ratings: Vec<f32>,
    times: Vec<i64>,
}

impl Interactions {
    /// Builds the table of `n_viewers` × `n_titles` from rows in any order.
    ///
    /// Errors: a row outside the table, a rating that is not finite, a duplicate under [`Duplicates::Refuse`], no row at all,
    /// 2³² rows or more.
    pub fn from_rows(
        n_viewers: usize,
        n_titles: usize,
        rows: &[Interaction],
        duplicates: Duplicates,
    ) -> Result<Self, AlgorithmError> {
        check_rows(n_viewers, n_titles, rows)?;
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        // The place in the input breaks ties, so that the last of equals is the last in the file.
        order.par_sort_unstable_by_key(|&i| {
            let row = &rows[i as usize];
            (row.viewer, row.title, row.time, i)
        });
        let mut table = Self {
            n_titles,
            offsets: vec![0; n_viewers + 1],
            titles: Vec::with_capacity(rows.len()),
            ratings: Vec::with_capacity(rows.len()),
            times: Vec::with_capacity(rows.len()),
        };
        for (place, &i) in order.iter().enumerate() {
            let row = &rows[i as usize];
            let next = order.get(place + 1).map(|&j| &rows[j as usize]);
            if next.is_some_and(|next| next.viewer == row.viewer && next.title == row.title) {
                if duplicates == Duplicates::Refuse {
                    return Err(AlgorithmError::Duplicate { viewer: row.viewer, title: row.title });
                }
                continue;
            }
            table.titles.push(row.title);
            table.ratings.push(row.rating);
            table.times.push(row.time);
            table.offsets[row.viewer as usize + 1] += 1;
        }
        accumulate(&mut table.offsets);
        Ok(table)
    }

    /// Builds the table from compressed rows as an artifact or a benchmark file holds them: every rating 1, every time 0.
    ///
    /// `offsets` has one more entry than there are viewers and never descends; titles ascend within each viewer.
    pub fn from_csr(n_titles: usize, offsets: Vec<u32>, titles: Vec<u32>) -> Result<Self, AlgorithmError> {
        let whole =
            offsets.first() == Some(&0) && offsets.last().map(|&end| end as usize) == Some(titles.len());
        if !whole || offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(AlgorithmError::Parameter {
                name: "offsets",
                expected: "numbers that start at 0, never descend and end at the number of titles given",
                found: format!("{} offsets for {} titles", offsets.len(), titles.len()),
            });
        }
        if titles.is_empty() {
            return Err(AlgorithmError::Empty);
        }
        for (viewer, span) in offsets.windows(2).enumerate() {
            let row = &titles[span[0] as usize..span[1] as usize];
            if let Some(pair) = row.windows(2).find(|pair| pair[0] >= pair[1]) {
                return Err(AlgorithmError::Parameter {
                    name: "titles",
                    expected: "titles that ascend within each viewer, each once",
                    found: format!("{} before {} at viewer {viewer}", pair[0], pair[1]),
                });
            }
        }
        if let Some(position) = titles.iter().position(|&title| title as usize >= n_titles) {
            let row = titles[position];
            return Err(AlgorithmError::RowOutOfRange { position, what: "title", row, len: n_titles });
        }
        let (ratings, times) = (vec![1.0; titles.len()], vec![0; titles.len()]);
        Ok(Self { n_titles, offsets, titles, ratings, times })
    }

    /// How many viewers the table has, those without interactions included.
    pub fn n_viewers(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many titles the table has, those never watched included.
    pub fn n_titles(&self) -> usize {
        self.n_titles
    }

    /// How many interactions there are.
    pub fn len(&self) -> usize {
        self.titles.len()
    }

    /// Whether there is no interaction: never so for a table that was built without an error.
    pub fn is_empty(&self) -> bool {
        self.titles.is_empty()
    }

    /// Where each viewer's titles begin and end: `n_viewers + 1` numbers.
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// The titles of all viewers, one viewer after the other, ascending within each.
    pub fn titles(&self) -> &[u32] {
        &self.titles
    }

    /// The ratings, beside [`Self::titles`].
    pub fn ratings(&self) -> &[f32] {
        &self.ratings
    }

    /// The times, beside [`Self::titles`].
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// The range of [`Self::titles`] that belongs to one viewer.
    pub fn span(&self, viewer: usize) -> std::ops::Range<usize> {
        self.offsets[viewer] as usize..self.offsets[viewer + 1] as usize
    }

    /// The titles that one viewer watched, ascending.
    pub fn history(&self, viewer: usize) -> &[u32] {
        &self.titles[self.span(viewer)]
    }

    /// As [`Self::titles`], but within each viewer in the order of time, latest last; titles of one time ascend.
    pub fn titles_in_order(&self) -> Vec<u32> {
        let mut sequence = Vec::with_capacity(self.len());
        let mut places: Vec<usize> = Vec::new();
        for viewer in 0..self.n_viewers() {
            places.clear();
            places.extend(self.span(viewer));
            // Stable: titles ascend before, so those of one time ascend after.
            places.sort_by_key(|&place| self.times[place]);
            sequence.extend(places.iter().map(|&place| self.titles[place]));
        }
        sequence
    }

    /// Every interaction, by viewer and then by title.
    pub fn iter(&self) -> impl Iterator<Item = Interaction> + '_ {
        (0..self.n_viewers()).flat_map(move |viewer| {
            self.span(viewer).map(move |at| Interaction {
                viewer: viewer as u32,
                title: self.titles[at],
                rating: self.ratings[at],
                time: self.times[at],
            })
        })
    }

    /// The same interactions by title: rows are titles, columns viewers, ascending.
    pub fn transpose(&self) -> Self {
        let mut offsets = vec![0u32; self.n_titles + 1];
        for &title in &self.titles {
            offsets[title as usize + 1] += 1;
        }
        accumulate(&mut offsets);
        let mut next = offsets.clone();
        let mut table = Self {
            n_titles: self.n_viewers(),
            titles: vec![0; self.len()],
            ratings: vec![0.0; self.len()],
            times: vec![0; self.len()],
            offsets,
        };
        for viewer in 0..self.n_viewers() {
            for at in self.span(viewer) {
                let place = &mut next[self.titles[at] as usize];
                table.titles[*place as usize] = viewer as u32;
                table.ratings[*place as usize] = self.ratings[at];
                table.times[*place as usize] = self.times[at];
                *place += 1;
            }
        }
        table
    }

    /// How many viewers watched each title.
    pub fn plays(&self) -> Vec<f32> {
        let mut plays = vec![0.0f32; self.n_titles];
        for &title in &self.titles {
            plays[title as usize] += 1.0;
        }
        plays
    }

    /// The check that every collaborative algorithm begins with: two viewers or more have interactions.
    pub(crate) fn require_two_viewers(&self) -> Result<(), AlgorithmError> {
        match (0..self.n_viewers()).filter(|&viewer| !self.span(viewer).is_empty()).take(2).count() {
            0 => Err(AlgorithmError::Empty),
            1 => Err(AlgorithmError::OneViewer),
            _ => Ok(()),
        }
    }
}

fn check_rows(n_viewers: usize, n_titles: usize, rows: &[Interaction]) -> Result<(), AlgorithmError> {
    if rows.is_empty() {
        return Err(AlgorithmError::Empty);
    }
    for (what, found) in [("interactions", rows.len()), ("viewers", n_viewers), ("titles", n_titles)] {
        let limit = u32::MAX as usize - 1;
        if found > limit {
            return Err(AlgorithmError::TooLarge { what, found, limit });
        }
    }
    for (position, row) in rows.iter().enumerate() {
        for (what, row, len) in [("viewer", row.viewer, n_viewers), ("title", row.title, n_titles)] {
            if row as usize >= len {
                return Err(AlgorithmError::RowOutOfRange { position, what, row, len });
            }
        }
        if !row.rating.is_finite() {
            let Interaction { viewer, title, rating, .. } = *row;
            return Err(AlgorithmError::RatingNotFinite { viewer, title, rating });
        }
    }
    Ok(())
}

/// Turns counts (entry i + 1 holds the count of row i) into offsets.
fn accumulate(offsets: &mut [u32]) {
    let mut total = 0;
    for offset in offsets {
        total += *offset;
        *offset = total;
    }
}

#[cfg(test)]
mod tests;
