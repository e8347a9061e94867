//! Finds the manifest files and reads their text.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    Note,
    error::Fault,
    limits::{MAX_FILE_BYTES, MAX_FILES},
    yaml::without_surrogates,
};

/// A manifest: its path, and its text or the error from reading it.
pub(crate) struct ManifestFile {
    pub(crate) path: PathBuf,
    pub(crate) text: Result<String, Fault>,
}

/// Reads the manifests at `path`, sorted by name.
///
/// From a folder it reads the files `*.yaml`, `*.yml` and `*.json`, without sub-folders, as `kubectl apply -f` does. It
/// skips names that start with a dot, because they belong to editors and to mounted volumes. A single file may have any
/// name.
pub(crate) fn read(path: &Path, notes: &mut Vec<Note>) -> Result<Vec<ManifestFile>, Fault> {
    let kind = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !kind.is_dir() {
        return Ok(vec![ManifestFile { path: path.to_owned(), text: text(path) }]);
    }
    let paths = list(path, notes).map_err(|error| unreadable(&error))?;
    match paths.len() {
        0 => Err(Fault::EmptyFolder),
        found if found > MAX_FILES => Err(Fault::TooManyFiles { found }),
        _ => Ok(paths.into_iter().map(|path| ManifestFile { text: text(&path), path }).collect()),
    }
}

fn unreadable(error: &io::Error) -> Fault {
    Fault::Unreadable(error.to_string())
}

fn list(folder: &Path, notes: &mut Vec<Note>) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let mut skipped = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_manifest =
            matches!(path.extension().and_then(|end| end.to_str()), Some("yaml" | "yml" | "json"));
        if name.starts_with('.') {
            if is_manifest {
                skipped.push(Note::HiddenFile { path: path.clone() });
            }
        } else if path.is_dir() {
            skipped.push(Note::SubFolder { path: path.clone() });
        } else if is_manifest {
            paths.push(path);
        }
    }
    paths.sort();
    skipped.sort_by_key(ToString::to_string);
    notes.append(&mut skipped);
    Ok(paths)
}

/// The text of a file. Never reads more than the limit.
fn text(path: &Path) -> Result<String, Fault> {
    // Opening a pipe would block, so check the file type first.
    if !fs::metadata(path).map_err(|error| unreadable(&error))?.is_file() {
        return Err(Fault::NotAFile);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Fault::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
    let is_json = path.extension().is_some_and(|end| end == "json");
    Ok(if is_json { without_surrogates(&text) } else { text })
}
