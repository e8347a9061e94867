//! Writing an artifact: whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::architecture::Architecture;
use crate::artifact::Artifact;
use crate::catalogue::CatalogueEntry;
use crate::digest::{Digest, Hasher};
use crate::error::{ArtifactError, Finding};
use crate::ids::check_id;
use crate::limits::Limits;
use crate::manifest::{
    FORMAT_VERSION, File, Golden, Lineage, MANIFEST_FILE, Manifest, Role, TensorSpec, check_path,
};
use crate::open::{OpenOptions, open};
use crate::tensor::Dtype;
use crate::weights;

mod staging;

use staging::Staging;

/// What the id tables and the catalogue are called.
const VIEWERS_FILE: &str = "viewers.jsonl";
const TITLES_FILE: &str = "titles.jsonl";
const CATALOGUE_FILE: &str = "catalogue.jsonl";

/// Why an artifact was not written. What lay at the place before lies there still.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The system refused, for instance because the disk is full.
    #[error("cannot {verb} {}: what lay at {} is unchanged", path.display(), dir.display())]
    Io {
        /// Such as `write`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Where the artifact was to be.
        dir: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The place is taken by something that must not be replaced.
    #[error("{} holds something other than an artifact: name another folder, or empty this one", dir.display())]
    Occupied {
        /// The place.
        dir: PathBuf,
    },
    /// A tensor's data has another length than its shape.
    #[error("tensor `{name}` has {found} bytes of data, expected {expected} for {dtype} {shape:?}")]
    Data {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
        /// Its sizes.
        shape: Vec<usize>,
        /// Bytes by shape.
        expected: u64,
        /// Bytes of data.
        found: usize,
    },
    /// A path that no artifact may hold, or an id or a title that no table may hold.
    #[error("{file}: {finding}")]
    Invalid {
        /// The file within the artifact.
        file: String,
        /// What is wrong.
        finding: Finding,
    },
    /// What was written does not open: tensors are missing, not finite, or counts disagree.
    #[error("what was written for {} does not open as an artifact", dir.display())]
    Refused {
        /// The place.
        dir: PathBuf,
        /// Why it does not open.
        source: ArtifactError,
    },
}

/// A tensor to be written.
#[derive(Debug, Clone)]
pub struct TensorData<'a> {
    /// Unique in the artifact.
    pub name: &'a str,
    /// Element type.
    pub dtype: Dtype,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Row-major, little endian.
    pub data: &'a [u8],
}

impl<'a> TensorData<'a> {
    /// A tensor of 32-bit floats.
    pub fn f32(name: &'a str, shape: &[usize], data: &'a [f32]) -> Self {
        Self { name, dtype: Dtype::F32, shape: shape.to_vec(), data: bytemuck::cast_slice(data) }
    }

    /// A tensor of unsigned 32-bit integers.
    pub fn u32(name: &'a str, shape: &[usize], data: &'a [u32]) -> Self {
        Self { name, dtype: Dtype::U32, shape: shape.to_vec(), data: bytemuck::cast_slice(data) }
    }
}

/// Writes an artifact into a folder beside its place; [`Writer::finish`] puts it there in one step. Dropped before that,
/// or killed, it leaves the place as it was; the next writer to the same place sweeps up what a killed one left.
#[derive(Debug)]
pub struct Writer {
    staging: Staging,
    files: Vec<File>,
}

impl Writer {
    /// Begins an artifact that is to lie at `dir`, which may hold an older artifact, be empty, or not exist.
    pub fn create(dir: &Path) -> Result<Self, WriteError> {
        Ok(Self { staging: Staging::create(dir)?, files: Vec::new() })
    }

    /// Writes a weights file. `path` is relative, such as `weights.safetensors`.
    pub fn tensors(&mut self, path: &str, tensors: &[TensorData<'_>]) -> Result<(), WriteError> {
        check_path(path).map_err(|finding| WriteError::Invalid { file: path.to_owned(), finding })?;
        tensors.iter().try_for_each(check_data)?;
        let specs: Vec<TensorSpec> =
            tensors.iter().map(|t| TensorSpec { dtype: t.dtype, shape: t.shape.clone() }).collect();
        // The widest elements first: then each tensor is aligned to its elements, since the data begins aligned.
        let mut order: Vec<usize> = (0..tensors.len()).collect();
        order.sort_by_key(|idx| std::cmp::Reverse(tensors[*idx].dtype.size()));
        let header = weights::header(order.iter().map(|idx| (tensors[*idx].name, &specs[*idx])));
        let (size, sha256) = self.staging.write(path, |out| {
            out.write_all(&header)?;
            order.iter().try_for_each(|idx| out.write_all(tensors[*idx].data))
        })?;
        let tensors = tensors.iter().map(|t| t.name.to_owned()).zip(specs).collect();
        self.files.push(File {
            path: path.to_owned(),
            role: Role::Weights,
            size,
            sha256,
            tensors,
            count: None,
        });
        Ok(())
    }

    /// Writes the id table of the viewers or the titles; the n-th id is that of row n.
    pub fn ids<S: AsRef<str>>(
        &mut self,
        role: Role,
        ids: impl IntoIterator<Item = S>,
    ) -> Result<(), WriteError> {
        let file = if role == Role::Viewers { VIEWERS_FILE } else { TITLES_FILE };
        let max_bytes = Limits::default().id_bytes;
        self.lines(file, role, ids, |id, line| {
            check_id(id.as_ref(), line, max_bytes)?;
            Ok(serde_json::Value::from(id.as_ref()).to_string())
        })
    }

    /// Writes the catalogue; the n-th entry is row n.
    pub fn catalogue<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a CatalogueEntry>,
    ) -> Result<(), WriteError> {
        self.lines(CATALOGUE_FILE, Role::Catalogue, entries, |entry, line| {
            entry.check(line)?;
            serde_json::to_string(entry)
                .map_err(|error| Finding::new(crate::error::Fault::Line, "a title", error.to_string()))
        })
    }

    /// The artifact as written so far, without golden outputs: what they are made from. It stays readable after
    /// [`Writer::finish`].
    pub fn draft(
        &self,
        architecture: Architecture,
        hyperparameters: &serde_json::Map<String, serde_json::Value>,
        lineage: &Lineage,
    ) -> Result<Artifact, WriteError> {
        let manifest = self.manifest(architecture, hyperparameters.clone(), lineage.clone());
        self.write_and_open(&manifest)
    }

    /// Writes the manifest, opens and checks the whole, makes it durable, and puts it at its place, where it replaces
    /// an older artifact. Gives the digest to pin it by.
    pub fn finish(
        self,
        architecture: Architecture,
        hyperparameters: serde_json::Map<String, serde_json::Value>,
        lineage: Lineage,
        golden: Option<Golden>,
    ) -> Result<Digest, WriteError> {
        let mut manifest = self.manifest(architecture, hyperparameters, lineage);
        manifest.golden = golden;
        let digest = self.write_and_open(&manifest)?.digest;
        self.staging.publish()?;
        Ok(digest)
    }

    /// What is left of a writer whose process was killed: the folder, and nobody who holds its lock.
    #[cfg(test)]
    fn abandon(self) -> PathBuf {
        self.staging.abandon()
    }

    fn manifest(
        &self,
        architecture: Architecture,
        hyperparameters: serde_json::Map<String, serde_json::Value>,
        lineage: Lineage,
    ) -> Manifest {
        let files = self.files.clone();
        Manifest {
            format_version: FORMAT_VERSION,
            architecture,
            hyperparameters,
            files,
            lineage,
            golden: None,
        }
    }

    fn write_and_open(&self, manifest: &Manifest) -> Result<Artifact, WriteError> {
        self.staging.write(MANIFEST_FILE, |out| {
            serde_json::to_writer_pretty(&mut *out, manifest)?;
            out.write_all(b"\n")
        })?;
        let refused = |source| WriteError::Refused { dir: self.staging.place().to_owned(), source };
        open(self.staging.dir(), &OpenOptions::default()).map_err(refused)
    }

    fn lines<T>(
        &mut self,
        file: &'static str,
        role: Role,
        rows: impl IntoIterator<Item = T>,
        to_json: impl Fn(T, usize) -> Result<String, Finding>,
    ) -> Result<(), WriteError> {
        let mut count = 0;
        let mut bad = None;
        let (size, sha256) = self.staging.write(file, |out| {
            for (row_idx, row) in rows.into_iter().enumerate() {
                match to_json(row, row_idx + 1) {
                    Ok(json) => writeln!(out, "{json}")?,
                    Err(finding) => {
                        bad = Some(finding);
                        break;
                    }
                }
                count += 1;
            }
            Ok(())
        })?;
        if let Some(finding) = bad {
            return Err(WriteError::Invalid { file: file.to_owned(), finding });
        }
        let tensors = Default::default();
        self.files.push(File { path: file.to_owned(), role, size, sha256, tensors, count: Some(count) });
        Ok(())
    }
}

fn check_data(tensor: &TensorData<'_>) -> Result<(), WriteError> {
    let spec = TensorSpec { dtype: tensor.dtype, shape: tensor.shape.clone() };
    let expected = crate::manifest::tensor_bytes(&spec).unwrap_or(u64::MAX);
    if expected == tensor.data.len() as u64 {
        return Ok(());
    }
    let (name, found) = (tensor.name.to_owned(), tensor.data.len());
    Err(WriteError::Data { name, dtype: spec.dtype, shape: spec.shape, expected, found })
}

/// Counts and hashes what goes through it.
struct Measured<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes, flushes and syncs one file; gives its size and SHA-256.
fn write_file(
    file: std::fs::File,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<(u64, String)> {
    let measured = Measured { inner: file, hasher: Hasher::default(), size: 0 };
    let mut out = BufWriter::with_capacity(1 << 20, measured);
    write(&mut out)?;
    let measured = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    measured.inner.sync_all()?;
    Ok((measured.size, measured.hasher.finish().to_string()))
}

#[cfg(test)]
mod tests;
