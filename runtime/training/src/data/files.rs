//! Which files stand behind the names that were given: a folder of parts is a data set.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::fault::DataError;

/// Folders within folders that are followed: more are a circle of links.
const DEEPEST: usize = 16;

/// Every file of `given`: folders are replaced by the files below them, in the order of their names. Names that begin with `.`
/// or `_` are those of writers' notes (`_SUCCESS`, `.part-0.crc`), not data.
pub(crate) fn expand(given: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in given {
        if path.is_dir() {
            let before = files.len();
            walk(path, DEEPEST, &mut files)?;
            if files.len() == before {
                return Err(DataError::EmptyFolder { folder: path.clone() });
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let fault = |source| DataError::Read { file: folder.to_owned(), source };
    if depth == 0 {
        return Err(fault(std::io::Error::other("folders lie more than 16 deep")));
    }
    let entries = fs::read_dir(folder).map_err(fault)?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(fault)?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with(['.', '_'])
    });
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, depth - 1, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
