//! Runs a command until the process that started it ends, and then always cleans up.
//!
//! `reaper [--state FOLDER] [--cgroup NAME] [-- COMMAND...]`. The starter holds the other end of standard input. When that
//! closes, on purpose or because the starter was killed, the reaper kills the command and removes the cgroup and the folder.
//! If the reaper itself is killed, the kernel kills the command, and the next start removes the folder, whose lock is then
//! free. `reaper --init` is the first process of a process namespace: it prints its outer process id and reaps zombies.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it reports to its starter on standard output"
)]

use std::{
    env, fs,
    fs::File,
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
};

use marquee_tests::{
    Outcome,
    cluster::{cgroup, state},
};
use rustix::process::{Pid, Signal, WaitOptions, kill_process};

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("reaper: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Outcome<ExitCode> {
    let (mut folder, mut control_group, mut command) = (None, None, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--init" => return init(),
            "--state" => folder = arguments.next().map(PathBuf::from),
            "--cgroup" => control_group = arguments.next(),
            "--" => command = arguments.by_ref().collect(),
            other => return Err(format!("{other} is not an option of reaper").into()),
        }
    }
    let lock = folder.as_deref().map(state::hold).transpose()?;
    if lock.is_some() {
        say("holding")?;
    }
    let code = match command.split_first() {
        Some((program, rest)) => run_until_starter_ends(
            Command::new("setpriv").args(["--pdeathsig", "KILL", "--", program]).args(rest),
        )?,
        None => {
            wait_for_starter_to_end();
            ExitCode::SUCCESS
        }
    };
    clear(folder.as_deref(), control_group.as_deref(), lock)?;
    Ok(code)
}

/// Runs the command until it ends or the starter ends.
fn run_until_starter_ends(command: &mut Command) -> Outcome<ExitCode> {
    let mut child: Child = command.stdin(Stdio::null()).process_group(0).spawn()?;
    let pid = Pid::from_child(&child);
    thread::spawn(move || {
        wait_for_starter_to_end();
        // The command may already have ended.
        let _ = kill_process(pid, Signal::KILL);
    });
    let status = child.wait()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

fn wait_for_starter_to_end() {
    let mut ignored = [0; 64];
    while matches!(io::stdin().read(&mut ignored), Ok(1..)) {}
}

fn clear(folder: Option<&Path>, control_group: Option<&str>, lock: Option<File>) -> Outcome {
    if let Some(name) = control_group {
        cgroup::remove(name)?;
    }
    if let Some(folder) = folder {
        state::remove(folder)?;
    }
    drop(lock);
    Ok(())
}

/// Runs as process 1 of a namespace. Orphans in the namespace become its children, and the kernel kills them with it.
fn init() -> Outcome<ExitCode> {
    // The outer /proc is still mounted and has the outer process id.
    say(&fs::read_link("/proc/self")?.to_string_lossy())?;
    // One child never ends, so that wait() always blocks.
    let _idle = Command::new("sleep").arg("infinity").stdin(Stdio::null()).spawn()?;
    loop {
        rustix::process::wait(WaitOptions::empty())?;
    }
}

fn say(line: &str) -> io::Result<()> {
    println!("{line}");
    io::stdout().flush()
}
