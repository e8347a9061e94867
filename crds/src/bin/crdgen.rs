//! Writes the CustomResourceDefinitions: `crdgen DIR`. `crdgen --check DIR` reports differences instead.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool of the build")]

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use marquee_crds::definitions::{HEADER, manifests};

const USAGE: &str = "usage: crdgen [--check] DIR

Writes the CustomResourceDefinition of every kind to DIR, one file per kind.
  --check  writes nothing; exits with 1 if a file in DIR is missing, differs or belongs to no kind, and names it";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["--check", folder] => check(Path::new(folder)),
        [folder] if !folder.starts_with('-') => write(Path::new(folder)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("crdgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn generated() -> io::Result<Vec<(String, String)>> {
    manifests().map_err(io::Error::other)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Generated manifests in `folder` whose kind no longer exists.
fn leftovers(folder: &Path, kept: &[(String, String)]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let wanted = !name.ends_with(".yaml") || kept.iter().any(|(kept, _)| *kept == name);
        if !wanted && fs::read_to_string(&path).is_ok_and(|text| text.starts_with(HEADER)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn write(folder: &Path) -> io::Result<Vec<String>> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    let manifests = generated()?;
    for path in leftovers(folder, &manifests)? {
        fs::remove_file(&path).map_err(at(&path))?;
    }
    for (name, text) in manifests {
        let path = folder.join(name);
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(Vec::new())
}

fn check(folder: &Path) -> io::Result<Vec<String>> {
    let manifests = generated()?;
    let mut complaints: Vec<String> = leftovers(folder, &manifests)?
        .iter()
        .map(|path| format!("{}: belongs to no kind: run `make generate` to remove it", path.display()))
        .collect();
    for (name, text) in manifests {
        let path = folder.join(name);
        let is = fs::read_to_string(&path).unwrap_or_default();
        if let Some(line) = first_difference(&is, &text) {
            complaints.push(format!(
                "{}:{line}: differs from crds/src: run `make generate` and commit the result",
                path.display()
            ));
        }
    }
    Ok(complaints)
}

/// Number of the first line that differs, counted from 1.
fn first_difference(is: &str, should: &str) -> Option<usize> {
    if is == should {
        return None;
    }
    let alike = is.lines().zip(should.lines()).take_while(|(is, should)| is == should).count();
    Some(alike + 1)
}
