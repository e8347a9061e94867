//! What must hold of a manifest before a file that it names is touched.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{FORMAT_VERSION, File, Golden, MANIFEST_FILE, Manifest, Role, TensorSpec};
use crate::architecture::Architecture;
use crate::digest::Digest;
use crate::error::{Fault, Finding, quoted};
use crate::limits::Limits;

/// Bytes of a path within the artifact.
const MAX_PATH_BYTES: usize = 255;
/// Folders within folders.
const MAX_PATH_PARTS: usize = 8;
/// Sizes of a tensor.
const MAX_DIMENSIONS: usize = 8;

/// What tells a manifest of another version from a broken one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    format_version: u64,
    architecture: Architecture,
}

impl Manifest {
    /// Reads a manifest and checks all that can be known without the files that it names.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Finding> {
        check_manifest_size(bytes.len() as u64, limits)?;
        let head: Head = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        if head.format_version > u64::from(FORMAT_VERSION) {
            let found = head.format_version.to_string();
            return Err(Finding::new(
                Fault::NewerFormat,
                format!("formatVersion up to {FORMAT_VERSION}"),
                found,
            ));
        }
        if !head.architecture.is_well_formed() {
            let expected = "an architecture name of lower-case letters, digits and hyphens";
            let found = quoted(head.architecture.name());
            return Err(Finding::new(Fault::UnknownArchitecture, expected, found));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        manifest.check(limits)?;
        Ok(manifest)
    }

    /// Bytes of all files together, as declared.
    pub fn declared_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }

    fn check(&self, limits: &Limits) -> Result<(), Finding> {
        if self.format_version == 0 {
            return Err(Finding::new(Fault::NewerFormat, "formatVersion 1", "0"));
        }
        self.check_sizes(limits)?;
        self.files.iter().try_for_each(|file| check_file(file, limits))?;
        self.check_paths_differ()?;
        self.check_roles()?;
        self.golden.as_ref().map_or(Ok(()), check_golden)
    }

    fn check_sizes(&self, limits: &Limits) -> Result<(), Finding> {
        let n_tensors: usize = self.files.iter().map(|file| file.tensors.len()).sum();
        #[rustfmt::skip]
        let bounded = [
            ("files",          self.files.len() as u64, limits.files as u64),
            ("tensors",        n_tensors as u64,        limits.tensors as u64),
            ("bytes of files", self.declared_bytes(),   limits.total_bytes),
        ];
        for (what, found, limit) in bounded {
            if found > limit {
                return Err(Finding::new(
                    Fault::TooLarge,
                    format!("at most {limit} {what}"),
                    found.to_string(),
                ));
            }
        }
        Ok(())
    }

    fn check_paths_differ(&self) -> Result<(), Finding> {
        let mut paths = BTreeSet::new();
        match self.files.iter().find(|file| !paths.insert(file.path.as_str())) {
            Some(twice) => {
                Err(Finding::new(Fault::Path, "every path once", format!("{} twice", quoted(&twice.path))))
            }
            None => Ok(()),
        }
    }

    /// A model has weights and both id tables; a catalogue has one catalogue and nothing else.
    fn check_roles(&self) -> Result<(), Finding> {
        let model = !self.architecture.is_catalogue();
        #[rustfmt::skip]
        let expected = [
            (Role::Weights,   "weights",   if model { 1..=usize::MAX } else { 0..=0 }),
            (Role::Viewers,   "viewers",   if model { 1..=1 } else { 0..=0 }),
            (Role::Titles,    "titles",    if model { 1..=1 } else { 0..=0 }),
            (Role::Catalogue, "catalogue", if model { 0..=0 } else { 1..=1 }),
        ];
        for (role, name, range) in expected {
            let found = self.files.iter().filter(|file| file.role == role).count();
            if !range.contains(&found) {
                let many = if *range.end() == usize::MAX { " or more" } else { "" };
                let expected =
                    format!("{}{many} files of role {name} for {}", range.start(), self.architecture);
                return Err(Finding::new(Fault::Count, expected, found.to_string()));
            }
        }
        Ok(())
    }
}

pub(crate) fn check_manifest_size(size: u64, limits: &Limits) -> Result<(), Finding> {
    if size > limits.manifest_bytes {
        let expected = format!("at most {} bytes", limits.manifest_bytes);
        return Err(Finding::new(Fault::TooLarge, expected, size.to_string()));
    }
    Ok(())
}

fn malformed(error: &serde_json::Error) -> Finding {
    Finding::new(Fault::Syntax, format!("a manifest of formatVersion {FORMAT_VERSION}"), error.to_string())
}

fn check_file(file: &File, limits: &Limits) -> Result<(), Finding> {
    check_path(&file.path)?;
    let name = quoted(&file.path);
    if file.sha256.parse::<Digest>().is_err() {
        let expected = format!("a sha256 of 64 lower-case hex digits for {name}");
        return Err(Finding::new(Fault::Syntax, expected, quoted(&file.sha256)));
    }
    match (file.role, file.count) {
        (Role::Weights, None) => check_tensors(file),
        (Role::Weights, Some(_)) => {
            Err(Finding::new(Fault::Syntax, format!("no count for weights {name}"), "one"))
        }
        (_, None) => Err(Finding::new(Fault::Syntax, format!("a count of lines for {name}"), "none")),
        (_, Some(_)) if !file.tensors.is_empty() => {
            Err(Finding::new(Fault::Syntax, format!("tensors in weights only, not in {name}"), "some"))
        }
        (_, Some(count)) => check_table(file, count, limits),
    }
}

/// A relative path of plain parts: what leads out of the folder, or to a special place, is refused.
pub(crate) fn check_path(path: &str) -> Result<(), Finding> {
    let plain_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let plain = path.len() <= MAX_PATH_BYTES
        && path.split('/').count() <= MAX_PATH_PARTS
        && path.split('/').all(plain_part)
        && !path.chars().any(|c| c.is_control() || c == '\\')
        && path != MANIFEST_FILE;
    if plain {
        return Ok(());
    }
    Err(Finding::new(Fault::Path, "a path within the folder, such as `weights.safetensors`", quoted(path)))
}

fn check_table(file: &File, count: u64, limits: &Limits) -> Result<(), Finding> {
    if file.size > limits.table_bytes.min(u64::from(u32::MAX)) {
        let expected = format!("at most {} bytes in {}", limits.table_bytes, quoted(&file.path));
        return Err(Finding::new(Fault::TooLarge, expected, file.size.to_string()));
    }
    crate::ids::check_count_fits(file.size, count).map_err(|finding| Finding {
        expected: format!("{} in {}", finding.expected, quoted(&file.path)),
        ..finding
    })
}

fn check_tensors(file: &File) -> Result<(), Finding> {
    let mut bytes = 0u64;
    for (name, spec) in &file.tensors {
        let expected =
            || format!("tensor {} to fit {} of {} bytes", quoted(name), quoted(&file.path), file.size);
        let size = tensor_bytes(spec).filter(|size| *size <= file.size);
        bytes = match size.and_then(|size| bytes.checked_add(size)) {
            Some(bytes) if bytes <= file.size => bytes,
            _ => return Err(Finding::new(Fault::Tensor, expected(), format!("shape {:?}", spec.shape))),
        };
    }
    Ok(())
}

/// Bytes of such a tensor, unless they overflow or there are too many dimensions.
pub(crate) fn tensor_bytes(spec: &TensorSpec) -> Option<u64> {
    if spec.shape.len() > MAX_DIMENSIONS {
        return None;
    }
    let elements = spec.shape.iter().try_fold(1u64, |product, size| product.checked_mul(*size as u64))?;
    elements.checked_mul(spec.dtype.size() as u64)
}

fn check_golden(golden: &Golden) -> Result<(), Finding> {
    let refuse = |expected: &str, found: String| Err(Finding::new(Fault::Golden, expected, found));
    if !(golden.tolerance > 0.0 && golden.tolerance.is_finite()) {
        return refuse("a golden tolerance above 0", golden.tolerance.to_string());
    }
    if golden.cases.is_empty() {
        return refuse("one golden case or more", "0".to_owned());
    }
    for (case_idx, case) in golden.cases.iter().enumerate() {
        if case.titles.len() != case.scores.len() || case.titles.is_empty() {
            let found = format!("{} titles and {} scores", case.titles.len(), case.scores.len());
            return refuse(&format!("a score for each title of golden case {case_idx}"), found);
        }
        if let Some(score) = case.scores.iter().find(|score| !score.is_finite()) {
            return refuse(&format!("finite scores in golden case {case_idx}"), score.to_string());
        }
    }
    Ok(())
}
