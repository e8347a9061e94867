//! Shell completions and man pages.

use std::{fs, io::Write, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::CommandError;
use crate::args::Args;

pub(super) fn completions(shell: Shell, out: &mut dyn Write) -> Result<(), CommandError> {
    let mut command = Args::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "marquee-runtime", &mut script);
    Ok(out.write_all(&script)?)
}

pub(super) fn man(dir: Option<&Path>, out: &mut dyn Write) -> Result<(), CommandError> {
    let mut command = Args::command();
    command.build();
    let Some(dir) = dir else { return Ok(Man::new(command).render(&mut *out)?) };
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(command, dir)?;
    let mut pages: Vec<_> = fs::read_dir(dir)?.flatten().map(|entry| entry.path()).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "1"));
    pages.sort();
    for page in pages {
        writeln!(out, "{}", page.display())?;
    }
    Ok(())
}
