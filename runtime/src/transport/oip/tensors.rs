//! Converts tensors to requests, and answers to tensors.

use super::super::text::Text;
use crate::service::types::{ScoreRequest, ScoreResponse, ServeError};

/// An input tensor. Its elements are ids, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Input<'a> {
    /// `viewer`, `titles` or `recent`.
    pub name: Text<'a>,
    /// The shape in the request.
    pub shape: Vec<i64>,
    /// The elements; their number must match the shape.
    pub ids: Vec<Text<'a>>,
}

/// Ids of a tensor with a valid shape.
struct Matrix<'a> {
    rows: usize,
    columns: usize,
    ids: Vec<Text<'a>>,
}

/// The output tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// `[b, n]`
    pub shape: [usize; 2],
    /// Digest of the artifact that answered.
    pub artifact_digest: std::sync::Arc<str>,
    /// One answer for each viewer.
    pub rows: Vec<ScoreResponse>,
}

fn invalid(message: String) -> ServeError {
    ServeError::Invalid(message)
}

/// One request for each row of the tensors, all for `objective`.
///
/// # Errors
/// Invalid: a tensor is missing, unknown or duplicate, or its shape does not match its elements or the other tensors.
pub fn requests<'a>(
    objective: &'a str,
    inputs: impl Iterator<Item = Result<Input<'a>, ServeError>>,
) -> Result<Vec<ScoreRequest<Text<'a>>>, ServeError> {
    let [mut viewer, mut titles, mut recent] = [None, None, None];
    for input in inputs {
        let input = input?;
        let place = match &*input.name {
            "viewer" => &mut viewer,
            "titles" => &mut titles,
            "recent" => &mut recent,
            other => {
                return Err(invalid(format!(
                    "input {other:?} does not exist: the inputs are \"viewer\", \"titles\" and \"recent\""
                )));
            }
        };
        if place.is_some() {
            return Err(invalid(format!("input {:?} occurs twice", &*input.name)));
        }
        *place = Some(input);
    }
    let missing = |name: &str| invalid(format!("input {name:?} is missing: send \"viewer\" and \"titles\""));
    let viewer = matrix(viewer.ok_or_else(|| missing("viewer"))?)?;
    let titles = matrix(titles.ok_or_else(|| missing("titles"))?)?;
    let recent = recent.map(matrix).transpose()?;
    if viewer.columns != 1 {
        return Err(invalid(format!(
            "input \"viewer\" has {} columns: expected the shape [b, 1]",
            viewer.columns
        )));
    }
    for (name, rows) in [("titles", Some(titles.rows)), ("recent", recent.as_ref().map(|recent| recent.rows))]
    {
        if let Some(rows) = rows.filter(|rows| *rows != viewer.rows) {
            let b = viewer.rows;
            return Err(invalid(format!(
                "input {name:?} has {rows} rows and \"viewer\" has {b}: send the same number of rows"
            )));
        }
    }
    Ok(rows(objective, viewer, titles, recent))
}

fn rows<'a>(
    objective: &'a str,
    viewer: Matrix<'a>,
    titles: Matrix<'a>,
    recent: Option<Matrix<'a>>,
) -> Vec<ScoreRequest<Text<'a>>> {
    let mut recent = recent.map(Matrix::into_rows);
    let mut titles = titles.into_rows();
    viewer
        .ids
        .into_iter()
        .map(|viewer| {
            let mut recent = recent.as_mut().and_then(Iterator::next).unwrap_or_default();
            recent.retain(|id| !id.is_empty());
            ScoreRequest {
                objective: objective.into(),
                viewer,
                recent,
                titles: titles.next().unwrap_or_default(),
            }
        })
        .collect()
}

impl<'a> Matrix<'a> {
    /// The rows in order. A single row keeps its buffer.
    fn into_rows(self) -> impl Iterator<Item = Vec<Text<'a>>> {
        let Self { rows, columns, ids } = self;
        let (mut whole, mut rest) = if rows == 1 { (Some(ids), Vec::new()) } else { (None, ids) };
        let mut left = std::mem::take(&mut rest).into_iter();
        (0..rows).map(move |_| whole.take().unwrap_or_else(|| left.by_ref().take(columns).collect()))
    }
}

fn matrix(input: Input<'_>) -> Result<Matrix<'_>, ServeError> {
    let Input { name, shape, ids } = input;
    let size =
        |at: usize| shape.get(at).and_then(|size| usize::try_from(*size).ok()).filter(|size| *size > 0);
    let (Some(rows), Some(columns), 2) = (size(0), size(1), shape.len()) else {
        return Err(invalid(format!(
            "input {:?} has the shape {shape:?}: expected two sizes of 1 or more",
            &*name
        )));
    };
    if rows.checked_mul(columns) != Some(ids.len()) {
        let (name, found) = (&*name, ids.len());
        return Err(invalid(format!(
            "input {name:?} has {found} elements, which does not match its shape {shape:?}"
        )));
    }
    Ok(Matrix { rows, columns, ids })
}

impl Scores {
    /// The output tensor of these answers.
    pub fn new(rows: Vec<ScoreResponse>) -> Self {
        let first = rows.first();
        let shape = [rows.len(), first.map_or(0, |row| row.scores.len())];
        let artifact_digest = first.map_or_else(|| "".into(), |row| row.model.artifact_digest.clone());
        Self { shape, artifact_digest, rows }
    }

    /// All scores, row by row.
    pub fn values(&self) -> impl Iterator<Item = f32> {
        self.rows.iter().flat_map(|row| row.scores.iter().copied())
    }

    /// All scores, row by row, as little-endian bytes.
    pub fn raw(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(self.shape[0] * self.shape[1] * 4);
        raw.extend(self.values().flat_map(f32::to_le_bytes));
        raw
    }
}

#[cfg(test)]
mod tests;
