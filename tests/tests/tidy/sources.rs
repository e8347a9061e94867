//! The files of the repository, as the rules read them.

use std::fs;

pub use marquee_tests::data::repository;

/// Folders that only one machine has. Written in two parts so that this file does not break its own rule.
pub const MACHINE_PATHS: [&str; 3] = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];

/// A Rust source.
pub struct Source {
    /// From the root of the repository.
    pub path: String,
    /// Whole.
    pub text: String,
}

impl Source {
    /// Test code: may print, unwrap and read the clock.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// Benchmarks and generators: programs of their own beside the crate.
    pub fn is_tool(&self) -> bool {
        self.is_test()
            || self.path.contains("/examples/")
            || self.path.contains("/bin/")
            || self.path.contains("/fuzz/")
    }

    /// Numbered lines of code: no comments, and nothing below `#[cfg(test)] mod`.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        let lines = self.text[..end].lines().enumerate();
        lines.map(|(n, line)| (n + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// Whether the line names this folder of one machine, at the root and not as a part of a longer path.
pub fn names_folder(line: &str, folder: &str) -> bool {
    let starts_path = |at: usize| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "_-.}/".contains(before))
    };
    line.match_indices(folder).any(|(at, _)| starts_path(at))
}

/// Every Rust source of the repository.
pub fn rust_sources() -> Vec<Source> {
    let read = |path: String| Source { text: fs::read_to_string(repository().join(&path)).unwrap(), path };
    let sources: Vec<Source> =
        all_files().into_iter().filter(|path| path.ends_with(".rs")).map(read).collect();
    assert!(sources.len() > 50, "found {} sources: the walk is broken", sources.len());
    sources
}

/// Every file of that name.
pub fn files_named(name: &str) -> Vec<String> {
    all_files().into_iter().filter(|path| path == name || path.ends_with(&format!("/{name}"))).collect()
}

/// Every file that people read or edit.
pub fn text_files() -> Vec<String> {
    const ENDINGS: [&str; 14] =
        ["rs", "toml", "yaml", "yml", "md", "py", "sh", "json", "proto", "html", "js", "css", "lua", "txt"];
    let is_text = |path: &String| path.rsplit('.').next().is_some_and(|ending| ENDINGS.contains(&ending));
    all_files().into_iter().filter(is_text).collect()
}

fn all_files() -> Vec<String> {
    let root = repository();
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let skipped =
                name.starts_with("target") || (name.starts_with('.') && name != ".ci" && name != ".cargo");
            if skipped || name == "corpus" || name == "__pycache__" {
                continue;
            }
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => files.push(path.strip_prefix(&root).unwrap().to_string_lossy().into_owned()),
            }
        }
    }
    files.sort();
    files
}
