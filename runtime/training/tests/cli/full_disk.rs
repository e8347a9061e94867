//! A disk that is full while an artifact, a checkpoint or a report is written: an error, and nothing lost.
//!
//! A limit on the size of files stands in for the disk: the write itself fails, in the middle, as on a full one. The limit
//! is of a whole process, so the command runs in a child of this test.

use std::{fs, process::Command};

use crate::world::{World, ratings};

/// What the child runs; empty in the parent.
const LINE: &str = "MARQUEE_TEST_LINE";
/// The folder of the parent's world.
const FOLDER: &str = "MARQUEE_TEST_FOLDER";

#[test]
#[ignore = "run by the other test, in a process with a limit"]
fn child() {
    let Ok(line) = std::env::var(LINE) else { return };
    let folder = std::env::var(FOLDER).unwrap();
    let line = line.replace('@', &format!("{folder}/"));
    let world = World::new();
    let error = world.run(&line).expect_err("the disk is full");
    fs::write(format!("{folder}/said.txt"), format!("{} {}", error.exit_code(), world.message(&error)))
        .unwrap();
}

/// Runs a command where no file may grow over `blocks` of 512 bytes; gives its exit code and message.
fn on_a_full_disk(world: &World, blocks: u32, line: &str) -> String {
    // The signal is ignored, so that the write fails instead of the process.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact full_disk::child --ignored");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(LINE, line)
        .env(FOLDER, world.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let said = fs::read_to_string(world.path("said.txt")).unwrap();
    fs::remove_file(world.path("said.txt")).unwrap();
    said.replace(&format!("{}/", world.path("").display().to_string().trim_end_matches('/')), "")
        .replace("//", "/")
}

#[test]
fn a_full_disk_is_said_and_what_lay_there_lies_there_still() {
    let world = World::new();
    world.write("r.csv", &ratings());
    world.run("train --algorithm popularity --data @r.csv --output @a").unwrap();
    let before = world.files();

    let said = on_a_full_disk(&world, 4, "train --algorithm ease --data @r.csv --output @a");
    assert!(said.starts_with("4 cannot write ") && said.contains("File too large"), "{said}");
    assert_eq!(world.files(), before, "the older artifact is whole, and nothing lies beside it");

    let said = on_a_full_disk(
        &world,
        4,
        "train --algorithm bpr --set factors=64 --set epochs=2 --data @r.csv --output @a --checkpoint @c --checkpoint-every-iterations 1",
    );
    assert!(
        said.starts_with("4 checkpoint ") && said.contains("cannot be written: File too large"),
        "{said}"
    );
    let without_checkpoints: Vec<_> =
        world.files().into_iter().filter(|(path, _)| !path.starts_with(world.path("c"))).collect();
    assert_eq!(without_checkpoints, before);
    assert!(!world.path("c/bpr-training-part.checkpoint").exists(), "no checkpoint that looks whole");
}
