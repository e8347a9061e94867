//! Folder and namespaces of a fixture, and the start and end of its processes.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use crate::{
    Outcome,
    cluster::{namespaces, state, tools},
    wait,
};

/// Folder of a fixture, with optional namespaces. All its processes end when this is dropped, and when the process that holds it ends for
/// any reason.
#[derive(Debug)]
pub struct Place {
    /// Folder for keys, logs and volumes.
    pub folder: PathBuf,
    /// Process 1 of the namespaces, by its id outside of them.
    namespaces: Option<u32>,
    keeper: Process,
}

impl Place {
    /// A folder without namespaces: processes run in those of the machine.
    pub fn on_the_machine() -> Outcome<Self> {
        Self::start(&state::unique_name(), &[])
    }

    /// A folder, a cgroup with the same name, and process, mount and network namespaces.
    pub fn in_namespaces(name: &str) -> Outcome<Self> {
        let init = tools::sibling("reaper")?.display().to_string();
        let unshare = "unshare --pid --mount --net --fork --kill-child=SIGKILL";
        let mut args = vec!["--cgroup", name, "--"];
        args.extend(unshare.split(' '));
        args.extend([init.as_str(), "--init"]);
        let place = Self::start(name, &args)?;
        namespaces::furnish(&place)?;
        Ok(place)
    }

    fn start(name: &str, args: &[&str]) -> Outcome<Self> {
        state::sweep()?;
        let folder = state::root()?.join(name);
        let mut reaper = Command::new(tools::sibling("reaper")?);
        reaper.arg("--state").arg(&folder).args(args).stdout(Stdio::piped());
        let mut keeper = Process::start("keeper", reaper)?;
        let output = keeper.child.stdout.take().ok_or("the keeper has no output")?;
        let mut lines = BufReader::new(output).lines();
        lines.next().ok_or("the keeper ended at once")??;
        let namespaces = match args {
            [] => None,
            _ => Some(
                lines
                    .next()
                    .ok_or("the namespaces ended at once: check that this machine permits namespaces")??
                    .parse()?,
            ),
        };
        fs::create_dir_all(folder.join("log"))?;
        Ok(Self { folder, namespaces, keeper })
    }

    /// Path of a file or folder in the fixture's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Id of process 1 of the namespaces, outside of them.
    pub fn init(&self) -> Outcome<u32> {
        self.namespaces.ok_or_else(|| "this fixture has no namespaces of its own".into())
    }

    /// A command that runs in the fixture's namespaces.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let Some(init) = self.namespaces else { return Command::new(program) };
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(init.to_string()).args(["--pid", "--mount", "--net", "--"]).arg(program);
        command
    }

    /// Starts a process of the fixture and redirects its output to `log/NAME.log`.
    pub fn spawn<S: AsRef<OsStr>>(
        &self,
        name: &str,
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Outcome<Process> {
        let log = File::options().create(true).append(true).open(self.log(name))?;
        let mut command = self.command(tools::sibling("reaper")?);
        command.arg("--").arg(program).args(args).stdout(log.try_clone()?).stderr(log);
        Process::start(name, command)
    }

    /// Path of a process's log.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path(&format!("log/{name}.log"))
    }

    /// The last lines of every log, for the error message of a failed start.
    pub fn log_tails(&self) -> String {
        const LINES: usize = 5;
        let Ok(logs) = fs::read_dir(self.path("log")) else { return String::new() };
        let mut tails = String::new();
        for log in logs.filter_map(|entry| Some(entry.ok()?.path())) {
            let text = fs::read(&log).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<_> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(LINES)..].join("\n");
            tails += &format!("--- {}\n{tail}\n", log.file_name().unwrap_or_default().to_string_lossy());
        }
        tails
    }

    /// Ends all processes and waits for their end. Fails if something is left.
    pub fn clear(mut self) -> Outcome {
        let network = self.namespaces.map(namespaces::network).transpose()?;
        self.keeper.kill()?;
        // The keeper waits only for its own child. Process 1 of the namespaces, and processes that entered them, end a moment later.
        if let Some(network) = network {
            wait::retry(|| match namespaces::members(&network)?.as_slice() {
                [] => Ok::<_, Box<dyn std::error::Error + Send + Sync>>(()),
                left => Err(format!(
                    "these processes are still in the network of {}: {left:?}",
                    self.folder.display()
                )
                .into()),
            })?;
        }
        if self.folder.exists() {
            Err(format!("cannot remove {}", self.folder.display()).into())
        } else {
            Ok(())
        }
    }
}

/// A process that a reaper watches. Dropping this kills the process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    reaper: Option<ChildStdin>,
}

impl Process {
    fn start(name: &str, mut command: Command) -> Outcome<Self> {
        // In its own process group, so that Ctrl-C in the terminal ends only the test, and the reaper then cleans up.
        let spawned = command.stdin(Stdio::piped()).process_group(0).spawn();
        let mut child = spawned.map_err(|error| format!("{name}: {error}"))?;
        let reaper = child.stdin.take();
        Ok(Self { name: name.into(), child, reaper })
    }

    /// Kills the process and waits for its end.
    pub fn kill(&mut self) -> Outcome {
        self.reaper = None;
        self.child.wait()?;
        Ok(())
    }

    /// Fails if the process has ended by itself.
    pub fn expect_alive(&mut self) -> Outcome {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("{} ended with {status}", self.name).into()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A failure cannot be reported here. The reaper cleans up in any case.
        let _ = self.kill();
    }
}
