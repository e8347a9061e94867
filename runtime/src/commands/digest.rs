//! Prints the checksum that pins an artifact.

use std::io::Write;

use marquee_artifacts::Fetcher;

use super::{CommandError, runtime};
use crate::args::DigestArgs;

pub(super) fn digest(args: &DigestArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let uri = uri_of(&args.uri)?;
    let fetcher = Fetcher::new(args.source.options());
    let digest = runtime()?.block_on(fetcher.digest(&uri));
    let digest = digest.map_err(|source| CommandError::Artifact { uri, source: Box::new(source) })?;
    Ok(writeln!(out, "sha256: {digest}")?)
}

/// The uri that `text` is, or of the folder that `text` names.
fn uri_of(text: &str) -> Result<String, CommandError> {
    if text.contains("://") {
        return Ok(text.to_owned());
    }
    Ok(format!("file://{}", std::path::absolute(text)?.display()))
}
