//! Dependencies that a `Cargo.toml` names and no source uses.

use std::{collections::BTreeSet, fs};

use super::{
    code::{Token, all_tokens},
    sources::{Source, files_named, repository, rust_sources},
};

/// Dependencies that no source names, and why they are there.
#[rustfmt::skip]
const UNNAMED: [(&str, &str); 1] = [
    ("tonic-prost", "the code that the build writes from the .proto files names it"),
];

/// Every dependency that the crate's own sources, tests or build script never name.
pub fn unused() -> Vec<String> {
    let sources = rust_sources();
    let manifests = files_named("Cargo.toml").into_iter().filter(|path| !path.contains("/fuzz/"));
    manifests.flat_map(|path| unused_of(&path, &sources)).collect()
}

fn unused_of(path: &str, sources: &[Source]) -> Vec<String> {
    let root = path.strip_suffix("Cargo.toml").unwrap();
    let manifest = fs::read_to_string(repository().join(path)).unwrap();
    let own = |folders: &[&str]| {
        let is_own = |source: &&Source| {
            source.path.strip_prefix(root).is_some_and(|inner| folders.iter().any(|f| inner.starts_with(f)))
        };
        sources.iter().filter(is_own).flat_map(|source| names(&source.text)).collect::<BTreeSet<_>>()
    };
    let mut faults = Vec::new();
    for (section, folders) in [
        ("dependencies", &["src/"][..]),
        ("dev-dependencies", &["src/", "tests/", "examples/", "benches/"]),
        ("build-dependencies", &["build.rs"]),
    ] {
        // The harness is a library whose tests are what it is for.
        let is_harness = root == "tests/" && section == "dependencies";
        let used = if is_harness { own(&["src/", "tests/"]) } else { own(folders) };
        for (line, name) in listed(&manifest, section) {
            let is_known = UNNAMED.iter().any(|(known, _)| *known == name);
            if !is_known && !used.contains(&name.replace('-', "_")) {
                faults.push(format!(
                    "{path}:{line}: {name}: nothing in {} names it: delete the line, or move it to the section that uses it",
                    folders.join(", ")
                ));
            }
        }
    }
    faults
}

/// Names and lines of a section, of `[section]` and of `[section.name]`.
fn listed(manifest: &str, section: &str) -> Vec<(usize, String)> {
    let (own, inner) = (format!("[{section}]"), format!("[{section}."));
    let mut found = Vec::new();
    let mut inside = false;
    for (n, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            inside = line == own;
            if let Some(name) = line.strip_prefix(&inner) {
                found.push((n + 1, name.trim_end_matches(']').to_owned()));
            }
        } else if inside && !line.starts_with('#') && line.contains('=') {
            let name = line.split(['.', ' ', '=']).next().unwrap_or(line);
            found.push((n + 1, name.to_owned()));
        }
    }
    found
}

fn names(text: &str) -> Vec<String> {
    all_tokens(text)
        .iter()
        .filter(|token| token.is_name())
        .map(|token: &Token<'_>| token.text.to_owned())
        .collect()
}
