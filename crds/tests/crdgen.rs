//! `crdgen` writes what it then finds in order, and says which file differs and how to mend it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{fs, path::Path, process::Command};

fn crdgen(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_crdgen")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_difference_is_named_with_its_mend() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crdgen");
    let _ = fs::remove_dir_all(&folder);
    let text = folder.to_str().unwrap();

    assert_eq!(crdgen(&[text]), (Some(0), String::new()), "writes");
    assert_eq!(crdgen(&["--check", text]), (Some(0), String::new()), "finds what it wrote");

    let layouts = folder.join("pagelayouts.yaml");
    let mut lines: Vec<String> = fs::read_to_string(&layouts).unwrap().lines().map(str::to_owned).collect();
    lines[4] = "  name: edited by hand".into();
    fs::write(&layouts, lines.join("\n") + "\n").unwrap();
    fs::write(folder.join("banditexperiments.yaml"), marquee_crds::definitions::HEADER).unwrap();
    fs::write(folder.join("kustomization.yaml"), "resources: []").unwrap();
    let expected = format!(
        "{text}/banditexperiments.yaml: belongs to no kind: run `make generate` to remove it\n\
         {text}/pagelayouts.yaml:5: differs from crds/src: run `make generate` and commit the result\n"
    );
    assert_eq!(crdgen(&["--check", text]), (Some(1), expected), "names both");

    assert_eq!(crdgen(&[text]), (Some(0), String::new()), "mends both");
    assert_eq!(crdgen(&["--check", text]), (Some(0), String::new()), "and is content");
    assert!(folder.join("kustomization.yaml").exists(), "what it did not generate it does not touch");
}

#[test]
fn a_wrong_call_is_answered_with_the_usage() {
    for arguments in [&[][..], &["--chekc"], &["a", "b"]] {
        let (code, text) = crdgen(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(text.starts_with("usage: crdgen"), "{arguments:?}: {text}");
    }
}
