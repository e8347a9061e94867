//! The runtime's binary, as a user runs it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::{Outcome, http_client, wait};

/// Path of `marquee-runtime`: in the folder above the running test.
pub fn binary() -> Outcome<PathBuf> {
    let test = std::env::current_exe()?;
    let found = test
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join("marquee-runtime"))
        .find(|file| file.is_file());
    found.ok_or_else(|| "marquee-runtime is not built: run `cargo build --release -p marquee-runtime`".into())
}

/// Runs a command of the binary to its end. Returns its output, or an error that contains it.
pub async fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Outcome<String> {
    let mut command = Command::new(binary()?);
    let done = command.args(args).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let output = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    if done.status.success() {
        Ok(output)
    } else {
        Err(format!("{:?} {}: {output}", command.as_std(), done.status).into())
    }
}

/// A serving process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Runtime {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    /// `http://127.0.0.1:PORT`.
    pub http: String,
    /// `127.0.0.1:PORT` of gRPC; empty until the start screen shows it.
    pub grpc: String,
}

impl Runtime {
    /// Serves the manifests of a folder, with `/artifacts` mapped to another folder. Returns when the process is ready.
    pub async fn serve(manifests: &Path, artifacts: &Path, more: &[&str]) -> Outcome<Self> {
        let manifests = manifests.display().to_string();
        Self::start(artifacts, &[&["--manifests", &manifests], more].concat()).await
    }

    /// Serves with these `args`, with `/artifacts` mapped to a folder. Returns when the process is ready.
    pub async fn start(artifacts: &Path, args: &[&str]) -> Outcome<Self> {
        Self::start_with(artifacts, args, &[]).await
    }

    /// The same, with this environment.
    pub async fn start_with(artifacts: &Path, args: &[&str], environment: &[(&str, &str)]) -> Outcome<Self> {
        let volume = format!("/artifacts={}", artifacts.display());
        let mut command = Command::new(binary()?);
        command
            .args(["serve", "--volume", &volume, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"])
            .args(args);
        command.envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let output = Arc::new(Mutex::new(Vec::new()));
        listen(child.stdout.take(), &output);
        listen(child.stderr.take(), &output);
        let ports = wait::until("the runtime to print its addresses", async || {
            if let Some(status) = child.try_wait()? {
                return Err(format!("the runtime ended with {status}:\n{}", joined(&output)).into());
            }
            let output = joined(&output);
            Ok(address(&output, "http://127.0.0.1:").zip(address(&output, "gRPC      127.0.0.1:")))
        })
        .await?;
        let (http, grpc) = (format!("http://127.0.0.1:{}", ports.0), format!("127.0.0.1:{}", ports.1));
        let runtime = Self { child, output, http, grpc };
        runtime.ready().await?;
        Ok(runtime)
    }

    async fn ready(&self) -> Outcome {
        let client = http_client()?;
        let url = format!("{}/readyz", self.http);
        let ready = wait::until("the runtime to be ready", async || {
            let answered = client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success());
            Ok(answered.then_some(()))
        });
        ready.await.map_err(|late| format!("{late}; its output:\n{}", self.output()).into())
    }

    /// Its output so far, line by line.
    pub fn output(&self) -> String {
        joined(&self.output)
    }

    /// Sends SIGTERM, as a kubelet does, and waits for the process. Returns its exit status.
    pub async fn terminate(&mut self) -> Outcome<std::process::ExitStatus> {
        let pid = self.child.id().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()));
        rustix::process::kill_process(pid.ok_or("the process is gone")?, rustix::process::Signal::TERM)?;
        Ok(self.child.wait().await?)
    }

    /// Ends the process and waits for it.
    pub async fn stop(mut self) -> Outcome {
        Ok(self.child.kill().await?)
    }
}

/// The first port after `start` on the start screen.
fn address(output: &str, start: &str) -> Option<String> {
    let rest = &output[output.find(start)? + start.len()..];
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // A line in progress may contain half a port: more text must follow.
    (!port.is_empty() && port.len() < rest.len()).then_some(port)
}

fn listen(from: Option<impl AsyncRead + Unpin + Send + 'static>, output: &Arc<Mutex<Vec<String>>>) {
    let Some(from) = from else { return };
    let output = output.clone();
    tokio::spawn(async move {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Ok(mut output) = output.lock() {
                output.push(line + "\n");
            }
        }
    });
}

fn joined(output: &Mutex<Vec<String>>) -> String {
    output.lock().map(|output| output.concat()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_taken_once_it_is_whole() {
        let address = |output| address(output, "http://127.0.0.1:");
        assert_eq!(address("http  http://127.0.0.1:41873/preview/\n").as_deref(), Some("41873"));
        assert_eq!(address("http  http://127.0.0.1:418"), None, "the rest may follow");
        assert_eq!(address("nothing yet"), None);
    }
}
