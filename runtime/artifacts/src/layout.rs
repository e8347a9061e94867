//! Which tensors an architecture has, and that their sizes agree with the id tables and with one another.

use std::collections::BTreeMap;

use crate::error::{Fault, Finding, quoted};
use crate::manifest::{Architecture, Golden, Manifest};
use crate::tensor::{Dtype, RawTensor};

/// A size that is known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// Rows of the viewer table.
    Viewers,
    /// One more than that: offsets of a compressed matrix.
    ViewersAndOne,
    /// Rows of the title table.
    Titles,
    /// Watched titles, all viewers together.
    Watched,
    /// Factors: one number for all tensors of the artifact.
    Factors,
    /// One number.
    One,
}

use Dtype::{F32, U32};
use Size::{Factors, One, Titles, Viewers, ViewersAndOne, Watched};

type Row = (&'static str, Dtype, &'static [Size]);

/// Every model has these: popularity, and what each viewer watched in training.
#[rustfmt::skip]
const ALL_MODELS: &[Row] = &[
    ("title.plays",     F32, &[Titles]),
    ("history.offsets", U32, &[ViewersAndOne]),
    ("history.titles",  U32, &[Watched]),
];

#[rustfmt::skip]
fn own_tensors(architecture: Architecture) -> &'static [Row] {
    match architecture {
        Architecture::Popularity | Architecture::Catalogue => &[],
        Architecture::BiasedMf => &[
            ("global.mean",    F32, &[One]),
            ("viewer.bias",    F32, &[Viewers]),
            ("title.bias",     F32, &[Titles]),
            ("viewer.factors", F32, &[Viewers, Factors]),
            ("title.factors",  F32, &[Titles, Factors]),
        ],
        Architecture::SvdPlusPlus => &[
            ("global.mean",    F32, &[One]),
            ("viewer.bias",    F32, &[Viewers]),
            ("title.bias",     F32, &[Titles]),
            ("viewer.factors", F32, &[Viewers, Factors]),
            ("title.factors",  F32, &[Titles, Factors]),
            ("title.implicit", F32, &[Titles, Factors]),
        ],
        Architecture::ImplicitAls => &[
            ("viewer.factors", F32, &[Viewers, Factors]),
            ("title.factors",  F32, &[Titles, Factors]),
        ],
        Architecture::Bpr => &[
            ("viewer.factors", F32, &[Viewers, Factors]),
            ("title.factors",  F32, &[Titles, Factors]),
            ("title.bias",     F32, &[Titles]),
        ],
        Architecture::Ease => &[
            ("weights",        F32, &[Titles, Titles]),
        ],
    }
}

/// What is wrong, and the tensor that it is wrong with; none where the manifest is.
pub(crate) type Fails = (Option<&'static str>, Finding);

/// Checks names, types and sizes of the tensors of a model, the histories, and the rows that golden cases name.
pub(crate) fn check(
    manifest: &Manifest,
    tensors: &BTreeMap<String, RawTensor>,
    n_viewers: usize,
    n_titles: usize,
) -> Result<(), Fails> {
    if manifest.architecture == Architecture::Catalogue {
        return Ok(());
    }
    let mut sizes = Sizes { n_viewers, n_titles, factors: None };
    for row in ALL_MODELS.iter().chain(own_tensors(manifest.architecture)) {
        let Some(tensor) = tensors.get(row.0) else {
            let expected = format!("tensor {} for architecture {}", quoted(row.0), manifest.architecture);
            return Err((None, Finding::new(Fault::Tensor, expected, "none")));
        };
        sizes.check(row, tensor).map_err(|finding| (Some(row.0), finding))?;
    }
    check_history(tensors, n_titles).map_err(|finding| (Some("history.titles"), finding))?;
    let golden = manifest.golden.as_ref();
    golden
        .map_or(Ok(()), |golden| check_golden_rows(golden, n_viewers, n_titles))
        .map_err(|finding| (None, finding))
}

struct Sizes {
    n_viewers: usize,
    n_titles: usize,
    factors: Option<usize>,
}

impl Sizes {
    fn check(&mut self, (name, dtype, sizes): &Row, tensor: &RawTensor) -> Result<(), Finding> {
        let shape: Vec<usize> =
            sizes.iter().enumerate().map(|(at, size)| self.expected(*size, tensor.shape.get(at))).collect();
        if tensor.dtype == *dtype && tensor.shape == shape {
            return Ok(());
        }
        let expected = format!(
            "tensor {} to be {dtype} {shape:?} with {} viewers and {} titles",
            quoted(name),
            self.n_viewers,
            self.n_titles
        );
        Err(Finding::new(Fault::Count, expected, format!("{} {:?}", tensor.dtype, tensor.shape)))
    }

    /// What `size` must be. The first tensor with factors says how many there are.
    fn expected(&mut self, size: Size, found: Option<&usize>) -> usize {
        let found = found.copied().unwrap_or(0);
        match size {
            Viewers => self.n_viewers,
            ViewersAndOne => self.n_viewers + 1,
            Titles => self.n_titles,
            Watched => found,
            Factors => *self.factors.get_or_insert(found.max(1)),
            One => 1,
        }
    }
}

/// Offsets from 0, never falling, up to the number of watched titles; titles ascending in each viewer, and in range.
fn check_history(tensors: &BTreeMap<String, RawTensor>, n_titles: usize) -> Result<(), Finding> {
    let u32s = |name: &str| tensors.get(name).and_then(RawTensor::as_u32).unwrap_or_default();
    let (offsets, titles) = (u32s("history.offsets"), u32s("history.titles"));
    let refuse = |expected: String, found: String| Err(Finding::new(Fault::Count, expected, found));
    if offsets.first() != Some(&0) || offsets.last().map(|last| *last as usize) != Some(titles.len()) {
        let ends = [offsets.first(), offsets.last()].map(|offset| offset.copied().unwrap_or_default());
        let found = format!("{} to {}", ends[0], ends[1]);
        return refuse(format!("`history.offsets` from 0 to {}", titles.len()), found);
    }
    for (viewer, pair) in offsets.windows(2).enumerate() {
        let Some(watched) = titles.get(pair[0] as usize..pair[1] as usize) else {
            let found = format!("{} then {} at viewer row {viewer}", pair[0], pair[1]);
            return refuse(format!("`history.offsets` to rise to {}", titles.len()), found);
        };
        if !watched.is_sorted_by(|a, b| a < b) {
            return refuse(
                "`history.titles` to ascend".to_owned(),
                format!("viewer row {viewer} out of order"),
            );
        }
        // They ascend, so the last is the largest.
        if let Some(last) = watched.last().filter(|last| **last as usize >= n_titles) {
            return refuse(
                format!("`history.titles` below {n_titles}"),
                format!("{last} at viewer row {viewer}"),
            );
        }
    }
    Ok(())
}

fn check_golden_rows(golden: &Golden, n_viewers: usize, n_titles: usize) -> Result<(), Finding> {
    for (case_idx, case) in golden.cases.iter().enumerate() {
        if let Some(row) = case.viewer.filter(|row| *row as usize >= n_viewers) {
            let expected = format!("a viewer row below {n_viewers} in golden case {case_idx}");
            return Err(Finding::new(Fault::Golden, expected, row.to_string()));
        }
        if let Some(row) = case.recent.iter().chain(&case.titles).find(|row| **row as usize >= n_titles) {
            let expected = format!("title rows below {n_titles} in golden case {case_idx}");
            return Err(Finding::new(Fault::Golden, expected, row.to_string()));
        }
    }
    Ok(())
}
