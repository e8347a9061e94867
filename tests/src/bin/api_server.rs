//! An API server for `make bench`: `api_server USER...` starts one with an audit log. It prints one line of JSON with its URL
//! and the path of each user's kubeconfig, and ends when standard input closes. It removes its files even if it is killed.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own: its output is its result"
)]

use std::{env, io, process::ExitCode};

use marquee_tests::{
    Outcome,
    cluster::{ApiServer, Options},
};
use serde_json::json;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run(env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("api_server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(users: Vec<String>) -> Outcome {
    let api = ApiServer::start_with(Options { audit: true, ..Options::default() }).await?;
    // Users have all rights; the audit log distinguishes them by name.
    let known = users.iter().map(|user| Ok((user.clone(), json!(api.keys.user(user, &["system:masters"])?))));
    let known: serde_json::Map<_, _> = known.collect::<Outcome<_>>()?;
    println!(
        "{}",
        json!({ "url": api.url, "admin": api.kubeconfig(), "users": known, "audit": api.audit_log() })
    );
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    api.clear()
}
