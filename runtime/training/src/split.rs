//! The data as algorithms take it, and the part of it that is held out.

use marquee_algorithms::{
    AlgorithmError, Interaction, Interactions,
    interactions::Duplicates,
    metrics::RatingScale,
    split::{self, Split},
};

use crate::{
    config::Protocol,
    data::{Facts, Ids, Ratings},
};

/// A training part and what is held out of it.
#[derive(Clone, Debug)]
pub struct DataSplit {
    /// What is learnt from.
    pub training: Interactions,
    /// What is measured on; empty without a protocol.
    pub held_out: Vec<Interaction>,
    /// Lowest and highest rating of all data.
    pub scale: RatingScale,
}

/// How many viewers and titles a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableShape {
    /// Viewers.
    pub viewers: usize,
    /// Titles.
    pub titles: usize,
}

impl TableShape {
    /// The shape of `table`.
    pub fn of(table: &Interactions) -> Self {
        Self { viewers: table.n_viewers(), titles: table.n_titles() }
    }
}

/// Everything that was read, as algorithms take it.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Ids of the viewers, by row.
    pub viewers: Ids,
    /// Ids of the titles, by row.
    pub titles: Ids,
    /// In file order.
    pub rows: Vec<Interaction>,
    /// How the reading went.
    pub facts: Facts,
}

impl From<Ratings> for Dataset {
    fn from(ratings: Ratings) -> Self {
        let row = |i: usize| Interaction {
            viewer: ratings.viewer[i],
            title: ratings.title[i],
            rating: ratings.rating[i],
            time: ordered(ratings.time[i]),
        };
        let rows = (0..ratings.len()).map(row).collect();
        Self { rows, viewers: ratings.viewers, titles: ratings.titles, facts: ratings.facts }
    }
}

impl Dataset {
    /// How many viewers and titles there are.
    pub fn shape(&self) -> TableShape {
        TableShape { viewers: self.viewers.len(), titles: self.titles.len() }
    }

    /// Cuts the rows as `protocol` says.
    pub fn cut(&self, protocol: Protocol) -> Result<DataSplit, AlgorithmError> {
        cut(&self.rows, self.shape(), protocol)
    }
}

/// A whole number that is ordered as `time` is. Only the order of times counts, and fractions of a second must not tie.
fn ordered(time: f64) -> i64 {
    // Adding 0 makes -0 and 0 equal. The bits of positive numbers ascend with them, those of negative ones descend.
    let bits = (time + 0.0).to_bits().cast_signed();
    if bits < 0 { -(bits & i64::MAX) } else { bits }
}

/// The time of which [`ordered`] made a whole number.
pub(crate) fn time_of(ordered: i64) -> f64 {
    let bits = if ordered < 0 { (-ordered) | i64::MIN } else { ordered };
    f64::from_bits(bits.cast_unsigned())
}

/// Cuts `rows` as `protocol` says.
pub fn cut(rows: &[Interaction], shape: TableShape, protocol: Protocol) -> Result<DataSplit, AlgorithmError> {
    let Split { train, test } = split_rows(rows, protocol)?;
    Ok(DataSplit { training: table(&train, shape)?, held_out: test, scale: scale(rows) })
}

/// The training rows and the rows that are held out.
pub(crate) fn split_rows(rows: &[Interaction], protocol: Protocol) -> Result<Split, AlgorithmError> {
    match protocol {
        Protocol::None => Ok(Split { train: rows.to_vec(), test: Vec::new() }),
        Protocol::RandomSplit { fraction, seed } => split::random(rows, fraction, seed),
        Protocol::Fold { fold, of } => split::fold(rows, fold as usize, of as usize),
        Protocol::LeaveLastOut => Ok(split::leave_last_out(rows)),
    }
}

/// Rows as a table. Duplicates were resolved while reading.
pub(crate) fn table(rows: &[Interaction], shape: TableShape) -> Result<Interactions, AlgorithmError> {
    Interactions::from_rows(shape.viewers, shape.titles, rows, Duplicates::KeepLast)
}

/// Lowest and highest rating.
pub(crate) fn scale(rows: &[Interaction]) -> RatingScale {
    let none = RatingScale { least: f32::INFINITY, most: f32::NEG_INFINITY };
    rows.iter().fold(none, |scale, row| RatingScale {
        least: scale.least.min(row.rating),
        most: scale.most.max(row.rating),
    })
}

/// The protocol by which hyperparameters are chosen within the training part of `protocol`.
pub fn validation(protocol: Protocol, is_explicit: bool) -> Protocol {
    match protocol {
        Protocol::RandomSplit { fraction, seed } => {
            Protocol::RandomSplit { fraction, seed: seed ^ VALIDATION }
        }
        Protocol::LeaveLastOut => Protocol::LeaveLastOut,
        Protocol::None if !is_explicit => Protocol::LeaveLastOut,
        // Rows of one training part are no longer in runs of their own: a share drawn at random stands in for a fold.
        Protocol::Fold { .. } | Protocol::None => Protocol::RandomSplit { fraction: 0.1, seed: VALIDATION },
    }
}

/// Keeps the drawing of a validation part apart from that of the test part.
const VALIDATION: u64 = 0x7661_6c69_6461_7465;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_order_as_whole_numbers() {
        let times =
            [f64::MIN, -2.5, -1.0, -1e-300, 0.0, 1e-300, 0.5, 1.0, 881_250_949.0, 881_250_949.5, f64::MAX];
        let whole: Vec<i64> = times.into_iter().map(ordered).collect();
        assert!(whole.is_sorted_by(|a, b| a < b), "{whole:?}");
        assert_eq!(whole.into_iter().map(time_of).collect::<Vec<_>>(), times);
        assert_eq!(ordered(-0.0), ordered(0.0));
    }
}
