//! Checks everything that `serve` checks, without serving.

use std::sync::Arc;

use marquee_manifests::Loaded as Manifests;
use marquee_models::{ScanOptions, cpu::Level};

use super::{CommandError, Streams, runtime};
use crate::{
    args::VerifyArgs,
    engine::{ConfigSource, Engine, EngineOptions, ReadyWhen},
    service::{ResourceStatus, Service, Unobserved},
};

pub(super) fn verify(args: &VerifyArgs, level: Level, streams: Streams<'_>) -> Result<(), CommandError> {
    let Streams { out, err } = streams;
    let manifests = marquee_manifests::load(&args.manifests);
    let manifests = match manifests {
        Ok(manifests) => manifests,
        Err(problems) => {
            for problem in &problems {
                writeln!(err, "{problem}")?;
            }
            return Err(CommandError::Manifests(problems));
        }
    };
    for warning in &manifests.warnings {
        writeln!(err, "{warning}")?;
    }
    for note in &manifests.notes {
        writeln!(out, "note: {note}")?;
    }
    let mut n_problems = manifests.warnings.len();
    if !args.manifests_only {
        n_problems += artifacts(args, level, Streams { out: &mut *out, err })?;
    }
    if n_problems > 0 {
        return Err(CommandError::Problems(n_problems));
    }
    Ok(writeln!(out, "{}", summary(&manifests, args.manifests_only))?)
}

/// Loads the artifacts of the manifests as `serve` does; returns the number of problems.
fn artifacts(args: &VerifyArgs, level: Level, mut streams: Streams<'_>) -> Result<usize, CommandError> {
    let options = EngineOptions {
        source: ConfigSource::Manifests(args.manifests.clone()),
        credentials: args.source.credentials.clone(),
        fetch: args.source.options(),
        scan: ScanOptions { level, quantized: false },
        ready_when: ReadyWhen::All,
        poll: std::time::Duration::MAX,
    };
    let service = Service::new(Arc::new(Unobserved));
    let status = runtime()?.block_on(async {
        let mut engine = Engine::new(options, service.clone()).await?;
        engine.load().await;
        Ok::<_, CommandError>(service.status())
    })?;
    let mut n_problems = 0;
    for resource in status.models.iter().chain(&status.pages) {
        n_problems += print(resource, &mut streams)?;
    }
    Ok(n_problems)
}

fn print(resource: &ResourceStatus, streams: &mut Streams<'_>) -> Result<usize, CommandError> {
    let problems = resource.error.iter().chain(&resource.warnings);
    let mut n_problems = 0;
    for problem in problems {
        writeln!(streams.err, "{}: {problem}", resource.resource)?;
        n_problems += 1;
    }
    if n_problems == 0 {
        let (revision, titles) =
            (resource.artifact_digest.as_deref().unwrap_or("-"), resource.n_titles.unwrap_or(0));
        writeln!(
            streams.out,
            "{}: {} is valid: {titles} titles, sha256 {revision}",
            resource.resource, resource.uri
        )?;
    }
    Ok(n_problems)
}

fn summary(manifests: &Manifests, manifests_only: bool) -> String {
    let (models, pages, files) = (manifests.models.len(), manifests.layouts.len(), manifests.files.len());
    let artifacts = if manifests_only { "artifacts were not checked" } else { "every artifact is valid" };
    format!("{models} RankingModels and {pages} PageLayouts in {files} files: no problems, {artifacts}")
}
