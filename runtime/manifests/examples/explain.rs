//! Prints what is wrong with the manifests of a folder: `cargo run --example explain DIR`.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: explain DIR");
        return ExitCode::from(2);
    };
    match marquee_manifests::load(Path::new(&path)) {
        Ok(loaded) => {
            println!(
                "{} models, {} layouts of {} files",
                loaded.models.len(),
                loaded.layouts.len(),
                loaded.files.len()
            );
            loaded.warnings.iter().for_each(|warning| println!("warning: {warning}"));
            loaded.notes.iter().for_each(|note| println!("note: {note}"));
            ExitCode::SUCCESS
        }
        Err(errors) => {
            errors.iter().for_each(|error| println!("{error}"));
            ExitCode::FAILURE
        }
    }
}
