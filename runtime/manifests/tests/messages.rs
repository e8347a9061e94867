//! What a person reads of each folder in `tests/messages`. `UPDATE_GOLDEN=1` rewrites `expected.txt`, for review.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{fmt::Write as _, fs, path::Path};

use marquee_manifests::{Loaded, load};

/// The answer to a folder, one line a thing, with the folder's own path taken out.
fn answer(folder: &Path) -> String {
    let mut text = String::new();
    match load(folder) {
        Ok(loaded) => describe(&loaded, &mut text),
        Err(errors) => errors.iter().for_each(|error| writeln!(text, "error: {error}").unwrap()),
    }
    text.replace(&format!("{}/", folder.display()), "").replace(&folder.display().to_string(), "FOLDER")
}

fn describe(loaded: &Loaded, text: &mut String) {
    for ranker in &loaded.config.rankers {
        writeln!(text, "serves {} from {}", ranker.objective, ranker.resource).unwrap();
    }
    for page in &loaded.config.pages {
        let headings: Vec<&str> = page.rows.iter().map(|row| row.heading.as_str()).collect();
        let (rows, titles) = (page.rows_shown, page.titles_per_row);
        writeln!(
            text,
            "serves page {} from {}: {rows} × {titles} of {headings:?}",
            page.surface, page.resource
        )
        .unwrap();
    }
    loaded.warnings.iter().for_each(|warning| writeln!(text, "warning: {warning}").unwrap());
    loaded.notes.iter().for_each(|note| writeln!(text, "note: {note}").unwrap());
}

#[test]
fn every_mistake_has_its_message() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut cases: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 15, "the cases are there");
    let mut differing = Vec::new();
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let golden = case.join("expected.txt");
        let answer = answer(&case);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &answer).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != answer {
            differing.push(format!("{name}/expected.txt differs; the answer is now\n{answer}"));
        }
        assert_eq!(
            answer.contains("error: "),
            !name.starts_with("accepted") && name != "dangling_rows",
            "{name}"
        );
    }
    assert!(differing.is_empty(), "{}\nif that is right, run with UPDATE_GOLDEN=1", differing.join("\n"));
}
