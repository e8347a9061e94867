//! The binary: verify, digest, completions, man, and a start that is refused.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    artifacts::{self, row},
    world::World,
};

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marquee-runtime"));
    command.args(args).env_clear().output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn manifests(world: &World) -> String {
    world.path("manifests").display().to_string()
}

fn ranked() -> [String; 1] {
    [row("top-picks", "Top picks", "{model: {objective: top-picks}}")]
}

#[test]
fn verify_says_by_its_exit_code_whether_serve_would_be_whole() {
    let world = World::new();
    let good = [world.top_picks("a"), world.layout(&ranked(), "")];
    let unknown_field = [good[0].replace("objective:", "objectiv:"), good[1].clone()];
    let no_artifact = [world.top_picks("nowhere"), good[1].clone()];
    let dangling = [good[0].clone(), world.layout(&[row("x", "X", "{model: {objective: top-pick}}")], "")];
    let no_genre = [good[0].clone(), world.layout(&[row("x", "X", "{genre: {name: Darma}}")], "")];
    #[rustfmt::skip]
    let cases: [(&str, &[String], i32, &str); 6] = [
        ("whole",             &good,          0, "1 RankingModels and 1 PageLayouts in 1 files: no problems"),
        ("unknown field",     &unknown_field, 1, "did you mean"),
        ("no artifact",       &no_artifact,   1, "nowhere"),
        ("dangling row",      &dangling,      1, "top-pick"),
        ("a genre of nobody", &no_genre,      1, "the nearest is \"Drama\""),
        ("nothing to serve",  &[],            1, "holds no resource"),
    ];
    for (why, documents, code, said) in cases {
        world.manifests(documents);
        let output = run(&["verify", "--manifests", &manifests(&world)]);
        let told = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{why}: {told}");
        assert!(told.contains(said), "{why}: {told}");
    }
    world.manifests(&no_artifact);
    let manifests_only = run(&["verify", "--manifests-only", "--manifests", &manifests(&world)]);
    assert_eq!(manifests_only.status.code(), Some(0), "artifacts were not asked for");
    assert_eq!(run(&["verify", "--no-such-flag"]).status.code(), Some(2), "usage");
    assert_eq!(run(&["--cpu", "v9", "verify", "--manifests", "."]).status.code(), Some(2), "usage");
}

#[test]
fn serve_does_not_start_with_bad_manifests_and_names_them() {
    let world = World::new();
    world.manifests(&[world.top_picks("a").replace("objective:", "objectiv:")]);
    let output =
        run(&["serve", "--manifests", &manifests(&world), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("all.yaml:") && told.contains("objectiv"), "{told}");
}

#[test]
fn digest_prints_the_line_that_pins_an_artifact() {
    let world = World::new();
    let digest = artifacts::mf(&world.path("c"), artifacts::SMALL, 5);
    let folder = world.path("c").display().to_string();
    for uri in [folder.clone(), format!("file://{folder}")] {
        let output = run(&["digest", &uri]);
        assert_eq!(text(&output.stdout), format!("sha256: {digest}\n"), "{}", text(&output.stderr));
    }
    let output = run(&["digest", "file:///no/such/folder"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("/no/such/folder"));
}

#[test]
fn completions_and_man_pages_come_from_the_same_flags() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert!(text(&output.stdout).contains("ready-when"), "{shell}");
    }
    let dir = world.path("man");
    let output = run(&["man", &dir.display().to_string()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = fs::read_to_string(dir.join("marquee-runtime-serve.1")).unwrap();
    assert!(page.contains("ready\\-when"), "{page}");
    assert!(text(&output.stdout).lines().count() >= 8);
}

/// Ends the process when the test does, however it does.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn serve_says_in_one_screen_what_it_serves_reloads_on_sighup_and_ends_on_sigterm() {
    let world = World::new();
    let warned = row("drama", "Drama", "{genre: {name: Darma}}");
    world.manifests(&[world.top_picks("a"), world.layout(&[ranked()[0].clone(), warned], "")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_marquee-runtime"));
    let manifests = manifests(&world);
    command.args([
        "serve",
        "--manifests",
        &manifests,
        "--http",
        "127.0.0.1:0",
        "--grpc",
        "127.0.0.1:0",
        "--poll",
        "60m",
    ]);
    let mut served =
        Served(command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut screen = String::new();
    let mut out = BufReader::new(served.0.stdout.take().unwrap());
    while !screen.contains("the nearest is") {
        assert_ne!(out.read_line(&mut screen).unwrap(), 0, "it ended: {screen}");
    }
    let digest = marquee_artifacts::digest(&world.path("a")).unwrap().to_string();
    let artifact = format!("file://{} ({})", world.path("a").display(), &digest[..12]);
    for said in [
        "OBJECTIVE",
        "top-picks  biased-mf     120     serving",
        &artifact,
        "home     2 rows",
        "/preview/",
        "ready     yes",
        "Problems:",
    ] {
        assert!(screen.contains(said), "{said:?} is not on the screen:\n{screen}");
    }
    let pid = Pid::from_child(&served.0);
    kill_process(pid, Signal::HUP).unwrap();
    let mut log = BufReader::new(served.0.stderr.take().unwrap());
    let mut lines = String::new();
    while !lines.contains("\"cause\":\"signal\"") {
        assert_ne!(log.read_line(&mut lines).unwrap(), 0, "it ended: {lines}");
    }
    assert!(lines.contains("\"outcome\":\"unchanged\""), "{lines}");
    kill_process(pid, Signal::TERM).unwrap();
    log.read_to_string(&mut lines).unwrap();
    assert!(served.0.wait().unwrap().success(), "{lines}");
}

#[test]
fn a_log_in_json_has_no_start_screen_and_names_what_can_never_be_shown() {
    let world = World::new();
    let warned = row("drama", "Drama", "{genre: {name: Darma}}");
    world.manifests(&[world.top_picks("a"), world.layout(&[ranked()[0].clone(), warned], "")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_marquee-runtime"));
    command.args(["serve", "--log-format", "json", "--manifests", &manifests(&world)]);
    command.args(["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]);
    let mut served =
        Served(command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut log = BufReader::new(served.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("can never be shown") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended");
        serde_json::from_str::<serde_json::Value>(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    }
    assert!(line.contains("default/home") && line.contains("the nearest is \\\"Drama\\\""), "{line}");
    kill_process(Pid::from_child(&served.0), Signal::TERM).unwrap();
    assert!(served.0.wait().unwrap().success());
    let mut screen = String::new();
    served.0.stdout.take().unwrap().read_to_string(&mut screen).unwrap();
    assert_eq!(screen, "");
}
