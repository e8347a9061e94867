//! Rules of the house that no compiler checks. Every message says the mend.

#![allow(clippy::unwrap_used, reason = "a rule that cannot read the sources has failed")]

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/modules.rs"]
mod modules;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/words.rs"]
mod words;

use std::{collections::BTreeMap, fs};

use sources::{Source, repository, rust_sources};

const LONGEST_FILE: usize = 400;

/// Crates and rooms that compute and do nothing else.
#[rustfmt::skip]
const PURE: [&str; 14] = [
    "crds/", "runtime/models/", "runtime/algorithms/", "runtime/pages/",
    "operator/src/resources/", "operator/src/rollout/", "operator/kit/src/child.rs", "operator/src/observed.rs", "operator/src/transition.rs",
    "operator/src/controllers/serving/",
    "operator/src/controllers/ranking_model/decide", "operator/src/controllers/ranking_model/status",
    "operator/src/controllers/page_layout/decide", "operator/src/controllers/page_layout/status",
];

const MOVE_IO: &str = "move the I/O to a room that does I/O, and hand its result in";
const HAND_TIME: &str = "take the time as an argument";
const HAND_CHANCE: &str = "take a seed or a generator as an argument";

/// What pure code may not name, and what it does instead: paths, also where `use` imports them in parts; or words in a row.
#[rustfmt::skip]
const IMPURE: [(&str, &str); 25] = [
    ("async fn",       MOVE_IO),
    ("async move",     MOVE_IO),
    ("tokio",          MOVE_IO),
    ("std::fs",        MOVE_IO),
    ("std::net",       MOVE_IO),
    ("std::process",   MOVE_IO),
    ("kube::Client",   "hand in what was observed"),
    ("kube::Api",      "hand in what was observed"),
    ("kube::client",   "hand in what was observed"),
    ("SystemTime",     HAND_TIME),
    ("Instant",        HAND_TIME),
    ("Timestamp::now", HAND_TIME),
    ("Zoned::now",     HAND_TIME),
    ("Utc::now",       HAND_TIME),
    ("Local::now",     HAND_TIME),
    (". elapsed",      HAND_TIME),
    ("thread_rng",     HAND_CHANCE),
    ("rand::rng",      HAND_CHANCE),
    ("rand::random",   HAND_CHANCE),
    ("from_os_rng",    HAND_CHANCE),
    ("OsRng",          HAND_CHANCE),
    ("SysRng",         HAND_CHANCE),
    ("getrandom",      HAND_CHANCE),
    ("RandomState",    HAND_CHANCE),
    ("std::env",       "take the value as an argument; main reads the environment"),
];

fn fail_with(rule: &str, faults: impl IntoIterator<Item = String>) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "{rule}\n{}\n", faults.join("\n"));
}

#[test]
fn every_file_can_be_read_in_one_sitting() {
    let too_long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", source.path))
    };
    let rule = format!(
        "over {LONGEST_FILE} lines: split by responsibility; move a long test module to <file>/tests.rs"
    );
    fail_with(&rule, rust_sources().iter().filter_map(too_long));
}

#[test]
fn pure_code_names_no_clock_no_network_and_no_global_random_source() {
    let sources = rust_sources();
    let mut faults = Vec::new();
    for room in PURE.iter().filter(|room| !sources.iter().any(|source| source.path.starts_with(**room))) {
        faults.push(format!(
            "tests/tests/tidy.rs: PURE names {room}, which is gone: name the room that has its code now"
        ));
    }
    for source in sources.iter().filter(|source| PURE.iter().any(|room| source.path.starts_with(room))) {
        if source.is_tool() {
            continue;
        }
        for (line, name, mend) in impure_names(source) {
            faults.push(format!("{}:{line}: names {name}: {mend}", source.path));
        }
    }
    fail_with("pure code does no I/O and reads no clock", faults);
}

fn impure_names(source: &Source) -> Vec<(usize, &'static str, &'static str)> {
    let (tokens, paths) = (code::tokens(&source.text), modules::paths(source));
    let mut found = Vec::new();
    for (name, mend) in IMPURE {
        let words: Vec<&str> = name.split(' ').collect();
        let in_a_row =
            tokens.windows(words.len()).filter(|row| row.iter().map(|t| t.text).eq(words.iter().copied()));
        found.extend(in_a_row.map(|row| (row[0].line, name, mend)));
        let named = format!("::{name}::");
        let holding =
            paths.iter().filter(|(_, path)| path.contains("::") && format!("::{path}::").contains(&named));
        found.extend(holding.map(|(line, _)| (*line, name, mend)));
    }
    found
}

#[test]
fn an_impure_name_is_found_however_it_is_imported() {
    #[rustfmt::skip]
    let cases = [
        ("use std::{fmt, fs::File};",              Some("std::fs")),
        ("let now = k8s::jiff::Timestamp::now();", Some("Timestamp::now")),
        ("use std::time::{Duration, Instant};",    Some("Instant")),
        ("let spent = began.elapsed();",           Some(". elapsed")),
        ("pub async fn f() {}",                    Some("async fn")),
        ("// Instant::now\nlet s = \"tokio\";",     None),
        ("use std::time::Duration;",               None),
    ];
    for (text, expected) in cases {
        let source = Source { path: "crds/src/made_up.rs".into(), text: text.into() };
        let first = impure_names(&source).into_iter().map(|(_, name, _)| name).next();
        assert_eq!(first, expected, "{text}");
    }
}

#[test]
fn metric_names_stand_in_one_place() {
    let mut faults = Vec::new();
    for source in rust_sources() {
        if source.path == "crds/src/metrics.rs" || source.is_test() {
            continue;
        }
        for (n, line) in
            source.code_lines().filter(|(_, line)| line.contains("\"marquee_") && !line.contains("format!("))
        {
            let Some(name) = line.split('"').find(|part| part.starts_with("marquee_")) else { continue };
            faults.push(format!(
                "{}:{n}: {name:?}: make it a const in crds/src/metrics.rs and use that",
                source.path
            ));
        }
    }
    fail_with("a metric's name stands in crds/src/metrics.rs and nowhere else", faults);
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let faults: Vec<String> = rust_sources()
        .iter()
        .filter(|source| source.path != "runtime/artifacts/src/mmap.rs")
        .flat_map(|source| {
            let hit = |(n, line): (usize, &str)| {
                let words = ["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code"];
                words
                    .iter()
                    .any(|word| line.contains(word))
                    .then(|| format!("{}:{n}: {}", source.path, line.trim()))
            };
            source.code_lines().filter_map(hit).collect::<Vec<_>>()
        })
        .filter(|fault| !fault.starts_with("tests/tests/tidy"))
        .collect();
    fail_with(
        "unsafe code stands in runtime/artifacts/src/mmap.rs only: use a safe crate, or move it there",
        faults,
    );
}

#[test]
fn files_have_names_that_say_what_is_in_them() {
    const VAGUE: [&str; 6] = ["utils.rs", "util.rs", "helpers.rs", "common.rs", "manager.rs", "misc.rs"];
    let vague = |source: &&Source| VAGUE.iter().any(|name| source.path.ends_with(&format!("/{name}")));
    let faults: Vec<String> = rust_sources()
        .iter()
        .filter(vague)
        .map(|s| format!("{}: name it after what it holds", s.path))
        .collect();
    fail_with("no file is called utils, helpers, common or manager", faults);
}

#[test]
fn crates_know_only_the_crates_below_them() {
    #[rustfmt::skip]
    let below: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("crds",               &[][..]),
        ("operator",           &["crds", "operator-kit"]),
        ("operator/kit",       &[]),
        ("runtime/artifacts",  &[]),
        ("runtime/models",     &["artifacts"]),
        ("runtime/algorithms", &[]),
        ("runtime/pages",      &["crds", "artifacts"]),
        ("runtime/manifests",  &["crds"]),
        ("runtime/training",   &["artifacts", "models", "algorithms"]),
        ("runtime",            &["crds", "artifacts", "models", "training", "pages", "manifests"]),
    ]);
    let mut faults = Vec::new();
    for path in sources::files_named("Cargo.toml") {
        let room = path.trim_end_matches("Cargo.toml").trim_end_matches('/');
        if room.is_empty() || room == "tests" || room.ends_with("/fuzz") {
            continue;
        }
        let Some(allowed) = below.get(room) else {
            faults.push(format!(
                "{path}: the crate has no place: say in tests/tests/tidy.rs which crates it may know"
            ));
            continue;
        };
        let manifest = fs::read_to_string(repository().join(&path)).unwrap();
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
        for name in dependencies.lines().filter_map(|line| line.strip_prefix("marquee-")) {
            let name = name.split(['.', ' ']).next().unwrap();
            if !allowed.contains(&name) {
                faults.push(format!("{room}/Cargo.toml: depends on marquee-{name}; it may know {allowed:?}: move the piece that both need down"));
            }
        }
    }
    fail_with("dependencies point one way", faults);
}

#[test]
fn rooms_name_only_rooms_below_them() {
    fail_with("rooms of a crate point one way (tests/tests/tidy/rooms.rs has the order)", rooms::faults());
}

#[test]
fn files_of_a_room_form_no_circle() {
    fail_with("files of a room point one way", rooms::circles());
}

#[test]
fn every_dependency_has_its_version_at_the_top_and_its_reason_in_the_architecture() {
    let root = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let reasons = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let listed = root.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let mut faults = Vec::new();
    for line in listed.lines().filter(|line| !line.starts_with('#') && line.contains('=')) {
        let name = line.split([' ', '=']).next().unwrap();
        if !name.starts_with("marquee-") && !reasons.contains(&format!("`{name}`")) {
            faults.push(format!(
                "{name}: add a line with `{name}` and its reason to ARCHITECTURE.md, Dependencies"
            ));
        }
    }
    for path in sources::files_named("Cargo.toml") {
        let text = fs::read_to_string(repository().join(&path)).unwrap();
        if path == "Cargo.toml" || path.contains("/fuzz/") {
            continue;
        }
        for (n, line) in text.lines().enumerate().filter(|(_, line)| line.contains("version = \"")) {
            faults.push(format!(
                "{path}:{}: {line}: put the version in the root Cargo.toml and write .workspace = true",
                n + 1
            ));
        }
    }
    fail_with("a dependency has one version and one reason", faults);
}

#[test]
fn every_dependency_is_used() {
    fail_with("a dependency that nothing uses is built and audited for nothing", dependencies::unused());
}

#[test]
fn words_that_are_gone_do_not_come_back() {
    fail_with("one word a thing (the glossary in ARCHITECTURE.md has the words)", words::faults());
}

#[test]
fn sentences_have_no_private_idiom() {
    fail_with("plain words: subject first, active, short", words::stumbles());
}

#[test]
fn one_name_has_one_meaning() {
    fail_with("one meaning a name", words::second_meanings());
}

#[test]
fn a_line_of_markdown_holds_one_sentence() {
    fail_with(
        "one sentence a line, so that a change shows the sentence that changed",
        words::crowded_lines(),
    );
}

#[test]
fn no_text_names_a_path_of_one_machine() {
    let mut faults = Vec::new();
    for path in sources::text_files() {
        let text = fs::read_to_string(repository().join(&path)).unwrap_or_default();
        for (n, line) in text.lines().enumerate() {
            for found in sources::MACHINE_PATHS.iter().filter(|found| sources::names_folder(line, found)) {
                faults
                    .push(format!("{path}:{}: {found}: write it relative, or through MARQUEE_CACHE", n + 1));
            }
        }
    }
    fail_with("the project names no folder of one machine", faults);
}
