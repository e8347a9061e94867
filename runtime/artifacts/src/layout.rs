//! Which tensors an architecture declares, and that their sizes agree with the id tables and with one another.
//!
//! The declarations are data that the caller hands in ([`Artifact::check_layout`]). What holds whatever the architecture
//! is, [`crate::open`] checks: histories, and the rows that golden cases name.

use std::collections::BTreeMap;

use crate::architecture::Architecture;
use crate::artifact::Artifact;
use crate::error::{ArtifactError, Fault, Finding, quoted};
use crate::manifest::{Golden, MANIFEST_FILE, Manifest};
use crate::tensor::{Dtype, RawTensor};

/// A size of a tensor that is known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
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
    /// This number.
    Exactly(usize),
}

/// A tensor that an architecture declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Unique in the artifact.
    pub name: &'static str,
    /// Element type.
    pub dtype: Dtype,
    /// Sizes, outermost first.
    pub shape: &'static [Size],
    /// The first format version that holds it.
    pub since: u32,
}

impl Declaration {
    /// A tensor of 32-bit floats.
    pub const fn f32(name: &'static str, shape: &'static [Size]) -> Self {
        Self { name, dtype: Dtype::F32, shape, since: 1 }
    }

    /// A tensor of unsigned 32-bit integers.
    pub const fn u32(name: &'static str, shape: &'static [Size]) -> Self {
        Self { name, dtype: Dtype::U32, shape, since: 1 }
    }

    /// The same, held from a later format version on.
    pub const fn since(self, version: u32) -> Self {
        Self { since: version, ..self }
    }
}

/// Names of the tensors of histories.
const OFFSETS: &str = "history.offsets";
const WATCHED: &str = "history.titles";
const SEQUENCE: &str = "history.sequence";

/// How many viewers watched each title, and which titles each viewer watched: ascending, and once more in the order of
/// time, latest last. Titles of one time ascend, as do all where the training data has no times.
pub const WATCH_HISTORY: &[Declaration] = &[
    Declaration::f32("title.plays", &[Size::Titles]),
    Declaration::u32(OFFSETS, &[Size::ViewersAndOne]),
    Declaration::u32(WATCHED, &[Size::Watched]),
    Declaration::u32(SEQUENCE, &[Size::Watched]).since(2),
];

/// An architecture as far as the format is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Its name.
    pub architecture: &'static str,
    /// Its tensors, in groups that architectures share.
    pub tensors: &'static [&'static [Declaration]],
}

/// What the sizes of tensors come to in one artifact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of the viewer table.
    pub viewers: usize,
    /// Rows of the title table.
    pub titles: usize,
    /// Watched titles, all viewers together.
    pub watched: usize,
    /// Factors.
    pub factors: usize,
}

impl Sizes {
    /// What `size` comes to.
    pub fn get(&self, size: Size) -> usize {
        match size {
            Size::Viewers => self.viewers,
            Size::ViewersAndOne => self.viewers + 1,
            Size::Titles => self.titles,
            Size::Watched => self.watched,
            Size::Factors => self.factors,
            Size::Exactly(size) => size,
        }
    }
}

impl Layout {
    /// Every tensor.
    pub fn declarations(&self) -> impl Iterator<Item = &'static Declaration> + use<> {
        self.tensors.iter().flat_map(|group| group.iter())
    }

    /// Bytes of all tensors at these sizes.
    pub fn bytes(&self, sizes: &Sizes) -> u64 {
        let elements = |declared: &Declaration| {
            declared.shape.iter().map(|size| sizes.get(*size) as u64).product::<u64>()
        };
        self.declarations().map(|declared| elements(declared) * declared.dtype.size() as u64).sum()
    }
}

impl Artifact {
    /// Refuses an architecture that is not in `known`, and tensors that are not as its layout declares.
    pub fn check_layout(&self, known: &[Layout]) -> Result<(), ArtifactError> {
        let architecture = &self.manifest.architecture;
        let file = |tensor| self.dir.join(file_of(&self.manifest, tensor));
        let Some(layout) = known.iter().find(|layout| layout.architecture == architecture.name()) else {
            let catalogue = Architecture::CATALOGUE;
            let names: Vec<&str> =
                known.iter().map(|layout| layout.architecture).chain([catalogue.name()]).collect();
            let expected = format!("one of the architectures {}", names.join(", "));
            let found = quoted(architecture.name());
            return Err(Finding::new(Fault::UnknownArchitecture, expected, found).in_file(&file(None)));
        };
        let sizes = Sizes { viewers: self.n_viewers(), titles: self.n_titles(), ..Sizes::default() };
        let mut check = SizeCheck { sizes, watched: None, factors: None };
        let version = self.manifest.format_version;
        for declared in layout.declarations().filter(|declared| declared.since <= version) {
            let Some(tensor) = self.tensors.get(declared.name) else {
                let expected = format!("tensor {} for architecture {architecture}", quoted(declared.name));
                return Err(Finding::new(Fault::Tensor, expected, "none").in_file(&file(None)));
            };
            check.check(declared, tensor).map_err(|finding| finding.in_file(&file(Some(declared.name))))?;
        }
        Ok(())
    }
}

struct SizeCheck {
    sizes: Sizes,
    /// The first tensor of watched titles says how many there are.
    watched: Option<usize>,
    /// The first tensor with factors says how many there are.
    factors: Option<usize>,
}

impl SizeCheck {
    fn check(&mut self, declared: &Declaration, tensor: &RawTensor) -> Result<(), Finding> {
        let expected = |(at, size): (usize, &Size)| self.expected(*size, tensor.shape.get(at));
        let shape: Vec<usize> = declared.shape.iter().enumerate().map(expected).collect();
        if tensor.dtype == declared.dtype && tensor.shape == shape {
            return Ok(());
        }
        let expected = format!(
            "tensor {} to be {} {shape:?} with {} viewers and {} titles",
            quoted(declared.name),
            declared.dtype,
            self.sizes.viewers,
            self.sizes.titles
        );
        Err(Finding::new(Fault::Count, expected, format!("{} {:?}", tensor.dtype, tensor.shape)))
    }

    fn expected(&mut self, size: Size, found: Option<&usize>) -> usize {
        let found = found.copied().unwrap_or(0);
        match size {
            Size::Watched => *self.watched.get_or_insert(found),
            Size::Factors => *self.factors.get_or_insert(found.max(1)),
            other => self.sizes.get(other),
        }
    }
}

/// The file that holds a tensor; the manifest itself for none.
pub(crate) fn file_of<'a>(manifest: &'a Manifest, tensor: Option<&str>) -> &'a str {
    let holds =
        |file: &&crate::manifest::File| tensor.is_some_and(|tensor| file.tensors.contains_key(tensor));
    manifest.files.iter().find(holds).map_or(MANIFEST_FILE, |file| &file.path)
}

/// What is wrong, and the tensor that it is wrong with; `None` where the manifest is.
pub(crate) type Fails = (Option<&'static str>, Finding);

/// Checks the histories, where there are any, and the rows that golden cases name.
pub(crate) fn check(
    manifest: &Manifest,
    tensors: &BTreeMap<String, RawTensor>,
    n_viewers: usize,
    n_titles: usize,
) -> Result<(), Fails> {
    if tensors.contains_key(OFFSETS) || tensors.contains_key(WATCHED) {
        check_history(tensors, n_viewers, n_titles).map_err(|finding| (Some(WATCHED), finding))?;
    }
    let golden = manifest.golden.as_ref();
    golden
        .map_or(Ok(()), |golden| check_golden_rows(golden, n_viewers, n_titles))
        .map_err(|finding| (None, finding))
}

/// Offsets from 0, never falling, up to the number of watched titles; titles ascending in each viewer, and in range; in
/// the order of time the same titles.
fn check_history(
    tensors: &BTreeMap<String, RawTensor>,
    n_viewers: usize,
    n_titles: usize,
) -> Result<(), Finding> {
    let u32s = |name: &str| tensors.get(name).and_then(RawTensor::as_u32).unwrap_or_default();
    let (offsets, titles) = (u32s(OFFSETS), u32s(WATCHED));
    let sequence = tensors.get(SEQUENCE).map(|tensor| tensor.as_u32().unwrap_or_default());
    let refuse = |expected: String, found: String| Err(Finding::new(Fault::Count, expected, found));
    if offsets.len() != n_viewers + 1 {
        let expected = format!("{} numbers in `{OFFSETS}`, one more than viewers", n_viewers + 1);
        return refuse(expected, offsets.len().to_string());
    }
    if offsets.first() != Some(&0) || offsets.last().map(|last| *last as usize) != Some(titles.len()) {
        let ends = [offsets.first(), offsets.last()].map(|offset| offset.copied().unwrap_or_default());
        let found = format!("{} to {}", ends[0], ends[1]);
        return refuse(format!("`{OFFSETS}` from 0 to {}", titles.len()), found);
    }
    let mut marks = vec![0; sequence.map_or(0, |_| n_titles)];
    for (viewer, pair) in offsets.windows(2).enumerate() {
        let Some(watched) = titles.get(pair[0] as usize..pair[1] as usize) else {
            let found = format!("{} then {} at viewer row {viewer}", pair[0], pair[1]);
            return refuse(format!("`{OFFSETS}` to rise to {}", titles.len()), found);
        };
        if !watched.is_sorted_by(|a, b| a < b) {
            return refuse(format!("`{WATCHED}` to ascend"), format!("viewer row {viewer} out of order"));
        }
        // They ascend, so the last is the largest.
        if let Some(last) = watched.last().filter(|last| **last as usize >= n_titles) {
            return refuse(format!("`{WATCHED}` below {n_titles}"), format!("{last} at viewer row {viewer}"));
        }
        let in_time = |sequence: &'_ [u32]| {
            let of_viewer = sequence.get(pair[0] as usize..pair[1] as usize);
            of_viewer.is_some_and(|sequence| has_each_once(watched, sequence, viewer, &mut marks))
        };
        if !sequence.is_none_or(in_time) {
            let found = format!("others at viewer row {viewer}");
            return refuse(format!("`{SEQUENCE}` to hold the titles of `{WATCHED}`, each once"), found);
        }
    }
    Ok(())
}

/// Whether `sequence` holds each title of `set` once, and is as long. `marks` has a place a title, and is shared by all
/// viewers, so that nothing is sorted or cleared.
fn has_each_once(set: &[u32], sequence: &[u32], viewer: usize, marks: &mut [usize]) -> bool {
    let (in_set, seen) = (2 * viewer + 1, 2 * viewer + 2);
    for title in set {
        marks[*title as usize] = in_set;
    }
    sequence.iter().all(|title| {
        let mark = marks.get_mut(*title as usize).filter(|mark| **mark == in_set);
        mark.map(|mark| *mark = seen).is_some()
    })
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
