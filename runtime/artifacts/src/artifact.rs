//! An artifact, checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::catalogue::CatalogueEntry;
use crate::digest::Digest;
use crate::error::{ArtifactError, Fault, Finding, quoted};
use crate::ids::IdTable;
use crate::manifest::{MANIFEST_FILE, Manifest};
use crate::rows::{TitleRow, ViewerRow};
use crate::tensor::RawTensor;

/// An artifact, checked; [`crate::open`] is the one way to it. Golden outputs are not checked here: that takes the model.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// What `marquee.json` says.
    pub manifest: Manifest,
    /// SHA-256 of `marquee.json`.
    pub digest: Digest,
    /// By name; slices of the mapped files.
    pub tensors: BTreeMap<String, RawTensor>,
    /// Row n of the viewer tensors is id n. None for a catalogue.
    pub viewers: Option<IdTable<ViewerRow>>,
    /// Row n of the title tensors, or of the catalogue, is id n.
    pub titles: Option<IdTable<TitleRow>>,
    /// Of a catalogue.
    pub catalogue: Option<Vec<CatalogueEntry>>,
    /// Where it lies.
    pub dir: PathBuf,
    /// Of all files together, without `marquee.json`.
    pub bytes: u64,
}

impl Artifact {
    /// The tensor of that name.
    pub fn tensor(&self, name: &str) -> Result<&RawTensor, ArtifactError> {
        self.tensors.get(name).ok_or_else(|| {
            let expected = format!("tensor {} for architecture {}", quoted(name), self.manifest.architecture);
            self.refuse(expected, "none".to_owned())
        })
    }

    /// The elements, row-major, of the `F32` tensor of that name and shape.
    pub fn tensor_f32(&self, name: &str, shape: &[usize]) -> Result<&[f32], ArtifactError> {
        let tensor = self.tensor(name)?;
        let elements = tensor.as_f32().filter(|_| tensor.shape == shape);
        elements.ok_or_else(|| self.mismatch(name, &format!("F32 {shape:?}"), tensor))
    }

    /// The elements, row-major, of the `U32` tensor of that name and shape.
    pub fn tensor_u32(&self, name: &str, shape: &[usize]) -> Result<&[u32], ArtifactError> {
        let tensor = self.tensor(name)?;
        let elements = tensor.as_u32().filter(|_| tensor.shape == shape);
        elements.ok_or_else(|| self.mismatch(name, &format!("U32 {shape:?}"), tensor))
    }

    /// How many viewers the viewer table holds.
    pub fn n_viewers(&self) -> usize {
        self.viewers.as_ref().map_or(0, IdTable::len)
    }

    /// How many titles the title table holds.
    pub fn n_titles(&self) -> usize {
        self.titles.as_ref().map_or(0, IdTable::len)
    }

    fn mismatch(&self, name: &str, expected: &str, tensor: &RawTensor) -> ArtifactError {
        let expected = format!("tensor {} as {expected}", quoted(name));
        self.refuse(expected, format!("{} {:?}", tensor.dtype, tensor.shape))
    }

    fn refuse(&self, expected: String, found: String) -> ArtifactError {
        Finding::new(Fault::Tensor, expected, found).in_file(&self.dir.join(MANIFEST_FILE))
    }
}
