//! Splits of the data into a training and a test part: the protocols under which figures are reported.

use rand::seq::SliceRandom;

use crate::error::{AlgorithmError, require};
use crate::interactions::Interaction;
use crate::random::{Purpose, stream};

/// A training part and a test part; within each, rows keep their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What the model may learn from.
    pub train: Vec<Interaction>,
    /// What it is judged by.
    pub test: Vec<Interaction>,
}

impl Split {
    fn by(rows: &[Interaction], is_test: &[bool]) -> Self {
        let part = |wanted: bool| {
            rows.iter().zip(is_test).filter(|(_, test)| **test == wanted).map(|(row, _)| *row).collect()
        };
        Self { train: part(false), test: part(true) }
    }
}

/// Holds out the last interaction of each viewer by time; among equal times the one that stands last in `rows`.
///
/// A viewer with a single interaction keeps it for training. Applied once more to the training part it gives a validation
/// part: the interaction before the last.
pub fn leave_last_out(rows: &[Interaction]) -> Split {
    let n_viewers = rows.iter().map(|row| row.viewer as usize + 1).max().unwrap_or(0);
    let mut last: Vec<Option<usize>> = vec![None; n_viewers];
    let mut count = vec![0usize; n_viewers];
    for (position, row) in rows.iter().enumerate() {
        let viewer = row.viewer as usize;
        count[viewer] += 1;
        if last[viewer].is_none_or(|before| rows[before].time <= row.time) {
            last[viewer] = Some(position);
        }
    }
    let mut is_test = vec![false; rows.len()];
    for (position, _) in last.iter().zip(&count).filter(|(_, count)| **count > 1) {
        if let Some(position) = position {
            is_test[*position] = true;
        }
    }
    Split::by(rows, &is_test)
}

/// Holds out a random share of the rows, at least one and never all.
///
/// Errors: `test_share` not strictly between 0 and 1, fewer than two rows.
pub fn random(rows: &[Interaction], test_share: f64, seed: u64) -> Result<Split, AlgorithmError> {
    require(test_share > 0.0 && test_share < 1.0, "test_share", test_share, "a number between 0 and 1")?;
    if rows.len() < 2 {
        return Err(AlgorithmError::Empty);
    }
    let n_test = ((rows.len() as f64 * test_share).round() as usize).clamp(1, rows.len() - 1);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.shuffle(&mut stream(seed, Purpose::Split, 0));
    let mut is_test = vec![false; rows.len()];
    order[..n_test].iter().for_each(|&position| is_test[position] = true);
    Ok(Split::by(rows, &is_test))
}

/// Holds out one of `folds` runs of equal length, in the order of the rows: fold k of ML-100K's u1 to u5 is `fold(rows, k, 5)`.
///
/// Errors: `fold` not within 1..=`folds`, fewer rows than folds, fewer than two folds.
pub fn fold(rows: &[Interaction], fold: usize, folds: usize) -> Result<Split, AlgorithmError> {
    require(folds >= 2 && folds <= rows.len(), "folds", folds, "at least 2 and at most the number of rows")?;
    require(fold >= 1 && fold <= folds, "fold", fold, "a number from 1 to the number of folds")?;
    let (from, to) = (rows.len() * (fold - 1) / folds, rows.len() * fold / folds);
    let is_test: Vec<bool> = (0..rows.len()).map(|position| (from..to).contains(&position)).collect();
    Ok(Split::by(rows, &is_test))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(viewer: u32, title: u32, time: i64) -> Interaction {
        Interaction { viewer, title, rating: 1.0, time }
    }

    #[test]
    fn the_last_by_time_is_held_out_and_ties_keep_the_order_of_the_file() {
        let rows = [row(0, 1, 5), row(0, 2, 9), row(0, 3, 9), row(1, 4, 7), row(1, 5, 6), row(2, 6, 1)];
        let Split { train, test } = leave_last_out(&rows);
        let held: Vec<u32> = test.iter().map(|row| row.title).collect();
        assert_eq!(held, [3, 4], "viewer 2 has one interaction and keeps it");
        assert_eq!(train.len(), 4);
        let before: Vec<u32> = leave_last_out(&train).test.iter().map(|row| row.title).collect();
        assert_eq!(before, [2], "once more: the one before the last");
    }

    #[test]
    fn folds_are_runs_of_rows_and_cover_everything_once() {
        let rows: Vec<Interaction> = (0..11).map(|i| row(i, 0, 0)).collect();
        let mut seen = Vec::new();
        for k in 1..=5 {
            let split = fold(&rows, k, 5).unwrap();
            assert_eq!(split.train.len() + split.test.len(), 11);
            seen.extend(split.test.iter().map(|row| row.viewer));
        }
        assert_eq!(seen, (0..11).collect::<Vec<u32>>());
        assert!(fold(&rows, 0, 5).is_err() && fold(&rows, 6, 5).is_err() && fold(&rows, 1, 12).is_err());
    }

    #[test]
    fn a_random_split_follows_from_its_seed() {
        let rows: Vec<Interaction> = (0..100).map(|i| row(i, 0, 0)).collect();
        let (one, two) = (random(&rows, 0.1, 42).unwrap(), random(&rows, 0.1, 43).unwrap());
        assert_eq!(one.test.len(), 10);
        assert_eq!(one, random(&rows, 0.1, 42).unwrap());
        assert_ne!(one, two);
        assert!(
            random(&rows, 0.0, 1).is_err()
                && random(&rows, 1.0, 1).is_err()
                && random(&rows, f64::NAN, 1).is_err()
        );
    }
}
