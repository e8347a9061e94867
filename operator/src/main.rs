//! Marquee's control plane. For now it only says what to use instead.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;
use marquee_operator::args;

/// What is told to who starts the operator.
const REFUSAL: &str =
    "marquee-operator: does not reconcile anything yet: no pod, service or status would come of it
  to serve the same manifests, run: marquee-runtime serve --manifests DIR
  to check them, run:               marquee-runtime verify --manifests DIR
  to install the kinds, run:        kubectl apply -f crds/manifests/";

/// Exit code: what was asked for cannot be done.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    let args::Args {} = args::Args::parse();
    // Where stderr is closed there is nobody to tell; the exit code says it as well.
    let _ = writeln!(io::stderr(), "{REFUSAL}");
    ExitCode::from(REFUSED)
}
