//! `marquee-runtime`: checks the CPU, reads the flags, runs the command.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use marquee_runtime::{
    args::Args,
    commands::{self, termination},
    cpu,
};

fn main() -> ExitCode {
    if let Some(missing) = cpu::missing() {
        // Nothing is left to do about an error stream that is gone, nor about a file that cannot be written.
        let _ = writeln!(io::stderr(), "error: {missing}");
        let _ = termination::cpu_unsupported(std::env::args_os(), termination::variable(), &missing);
        return ExitCode::from(cpu::EXIT_CODE);
    }
    commands::run(Args::parse(), &mut io::stdout(), &mut io::stderr())
}
