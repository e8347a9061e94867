//! Runs a command for as long as whoever started it lives, and clears away behind it, however it ended.
//!
//! `leash [--state FOLDER] [--cgroup NAME] [-- COMMAND...]`. The starter holds the other end of standard input: when that
//! closes, by intent or because the starter was killed, the command is killed, then the cgroup and the folder are removed.
//! Should the leash itself be killed, the kernel kills the command, and the next start sweeps the folder, whose lock is
//! then free. `leash --init` is the first process of a process namespace: it says its outer number and buries the dead.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is how it talks to its starter")]

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
            eprintln!("leash: {error}");
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
            other => return Err(format!("{other} is not an option of leash").into()),
        }
    }
    let lock = folder.as_deref().map(state::hold).transpose()?;
    if lock.is_some() {
        say("holding")?;
    }
    let code = match command.split_first() {
        Some((program, rest)) => {
            led(Command::new("setpriv").args(["--pdeathsig", "KILL", "--", program]).args(rest))?
        }
        None => {
            until_the_starter_is_gone();
            ExitCode::SUCCESS
        }
    };
    clear(folder.as_deref(), control_group.as_deref(), lock)?;
    Ok(code)
}

/// Runs the command to its end or the starter's, whichever comes first.
fn led(command: &mut Command) -> Outcome<ExitCode> {
    let mut child: Child = command.stdin(Stdio::null()).process_group(0).spawn()?;
    let pid = Pid::from_child(&child);
    thread::spawn(move || {
        until_the_starter_is_gone();
        // It may have ended by itself just now: then there is nothing left to kill.
        let _ = kill_process(pid, Signal::KILL);
    });
    let status = child.wait()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

fn until_the_starter_is_gone() {
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

/// Process 1 of a namespace. Whatever loses its parent in there becomes its child; when it is killed, so are all.
fn init() -> Outcome<ExitCode> {
    // The outer /proc is still mounted, and knows this process by its outer number.
    say(&fs::read_link("/proc/self")?.to_string_lossy())?;
    // One child that never ends: so that waiting always waits.
    let _idle = Command::new("sleep").arg("infinity").stdin(Stdio::null()).spawn()?;
    loop {
        rustix::process::wait(WaitOptions::empty())?;
    }
}

fn say(line: &str) -> io::Result<()> {
    println!("{line}");
    io::stdout().flush()
}
