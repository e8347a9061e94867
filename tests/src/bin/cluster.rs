//! A whole cluster for interactive use: `cluster FOLDER` starts one and writes `FOLDER/kubectl`, `FOLDER/enter` and
//! `FOLDER/pid`. It ends on Ctrl-C or SIGTERM and removes the cluster, even if it is killed.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own: its output is its result"
)]

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::ExitCode};

use marquee_tests::{
    Outcome,
    cluster::{Cluster, Options, tools},
};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: cluster FOLDER");
        return ExitCode::FAILURE;
    };
    match run(Path::new(&folder)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(folder: &Path) -> Outcome {
    if let Some(why) = tools::hindrance() {
        return Err(why.into());
    }
    let mut asked_to_end = signal(SignalKind::terminate())?;
    fs::create_dir_all(folder)?;
    let cluster = Cluster::start(Options::default()).await?;
    fs::write(folder.join("pid"), std::process::id().to_string())?;
    let enter = format!(
        "#!/bin/sh\n# Runs a command where the cluster's addresses are, as its administrator.\n\
         # Its cache is the cluster's own: every cluster has the same address, and other kinds.\n\
         export KUBECONFIG={} KUBECACHEDIR={}\nexec nsenter --target {} --net -- \"$@\"\n",
        cluster.api.kubeconfig().display(),
        cluster.folder().join("kubectl-cache").display(),
        cluster.init()?,
    );
    script(&folder.join("enter"), &enter)?;
    let here = fs::canonicalize(folder)?;
    for name in ["kubectl", "helm"] {
        let call =
            format!("#!/bin/sh\nexec {}/enter {} \"$@\"\n", here.display(), tools::program(name)?.display());
        script(&folder.join(name), &call)?;
    }
    println!("ready: {}", cluster.folder().display());
    tokio::select! {
        _ = asked_to_end.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    for name in ["pid", "enter", "kubectl", "helm"] {
        fs::remove_file(folder.join(name))?;
    }
    cluster.clear()
}

fn script(file: &Path, text: &str) -> Outcome {
    fs::write(file, text)?;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}
