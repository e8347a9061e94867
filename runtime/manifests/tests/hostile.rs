//! Hostile input: it is refused quickly, with bounded memory and without a panic.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use marquee_manifests::{Loaded, Note, load, reload};
use proptest::prelude::*;
use tempfile::TempDir;

const GOOD: &str = include_str!("messages/accepted_as_it_stands/layout.yaml");
const MODEL: &str = include_str!("messages/accepted_as_it_stands/model.yaml");

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// The first error, without the folder.
fn first_error(path: &Path) -> String {
    let errors = load(path).unwrap_err();
    errors[0]
        .to_string()
        .replace(&format!("{}/", path.display()), "")
        .replace(&path.display().to_string(), "FOLDER")
}

#[test]
fn a_bomb_of_any_make_is_refused_at_once() {
    let nested = |open: &str, times: usize| open.repeat(times).into_bytes();
    let quoted = format!("a: \"{}", "b".repeat(1_000_000)).into_bytes();
    let copies = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a,".repeat(100_000)).into_bytes();
    let fields: String = (0..90_000).map(|n| format!("k{n}: 1\n")).collect();
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("lists in lists, in one line",  nested("[", 1_000_000)),
        ("objects in objects",           nested("{a: ", 250_000)),
        ("lists in lists, in a block",   nested("- ", 500_000)),
        ("keys of keys",                 nested("? ", 500_000)),
        ("a million commas",             nested("[,", 500_000)),
        ("a long list",                  nested("- a\n", 250_000)),
        ("many documents",               nested("---\na\n", 150_000)),
        ("anchors upon anchors",         nested("&a ", 300_000)),
        ("directives",                   nested("%TAG ! x\n", 100_000)),
        ("a text that never ends",       quoted),
        ("a text copied a hundred thousand times", copies),
        ("very many fields",             fields.into_bytes()),
        ("line breaks in a text",        [b"\"".to_vec(), nested("\n", 1_000_000)].concat()),
    ];
    for (why, bytes) in cases {
        let folder = folder(&[("bomb.yaml", &bytes)]);
        let start = Instant::now();
        let errors = load(folder.path()).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(5), "{why} took {:?}", start.elapsed());
        assert!((1..=51).contains(&errors.len()), "{why}: {} errors", errors.len());
        let longest = errors.iter().map(|error| error.to_string().len()).max().unwrap();
        assert!(longest < 1_000, "{why}: a message of {longest} bytes");
    }
}

#[test]
fn a_file_that_is_no_manifest_is_named_and_explained() {
    let big = vec![b' '; (1 << 20) + 1];
    #[rustfmt::skip]
    let cases: [(&str, &[u8], &str); 4] = [
        ("not UTF-8",    b"a: \xff",      "a.yaml: is not UTF-8: save it in that encoding"),
        ("a zero byte",  b"a: b\nc: \0d", "a.yaml:2:4: holds the control character U+0000, which YAML does not allow: remove it, or write it as an escape"),
        ("over large",   &big,            "a.yaml: is larger than 1048576 bytes: split it into several files"),
        ("a folder of nothing", b"",      "FOLDER: holds no resource in the 1 manifests that were read: add a RankingModel or a PageLayout"),
    ];
    for (why, bytes, message) in cases {
        assert_eq!(first_error(folder(&[("a.yaml", bytes)]).path()), message, "{why}");
    }
    let empty = folder(&[("README.md", b"")]);
    let message = "FOLDER: holds no manifest: add a file *.yaml, *.yml or *.json to the folder itself";
    assert_eq!(first_error(empty.path()), message);
    let absent = empty.path().join("absent");
    assert_eq!(first_error(&absent), "FOLDER: cannot be read: No such file or directory (os error 2)");
    std::os::unix::fs::symlink("nowhere", empty.path().join("a.yaml")).unwrap();
    assert_eq!(first_error(empty.path()), "a.yaml: cannot be read: No such file or directory (os error 2)");
    fs::remove_file(empty.path().join("a.yaml")).unwrap();
    std::os::unix::net::UnixListener::bind(empty.path().join("a.yaml")).unwrap();
    assert_eq!(
        first_error(empty.path()),
        "a.yaml: is not a regular file: use a regular file, or a link to one"
    );
}

#[test]
fn what_is_not_read_of_a_folder_is_noted() {
    let folder = folder(&[
        ("a.yaml", GOOD.as_bytes()),
        ("b.yml", MODEL.as_bytes()),
        (".c.yaml", b"{"),
        ("notes.txt", b"{"),
    ]);
    fs::create_dir(folder.path().join("later")).unwrap();
    let loaded = load(folder.path()).unwrap();
    let names: Vec<_> = loaded.files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a.yaml", "b.yml"]);
    let expected = [
        Note::HiddenFile { path: folder.path().join(".c.yaml") },
        Note::SubFolder { path: folder.path().join("later") },
    ];
    assert_eq!(loaded.notes, expected);
    let one = load(&folder.path().join("b.yml")).unwrap();
    assert_eq!((one.models.len(), one.layouts.len()), (1, 0), "a file by itself");
}

#[test]
fn a_surface_may_not_change_between_two_readings() {
    let folder = folder(&[("a.yaml", MODEL.as_bytes())]);
    let before = load(folder.path()).unwrap();
    assert_eq!(reload(folder.path(), &before).unwrap(), before, "nothing changed");
    fs::write(folder.path().join("a.yaml"), MODEL.replace("surface: home", "surface: kids")).unwrap();
    let errors = reload(folder.path(), &before).unwrap_err();
    let message = errors[0].to_string().replace(&format!("{}/", folder.path().display()), "");
    let expected = "a.yaml:6:12: RankingModel default/ease: spec.surface: surface is fixed for life: create another \
                    model for the other surface (found \"kids\")";
    assert_eq!((errors.len(), message.as_str()), (1, expected));
    fs::write(folder.path().join("a.yaml"), MODEL.replace("name: ease", "name: other")).unwrap();
    assert!(reload(folder.path(), &before).is_ok(), "another model is another model");
}

/// Loads `bytes` under each name; panics and hangs are what is looked for.
fn survives(bytes: &[u8]) -> Vec<Result<Loaded, usize>> {
    let names = ["a.yaml", "a.json"];
    names.map(|name| load(folder(&[(name, bytes)]).path()).map_err(|errors| errors.len())).into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes);
    }

    #[test]
    fn random_yaml_is_refused(text in "[-a-b:{}\\[\\]\"'&*!|>%?#,.\\\\u0-9 \n\t]{0,200}") {
        survives(text.as_bytes());
    }

    /// What passes the schema and the rules is read by the types: `Unfit` is a defect of the schema.
    #[test]
    fn a_manifest_with_pieces_cut_and_moved_never_panics(cut in 0usize..600, length in 0usize..40, to in 0usize..600, with in "[-a0:{}\\[\\]\" \n.]{0,4}") {
        let mut text: Vec<char> = format!("{GOOD}---\n{MODEL}").chars().collect();
        let start = cut.min(text.len());
        let end = (cut + length).min(text.len());
        let piece: Vec<char> = text.splice(start..end, with.chars()).collect();
        let to = to.min(text.len());
        text.splice(to..to, piece);
        let text: String = text.into_iter().collect();
        survives(text.as_bytes());
        let folder = folder(&[("a.yaml", text.as_bytes())]);
        for error in load(folder.path()).err().into_iter().flatten() {
            prop_assert!(!matches!(error.fault, marquee_manifests::Fault::Unfit(_)), "{error}");
        }
    }
}
