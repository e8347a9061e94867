//! Converts scores and title rows to and from the messages of `marquee.v1.Ranker`. Pods and pages both use it.

use bytes::Bytes;
use marquee_models::TitleRow;
use marquee_pages::Candidate;

use crate::{
    contract::marquee::v1 as wire,
    service::{client::Scores, lists::Slice},
};

/// Converts scores to their message.
pub fn write(scores: &Scores) -> wire::Scores {
    match scores {
        Scores::All(scores) => wire::Scores { all: packed(scores), ..wire::Scores::default() },
        Scores::Listed(listed) => {
            let scores: Vec<f32> = listed.iter().map(|listed| listed.score).collect();
            let gaps = gaps(listed.iter().map(|listed| listed.title));
            wire::Scores { gaps, listed: packed(&scores), ..wire::Scores::default() }
        }
    }
}

/// Reads the scores of a model with `n_titles` titles. `None` if the message does not fit the model's title table.
pub fn read(message: &wire::Scores, n_titles: usize) -> Option<Scores> {
    if !message.all.is_empty() {
        let scores: Vec<f32> = unpacked(&message.all)?.collect();
        return (scores.len() == n_titles).then_some(Scores::All(scores));
    }
    let (rows, scores) = (rows(&message.gaps)?, unpacked(&message.listed)?);
    if rows.len() != scores.len() || rows.last().is_some_and(|last| last.idx() >= n_titles) {
        return None;
    }
    let listed = rows.into_iter().zip(scores).map(|(title, score)| Candidate { title, score });
    Some(Scores::Listed(listed.collect()))
}

/// Converts title rows to the numbers in messages.
pub fn numbers(rows: Vec<TitleRow>) -> Vec<u32> {
    rows.into_iter().map(|row| row.0).collect()
}

/// Converts the numbers in messages to title rows.
pub fn title_rows(numbers: Vec<u32>) -> Vec<TitleRow> {
    numbers.into_iter().map(TitleRow).collect()
}

/// Encodes ascending rows: the first row, then for each row its distance from the previous one.
pub fn gaps(rows: impl Iterator<Item = TitleRow>) -> Vec<u32> {
    let mut before = 0;
    rows.map(|row| row.0 - std::mem::replace(&mut before, row.0)).collect()
}

/// Decodes the rows that [`gaps`] encoded. `None` if they do not ascend, or if a row number overflows.
pub fn rows(gaps: &[u32]) -> Option<Vec<TitleRow>> {
    let mut before: Option<u32> = None;
    let mut next = |&gap: &u32| {
        let row = match before {
            None => gap,
            Some(before) => before.checked_add(gap).filter(|_| gap > 0)?,
        };
        before = Some(row);
        before.map(TitleRow)
    };
    gaps.iter().map(&mut next).collect()
}

/// Converts a slice of a model with `n_titles` titles: writes its rows, or the rows outside it if those are fewer.
pub fn write_slice(slice: &Slice, n_titles: usize) -> wire::Slice {
    let all_but = 2 * slice.rows.len() > n_titles;
    let rows = if all_but { &others(&slice.rows, n_titles) } else { &*slice.rows };
    wire::Slice { gaps: gaps(rows.iter().copied()), all_but }
}

/// Reads a slice of a model with `n_titles` titles. `None` if the message does not fit the model's title table.
pub fn read_slice(message: &wire::Slice, n_titles: usize) -> Option<Slice> {
    let rows = rows(&message.gaps)?;
    if rows.last().is_some_and(|last| last.idx() >= n_titles) {
        return None;
    }
    Slice::new(if message.all_but { others(&rows, n_titles) } else { rows }.into())
}

/// The rows of a table that are not in `rows`, which must ascend.
fn others(rows: &[TitleRow], n_titles: usize) -> Vec<TitleRow> {
    let mut rows = rows.iter().peekable();
    (0..n_titles as u32).map(TitleRow).filter(|row| rows.next_if_eq(&row).is_none()).collect()
}

/// Packs scores as little-endian bytes. Only little-endian machines serve models, because artifacts are mapped in place.
fn packed(scores: &[f32]) -> Bytes {
    Bytes::copy_from_slice(bytemuck::cast_slice(scores))
}

fn unpacked(bytes: &[u8]) -> Option<impl ExactSizeIterator<Item = f32>> {
    let (scores, rest) = bytes.as_chunks();
    rest.is_empty().then(|| scores.iter().map(|score| f32::from_le_bytes(*score)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(scores: &Scores) -> Vec<(u32, u32)> {
        match scores {
            Scores::All(scores) => (0..).zip(scores.iter().map(|score| score.to_bits())).collect(),
            Scores::Listed(listed) => listed.iter().map(|c| (c.title.0, c.score.to_bits())).collect(),
        }
    }

    #[test]
    fn scores_keep_every_bit_and_titles_their_rows() {
        let sent = [0.1_f32, -0.0, f32::MIN_POSITIVE / 2.0, f32::NEG_INFINITY];
        let listed = [0, 3, 4, 900_000].into_iter().zip(sent);
        let listed = Scores::Listed(
            listed.map(|(title, score)| Candidate { title: TitleRow(title), score }).collect(),
        );
        for (scores, n_titles) in [(Scores::All(sent.to_vec()), 4), (listed, 900_001)] {
            let message = write(&scores);
            assert_eq!(bits(&read(&message, n_titles).unwrap()), bits(&scores));
            assert!(read(&message, n_titles - 1).is_none(), "another title table");
        }
        assert_eq!(read(&write(&Scores::Listed(Vec::new())), 3), Some(Scores::Listed(Vec::new())));
    }

    #[test]
    fn a_slice_is_sent_by_its_rows_or_by_the_rows_outside_it() {
        for rows in [&[0, 3][..], &[1, 2, 3, 4, 5], &[], &[0, 1, 2, 3, 4, 5]] {
            let slice = Slice::new(TitleRow::from_numbers(rows).into()).unwrap();
            let message = write_slice(&slice, 6);
            assert!(message.gaps.len() <= 3, "{rows:?}");
            assert_eq!(read_slice(&message, 6), Some(slice));
        }
        assert_eq!(
            read_slice(&wire::Slice { gaps: vec![6], all_but: false }, 6),
            None,
            "another title table"
        );
    }

    #[test]
    fn an_invalid_message_is_refused() {
        let message = |all: &'static [u8], gaps: &[u32], listed: &'static [u8]| wire::Scores {
            all: Bytes::from_static(all),
            gaps: gaps.to_vec(),
            listed: Bytes::from_static(listed),
        };
        #[rustfmt::skip]
        let cases = [
            ("half a score",             message(&[0; 7], &[], &[])),
            ("a title without a score",  message(&[], &[0, 1], &[0; 4])),
            ("a title twice",            message(&[], &[1, 0], &[0; 8])),
            ("rows that overflow",       message(&[], &[1, u32::MAX], &[0; 8])),
        ];
        for (why, message) in cases {
            assert_eq!(read(&message, 2), None, "{why}");
        }
    }
}
