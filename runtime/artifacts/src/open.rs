//! From a folder to a checked artifact.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bytes::Bytes;

use crate::artifact::Artifact;
use crate::catalogue::{CatalogueEntry, parse_catalogue};
use crate::digest::Digest;
use crate::error::{ArtifactError, Fault, Finding, quoted};
use crate::ids::IdTable;
use crate::layout;
use crate::limits::Limits;
use crate::manifest::{File, MANIFEST_FILE, Manifest, Role, check_manifest_size};
use crate::rows::{TitleRow, ViewerRow};
use crate::tensor::RawTensor;
use crate::weights::parse_weights;

mod folder;
mod hash;

use folder::Folder;

/// How an artifact is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The SHA-256 that `marquee.json` must have; it covers the whole artifact.
    pub expected: Option<Digest>,
    /// How large the artifact may be.
    pub limits: Limits,
    /// Counts how far the check is.
    pub checked: Arc<Checked>,
}

/// How far the check of an artifact's bytes is.
#[derive(Debug, Default)]
pub struct Checked {
    bytes: AtomicU64,
    total: AtomicU64,
}

impl Checked {
    /// Bytes that were checked, and bytes of the artifact; 0 until its manifest was read.
    pub fn bytes_of_total(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Opens the artifact in the folder `dir` and checks everything that can be known without running it: digests, sizes,
/// paths, tensors, finite values, id tables, histories and golden rows. Weights are mapped, not copied. Whether the
/// tensors are those of the architecture, [`Artifact::check_layout`] says.
///
/// Reads the whole artifact once; blocks.
pub fn open(dir: &Path, options: &OpenOptions) -> Result<Artifact, ArtifactError> {
    let folder = Folder::open(dir)?;
    let (manifest, digest) = read_manifest(&folder, options)?;
    let mapped = manifest.files.iter().map(|file| map_file(&folder, file)).collect::<Result<Vec<_>, _>>()?;
    let bytes = manifest.declared_bytes();
    options.checked.total.store(bytes, Ordering::Relaxed);
    let (hashed, contents) = thread::scope(|scope| {
        let read_all = || read_files(&manifest.files, &mapped, &options.limits);
        // Hashing takes as long as everything else together. If no thread can be started, the files are read afterwards.
        let reader = thread::Builder::new().spawn_scoped(scope, read_all).ok();
        let hashed = hash::check(&folder, &manifest.files, &mapped, &options.checked);
        let contents = match reader.map(thread::ScopedJoinHandle::join) {
            Some(Ok(contents)) => contents,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => read_all(),
        };
        (hashed, contents)
    });
    // A file with another digest is refused for that, whatever else is wrong with it.
    hashed?;
    let mut artifact = Artifact {
        manifest,
        digest,
        tensors: BTreeMap::new(),
        viewers: None,
        titles: None,
        catalogue: None,
        dir: dir.to_owned(),
        bytes,
    };
    for (file_idx, content) in contents.into_iter().enumerate() {
        let path = folder.path(&artifact.manifest.files[file_idx].path);
        let content = content.map_err(|finding| finding.in_file(&path))?;
        add(&mut artifact, content).map_err(|finding| finding.in_file(&path))?;
    }
    let (n_viewers, n_titles) = (artifact.n_viewers(), artifact.n_titles());
    layout::check(&artifact.manifest, &artifact.tensors, n_viewers, n_titles).map_err(
        |(tensor, finding)| finding.in_file(&folder.path(layout::file_of(&artifact.manifest, tensor))),
    )?;
    Ok(artifact)
}

/// The digest of the artifact in `dir`: that of its `marquee.json`, once the manifest itself is sound.
pub fn digest(dir: &Path) -> Result<Digest, ArtifactError> {
    read_manifest(&Folder::open(dir)?, &OpenOptions::default()).map(|(_, digest)| digest)
}

fn read_manifest(folder: &Folder, options: &OpenOptions) -> Result<(Manifest, Digest), ArtifactError> {
    let path = folder.path(MANIFEST_FILE);
    let refused = |finding: Finding| finding.in_file(&path);
    let no_manifest = || refused(Finding::new(Fault::NoManifest, "an artifact", "no such file"));
    let (file, size) = folder.open_file(MANIFEST_FILE)?.ok_or_else(no_manifest)?;
    check_manifest_size(size, &options.limits).map_err(refused)?;
    let bytes = read_exactly(file, size).map_err(ArtifactError::io("read", &path))?;
    let digest = Digest::of(&bytes);
    if let Some(expected) = options.expected.filter(|expected| *expected != digest) {
        return Err(refused(wrong_digest(&expected, &digest)));
    }
    let manifest = Manifest::parse(&bytes, &options.limits).map_err(refused)?;
    Ok((manifest, digest))
}

/// Reads `size` bytes, and no more if the file grew meanwhile.
fn read_exactly(file: std::fs::File, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(size as usize);
    io::Read::read_to_end(&mut io::Read::take(file, size), &mut bytes)?;
    Ok(bytes)
}

pub(crate) fn wrong_digest(expected: &Digest, found: &Digest) -> Finding {
    Finding::new(Fault::Checksum, format!("sha256 {expected}"), found.to_string())
}

fn map_file(folder: &Folder, file: &File) -> Result<Bytes, ArtifactError> {
    let path = folder.path(&file.path);
    let missing = || {
        let expected = format!("a file of {} bytes", file.size);
        Finding::new(Fault::Missing, expected, "no such file").in_file(&path)
    };
    let (handle, size) = folder.open_file(&file.path)?.ok_or_else(missing)?;
    if size != file.size {
        let expected = format!("{} bytes", file.size);
        return Err(Finding::new(Fault::Size, expected, size.to_string()).in_file(&path));
    }
    let len = usize::try_from(size).map_err(|_| {
        Finding::new(Fault::TooLarge, format!("at most {} bytes", usize::MAX), size.to_string())
            .in_file(&path)
    })?;
    crate::mmap::map(&handle, len).map_err(ArtifactError::io("map", &path))
}

/// What a file contains.
enum Content {
    Weights(BTreeMap<String, RawTensor>),
    Viewers(IdTable<ViewerRow>),
    Titles(IdTable<TitleRow>),
    Catalogue(Vec<CatalogueEntry>, IdTable<TitleRow>),
}

/// Reads the files up to the first that is not as it should be.
fn read_files(files: &[File], mapped: &[Bytes], limits: &Limits) -> Vec<Result<Content, Finding>> {
    let mut contents = Vec::with_capacity(files.len());
    for (file, bytes) in files.iter().zip(mapped) {
        contents.push(read_file(file, bytes, limits));
        if contents.last().is_some_and(Result::is_err) {
            break;
        }
    }
    contents
}

/// Reads one file. Its digest may not have been checked yet, so it may hold anything.
fn read_file(file: &File, bytes: &Bytes, limits: &Limits) -> Result<Content, Finding> {
    let count = file.count.unwrap_or(0);
    Ok(match file.role {
        Role::Weights => Content::Weights(read_weights(file, bytes, limits)?),
        Role::Viewers => Content::Viewers(IdTable::parse(bytes, count, limits)?),
        Role::Titles => Content::Titles(IdTable::parse(bytes, count, limits)?),
        Role::Catalogue => {
            let (entries, ids) = parse_catalogue(bytes, count, limits)?;
            Content::Catalogue(entries, ids)
        }
    })
}

fn add(artifact: &mut Artifact, content: Content) -> Result<(), Finding> {
    match content {
        Content::Weights(tensors) => {
            for (name, tensor) in tensors {
                let again = quoted(&name);
                if artifact.tensors.insert(name, tensor).is_some() {
                    return Err(Finding::new(
                        Fault::Tensor,
                        "every tensor in one file",
                        format!("{again} in two"),
                    ));
                }
            }
        }
        Content::Viewers(ids) => artifact.viewers = Some(ids),
        Content::Titles(ids) => artifact.titles = Some(ids),
        Content::Catalogue(entries, ids) => {
            artifact.catalogue = Some(entries);
            artifact.titles = Some(ids);
        }
    }
    Ok(())
}

/// The tensors of one file, once they are exactly those declared, and finite.
fn read_weights(file: &File, bytes: &Bytes, limits: &Limits) -> Result<BTreeMap<String, RawTensor>, Finding> {
    let tensors = parse_weights(bytes, limits)?;
    for (name, spec) in &file.tensors {
        let expected = || format!("tensor {} as {} {:?}", quoted(name), spec.dtype, spec.shape);
        let Some(tensor) = tensors.get(name) else {
            return Err(Finding::new(Fault::Tensor, expected(), "none of that name"));
        };
        if tensor.dtype != spec.dtype || tensor.shape != spec.shape {
            let found = format!("{} {:?}", tensor.dtype, tensor.shape);
            return Err(Finding::new(Fault::Tensor, expected(), found));
        }
    }
    if let Some(name) = tensors.keys().find(|name| !file.tensors.contains_key(*name)) {
        let found = format!("{}, which it does not declare", quoted(name));
        return Err(Finding::new(Fault::Tensor, "only tensors that marquee.json declares", found));
    }
    tensors.iter().try_for_each(|(name, tensor)| check_finite(name, tensor))?;
    Ok(tensors)
}

fn check_finite(name: &str, tensor: &RawTensor) -> Result<(), Finding> {
    let Some((at, value)) = tensor.first_not_finite() else { return Ok(()) };
    let expected = format!("finite values in tensor {}", quoted(name));
    Err(Finding::new(Fault::NotFinite, expected, format!("{value} at element {at}")))
}

#[cfg(test)]
mod tests;
