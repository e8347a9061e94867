//! The operator says what it does not do, and what to use instead.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn operator(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_marquee-operator")).args(arguments).output().unwrap()
}

#[test]
fn it_refuses_and_names_what_serves() {
    let output = operator(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "nothing that a script could take for an answer");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("marquee-operator: does not reconcile anything yet"), "{text}");
    assert!(text.contains("marquee-runtime serve --manifests DIR"), "{text}");
}

#[test]
fn help_and_version_are_answered() {
    let help = operator(&["--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success() && text.contains("marquee-runtime serve --manifests DIR"), "{text}");
    let version = operator(&["--version"]);
    let text = String::from_utf8(version.stdout).unwrap();
    assert_eq!(
        (version.status.success(), text.trim()),
        (true, concat!("marquee-operator ", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn a_flag_that_is_not_known_is_refused() {
    let output = operator(&["--kubeconfig", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--kubeconfig"), "names the flag");
}
