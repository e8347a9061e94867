use std::os::unix::fs::symlink;

use serde_json::json;

use super::*;
use crate::sample::{self, Sample, WEIGHTS};

type Row = (&'static str, Fault, fn(&Sample));

/// Each row spoils a sound artifact in one way. The messages stand in `bad-artifacts.txt`.
#[rustfmt::skip]
const BAD: &[Row] = &[
    // why                                            fault                       how
    ("no folder",                                     Fault::NoManifest,          |s| fs_remove(s, ".")),
    ("a folder without a manifest",                   Fault::NoManifest,          |s| fs_remove(s, "marquee.json")),
    ("a missing file",                                Fault::Missing,             |s| fs_remove(s, WEIGHTS)),
    ("wrong checksum: one bit flipped",               Fault::Checksum,            |s| s.edit(WEIGHTS, |b| *b.last_mut().unwrap() ^= 1)),
    ("wrong checksum, and no header either",          Fault::Checksum,            |s| s.edit(WEIGHTS, |b| b[..8].fill(0xff))),
    ("another artifact's manifest",                   Fault::Checksum,            |s| s.edit_manifest(|m| m["lineage"]["seed"] = json!(7))),
    ("a truncated file",                              Fault::Size,                |s| s.edit(WEIGHTS, |b| b.truncate(b.len() - 3))),
    ("a file with more at its end",                   Fault::Size,                |s| s.edit("titles.jsonl", |b| b.extend(b"\"40\"\n"))),
    ("a header that says it is longer than the file", Fault::Header,              |s| s.edit_declared(WEIGHTS, |b| b[..8].copy_from_slice(&u64::MAX.to_le_bytes()))),
    ("a header that says it is shorter than it is",   Fault::Header,              |s| s.edit_declared(WEIGHTS, |b| b[..8].copy_from_slice(&16u64.to_le_bytes()))),
    ("weights of four bytes",                         Fault::Tensor,              |s| s.edit_declared(WEIGHTS, |b| b.truncate(4))),
    ("offsets that overlap",                          Fault::Header,              |s| s.edit_header(|h| h["title.bias"]["data_offsets"] = h["title.plays"]["data_offsets"].clone())),
    ("a tensor twice in the header",                  Fault::Header,              |s| s.edit_declared(WEIGHTS, |b| twice(b))),
    ("a shape that is not its bytes",                 Fault::Header,              |s| s.edit_header(|h| h["title.bias"]["shape"] = json!([4]))),
    ("a shape that overflows",                        Fault::Header,              |s| s.edit_header(|h| h["title.bias"]["shape"] = json!([1u64 << 40, 1u64 << 40]))),
    ("dtype other than declared",                     Fault::Tensor,              |s| s.edit_header(|h| h["title.bias"]["dtype"] = json!("U32"))),
    ("a dtype that artifacts do not hold",            Fault::Tensor,              |s| s.edit_header(|h| h["title.bias"]["dtype"] = json!("BF16"))),
    ("shape other than declared",                     Fault::Tensor,              |s| s.edit_header(|h| h["title.factors"]["shape"] = json!([2, 3]))),
    ("a tensor that is declared and not there",       Fault::Tensor,              |s| s.edit_header(rename_bias)),
    ("a tensor that is there and not declared",       Fault::Tensor,              |s| s.edit_entry(WEIGHTS, |e| { e["tensors"].as_object_mut().unwrap().remove("title.bias"); })),
    ("a tensor that the architecture lacks",          Fault::Tensor,              |s| s.edit_manifest(|m| m["architecture"] = json!("svd-plus-plus"))),
    ("NaN among the weights",                         Fault::NotFinite,           |s| s.poke("title.factors", 5, f32::NAN.to_le_bytes())),
    ("infinity among the weights",                    Fault::NotFinite,           |s| s.poke("viewer.bias", 1, f32::NEG_INFINITY.to_le_bytes())),
    ("duplicate ids",                                 Fault::Line,                |s| s.edit_declared("titles.jsonl", |b| *b = b"\"10\"\n\"20\"\n\"10\"\n".to_vec())),
    ("ids that are no JSON strings",                  Fault::Line,                |s| s.edit_declared("titles.jsonl", |b| *b = b"10000\n20000\n30000\n".to_vec())),
    ("ids that are not UTF-8",                        Fault::Line,                |s| s.edit_declared("titles.jsonl", |b| b[1] = 0xff)),
    ("an id with a line feed in it",                  Fault::Line,                |s| s.edit_declared("titles.jsonl", |b| *b = b"\"10\"\n\"20\"\n\"3\\n0\"\n".to_vec())),
    ("fewer ids than declared",                       Fault::Count,               |s| s.edit_declared("titles.jsonl", |b| *b = b"\"10\"\n\"20-longer\"\n".to_vec())),
    ("more ids than declared",                        Fault::Count,               |s| s.edit_declared("titles.jsonl", |b| b.extend(b"\"40\"\n"))),
    ("ids and tensors that disagree",                 Fault::Count,               |s| { s.edit_declared("titles.jsonl", |b| b.extend(b"\"40\"\n")); s.edit_entry("titles.jsonl", |e| e["count"] = json!(4)); }),
    ("factors that disagree",                         Fault::Count,               |s| { s.edit_header(|h| h["title.factors"]["shape"] = json!([6, 1])); s.edit_entry(WEIGHTS, |e| e["tensors"]["title.factors"]["shape"] = json!([6, 1])); }),
    ("a history that starts past 0",                  Fault::Count,               |s| s.poke("history.offsets", 0, 1u32.to_le_bytes())),
    ("a history whose offsets fall",                  Fault::Count,               |s| s.poke("history.offsets", 1, 9u32.to_le_bytes())),
    ("a history out of order",                        Fault::Count,               |s| s.poke("history.titles", 1, 0u32.to_le_bytes())),
    ("a history of titles that are not there",        Fault::Count,               |s| s.poke("history.titles", 3, 3u32.to_le_bytes())),
    ("histories in time of other titles",             Fault::Count,               |s| s.poke("history.sequence", 1, 1u32.to_le_bytes())),
    ("a title twice in a history in time",            Fault::Count,               |s| s.poke("history.sequence", 1, 2u32.to_le_bytes())),
    ("no histories in time",                          Fault::Tensor,              |s| without_sequence(s, 2)),
    ("unknown architecture",                          Fault::UnknownArchitecture, |s| s.edit_manifest(|m| m["architecture"] = json!("two-tower"))),
    ("newer format version",                          Fault::NewerFormat,         |s| s.edit_manifest(|m| { m["formatVersion"] = json!(3); m["novelty"] = json!(true); })),
    ("a path that climbs out",                        Fault::Path,                |s| s.edit_entry(WEIGHTS, |e| e["path"] = json!("../model/weights.safetensors"))),
    ("a path that climbs out of a part",              Fault::Path,                |s| s.edit_entry(WEIGHTS, |e| e["path"] = json!("a/../../weights.safetensors"))),
    ("an absolute path",                              Fault::Path,                |s| s.edit_entry(WEIGHTS, |e| e["path"] = json!("/etc/passwd"))),
    ("a path with a backslash",                       Fault::Path,                |s| s.edit_entry(WEIGHTS, |e| e["path"] = json!("..\\weights"))),
    ("a path with a NUL",                             Fault::Path,                |s| s.edit_entry(WEIGHTS, |e| e["path"] = json!("weights\u{0}.safetensors"))),
    ("a path twice",                                  Fault::Path,                |s| s.edit_entry("viewers.jsonl", |e| e["path"] = json!("titles.jsonl"))),
    ("a symlink out of the folder",                   Fault::Path,                |s| { fs_remove(s, WEIGHTS); symlink("/etc/passwd", s.dir.join(WEIGHTS)).unwrap(); }),
    ("a folder that is a symlink",                    Fault::Path,                |s| { symlink(s.root.path(), s.dir.join("out")).unwrap(); s.edit_entry(WEIGHTS, |e| e["path"] = json!("out/model/weights.safetensors")); }),
    ("a manifest that is a symlink",                  Fault::Path,                |s| { std::fs::rename(s.dir.join("marquee.json"), s.root.path().join("m")).unwrap(); symlink("../m", s.dir.join("marquee.json")).unwrap(); }),
    ("a folder in place of a file",                   Fault::Path,                |s| { fs_remove(s, WEIGHTS); std::fs::create_dir(s.dir.join(WEIGHTS)).unwrap(); }),
    ("a pipe in place of a file",                     Fault::Path,                |s| { fs_remove(s, WEIGHTS); pipe(&s.dir.join(WEIGHTS)); }),
    ("a size that would exhaust memory",              Fault::TooLarge,            |s| s.edit_entry(WEIGHTS, |e| e["size"] = json!(u64::MAX))),
    ("an id table that would exhaust memory",         Fault::TooLarge,            |s| s.edit_entry("titles.jsonl", |e| e["size"] = json!(3u64 << 30))),
    ("a count that would exhaust memory",             Fault::Count,               |s| s.edit_entry("titles.jsonl", |e| e["count"] = json!(u64::MAX))),
    ("a tensor that would exhaust memory",            Fault::Tensor,              |s| s.edit_entry(WEIGHTS, |e| e["tensors"]["title.bias"]["shape"] = json!([1u64 << 32, 1u64 << 32]))),
    ("a manifest that is too large",                  Fault::TooLarge,            |s| s.edit("marquee.json", |b| b.resize((16 << 20) + 1, b' '))),
    ("a manifest that is no JSON",                    Fault::Syntax,              |s| s.edit("marquee.json", |b| b[0] = b'[')),
    ("a manifest nested without end",                 Fault::Syntax,              |s| s.edit("marquee.json", |b| *b = nested(100_000))),
    ("a field that the manifest does not have",       Fault::Syntax,              |s| s.edit_manifest(|m| m["novelty"] = json!(true))),
    ("a checksum that is none",                       Fault::Syntax,              |s| s.edit_entry(WEIGHTS, |e| e["sha256"] = json!("beef"))),
    ("no viewers",                                    Fault::Count,               |s| s.edit_manifest(|m| { m["files"].as_array_mut().unwrap().remove(1); })),
    ("golden inputs that are not there",              Fault::Golden,              |s| s.edit_manifest(|m| m["golden"]["cases"][0]["viewer"] = json!(2))),
    ("golden outputs that are not finite",            Fault::Golden,              |s| s.edit_manifest(|m| m["golden"]["cases"][0]["scores"][0] = json!(1e300))),
    ("a golden tolerance of nothing",                 Fault::Golden,              |s| s.edit_manifest(|m| m["golden"]["tolerance"] = json!(0))),
];

/// Takes the histories in time out, as a format version 1 has none.
fn without_sequence(sample: &Sample, version: u32) {
    sample.edit_header(|header| {
        let tensors = header.as_object_mut().unwrap();
        let sequence = tensors.remove("history.sequence").unwrap();
        tensors.insert("unused".to_owned(), sequence);
    });
    sample.edit_entry(WEIGHTS, |entry| {
        let tensors = entry["tensors"].as_object_mut().unwrap();
        let sequence = tensors.remove("history.sequence").unwrap();
        tensors.insert("unused".to_owned(), sequence);
    });
    sample.edit_manifest(|manifest| manifest["formatVersion"] = json!(version));
}

fn fs_remove(sample: &Sample, path: &str) {
    let full = if path == "." { sample.dir.clone() } else { sample.dir.join(path) };
    if full.is_dir() { std::fs::remove_dir_all(full).unwrap() } else { std::fs::remove_file(full).unwrap() }
}

fn pipe(path: &Path) {
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

fn nested(depth: usize) -> Vec<u8> {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!("{{\"formatVersion\":1,\"architecture\":\"ease\",\"hyperparameters\":{{\"a\":{open}{close}}}}}")
        .into_bytes()
}

fn rename_bias(header: &mut serde_json::Value) {
    let tensors = header.as_object_mut().unwrap();
    let bias = tensors.remove("title.bias").unwrap();
    tensors.insert("title.bios".to_owned(), bias);
}

/// The last tensor's name becomes that of the first.
fn twice(bytes: &mut [u8]) {
    let text = b"\"title.bias\"";
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    bytes[at..at + text.len()].copy_from_slice(b"\"mean\"      ");
    let text = b"\"global.mean\"";
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    bytes[at..at + text.len()].copy_from_slice(b"\"mean\"       ");
}

#[test]
fn every_bad_artifact_is_refused_with_its_message() {
    let mut messages = String::new();
    for (why, fault, spoil) in BAD {
        let sample = Sample::new();
        spoil(&sample);
        let pinned = *why == "another artifact's manifest";
        let options = OpenOptions { expected: pinned.then_some(sample.digest), ..OpenOptions::default() };
        let opened = open(&sample.dir, &options).and_then(|artifact| artifact.check_layout(&sample::KNOWN));
        let error = opened.expect_err(why);
        assert_eq!(error.fault(), Some(*fault), "{why}: {error}");
        let message = error.to_string().replace(&sample.root.path().display().to_string(), "");
        messages += &format!("{why}\n    {message}\n");
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/open/bad-artifacts.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &messages).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    for (found, expected) in messages.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "UPDATE_GOLDEN=1 rewrites {}", golden.display());
    }
    assert_eq!(messages.lines().count(), expected.lines().count());
}

#[test]
fn a_sound_artifact_opens_through_a_linked_folder_and_from_below() {
    let sample = Sample::new();
    symlink(&sample.dir, sample.root.path().join("link")).unwrap();
    std::fs::create_dir(sample.dir.join("w")).unwrap();
    std::fs::rename(sample.dir.join(WEIGHTS), sample.dir.join("w/1.safetensors")).unwrap();
    sample.edit_entry(WEIGHTS, |entry| entry["path"] = json!("w/1.safetensors"));
    std::fs::write(sample.dir.join("README"), "files that the manifest does not name are not read").unwrap();
    let artifact = open(&sample.root.path().join("link"), &OpenOptions::default()).unwrap();
    assert_eq!((artifact.n_viewers(), artifact.n_titles(), artifact.tensors.len()), (2, 3, 9));
    artifact.check_layout(&sample::KNOWN).unwrap();
    assert_eq!(digest(&sample.dir).unwrap(), artifact.digest);
}

#[test]
fn an_artifact_of_version_1_opens_without_histories_in_time() {
    let written_by_the_first_release = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/version-1");
    let artifact = open(&written_by_the_first_release, &OpenOptions::default()).unwrap();
    assert_eq!(artifact.manifest.format_version, 1);
    assert_eq!(
        artifact.digest.to_string(),
        "0a7d337d88a8dca41210d7e68743c687ac2679160a8ad5d6971f657e753580af"
    );
    assert_eq!(artifact.tensor_u32("history.titles", &[6]).unwrap(), [0, 1, 2, 0, 2, 1]);
    assert!(artifact.tensor("history.sequence").is_err());

    let sample = Sample::new();
    without_sequence(&sample, 1);
    open(&sample.dir, &OpenOptions::default()).unwrap().check_layout(&sample::KNOWN).unwrap();
}

#[test]
fn a_getter_names_the_tensor_that_is_not_as_asked() {
    let sample = Sample::new();
    let artifact = open(&sample.dir, &OpenOptions::default()).unwrap();
    let manifest = sample.dir.join("marquee.json").display().to_string();
    let error = artifact.tensor_f32("title.bias", &[4]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{manifest}: expected tensor `title.bias` as F32 [4], found F32 [3]")
    );
    let error = artifact.tensor_u32("title.bias", &[3]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{manifest}: expected tensor `title.bias` as U32 [3], found F32 [3]")
    );
    let error = artifact.tensor("gram").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{manifest}: expected tensor `gram` for architecture biased-mf, found none")
    );
}

#[test]
fn the_limits_are_those_of_the_caller() {
    let sample = Sample::new();
    #[rustfmt::skip]
    let cases = [
        ("bytes",   Limits { total_bytes: 100, ..Limits::default() },  "expected at most 100 bytes of files"),
        ("header",  Limits { header_bytes: 100, ..Limits::default() }, "expected a header of at most 100 bytes"),
        ("tensors", Limits { tensors: 7, ..Limits::default() },        "expected at most 7 tensors, found 9"),
        ("files",   Limits { files: 2, ..Limits::default() },          "expected at most 2 files, found 3"),
        ("ids",     Limits { id_bytes: 2, ..Limits::default() },       "expected an id of at most 2 bytes, found `ann` of 3 bytes in line 1"),
    ];
    for (why, limits, message) in cases {
        let error = open(&sample.dir, &OpenOptions { limits, ..OpenOptions::default() }).expect_err(why);
        assert!(error.to_string().contains(message), "{why}: {error}");
    }
}

#[test]
fn replacing_an_artifact_under_its_readers_never_shows_them_a_mixture() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("model");
    sample::write(&dir, 0.0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for mean in 1..60 {
                sample::write(&dir, mean as f32);
            }
        });
        let mut seen = 0;
        while !writer.is_finished() {
            // The folder may be exchanged between two files: that is refused or consistent, never mixed up.
            if let Ok(artifact) = open(&dir, &OpenOptions::default()) {
                let mean = artifact.tensor_f32("global.mean", &[1]).unwrap()[0];
                assert_eq!(artifact.manifest.golden.unwrap().cases[0].scores, [mean + 1.4]);
                seen += 1;
            }
        }
        assert!(seen > 0);
    });
}
