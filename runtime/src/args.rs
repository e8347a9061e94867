//! Every flag and environment variable.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use marquee_artifacts::FetchOptions;
use marquee_crds::shared::Duration;
use marquee_models::{ScanOptions, cpu::Level};
use marquee_training::cli::{CatalogueArgs, EvaluateArgs, TrainArgs};

use crate::{
    engine::{ConfigSource, ReadyWhen},
    service::ServiceOptions,
    serving::admission::AdmissionLimits,
    telemetry::LogArgs,
    transport::TransportArgs,
};

/// What the exit codes say; they are the same for every command.
const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    problems were found (verify), or the process could not start or go on
  2    flags or a config file cannot be used
  3    data or an artifact cannot be used
  4    output cannot be written
  78   the CPU lacks what this binary was compiled for
  130  stopped by Ctrl-C";

/// Marquee's data plane: trains, evaluates and serves ranking models and pages.
#[derive(Parser, Clone, Debug)]
#[command(name = "marquee-runtime", version, after_help = EXIT_CODES, max_term_width = 120)]
pub struct Args {
    /// Logging.
    #[command(flatten)]
    pub log: LogArgs,
    /// Vector instructions of the kernels: portable, v3 (AVX2) or v4 (AVX-512). Default: the best of this machine.
    #[arg(long, env = "MARQUEE_CPU", value_name = "LEVEL", global = true)]
    pub cpu: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Serve the pages and models of a folder of manifests, in one process
    Serve(Box<ServeArgs>),
    /// Check a folder of manifests and their artifacts as `serve` would, without serving
    Verify(VerifyArgs),
    /// Print the `sha256` that pins an artifact in a manifest
    Digest(DigestArgs),
    /// Fit a model and write it as an artifact
    Train(Box<TrainArgs>),
    /// Measure algorithms or artifacts on held-out data
    Evaluate(Box<EvaluateArgs>),
    /// Write title metadata as a catalogue artifact
    Catalogue(Box<CatalogueArgs>),
    /// Print shell completions
    Completions {
        /// For which shell.
        shell: Shell,
    },
    /// Write man pages, one a command
    Man {
        /// Folder for them; without one, the main page is printed.
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// Where manifests and artifacts lie.
#[derive(ClapArgs, Clone, Debug)]
#[command(next_help_heading = "Artifacts")]
pub struct SourceArgs {
    /// Stands in for a volume that a pod would mount: `file://` uris below FROM are looked for below TO. Repeatable;
    /// several are separated by commas.
    #[arg(long = "volume", env = "MARQUEE_VOLUMES", value_name = "FROM=TO", value_parser = volume, value_delimiter = ',')]
    pub volumes: Vec<(PathBuf, PathBuf)>,
    /// Folder for artifacts that come from elsewhere. Default: `marquee/artifacts` in the user's cache folder.
    #[arg(long, env = "MARQUEE_ARTIFACT_CACHE", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache: Option<PathBuf>,
    /// Bytes that the cache may hold; what is not in use goes first, least recently used first. Units: K, M, G, T.
    #[arg(long, env = "MARQUEE_ARTIFACT_CACHE_SIZE", default_value = "64G", value_name = "BYTES", value_parser = bytes)]
    pub cache_size: u64,
    /// Bytes that one artifact may have, as its manifest declares them.
    #[arg(long, env = "MARQUEE_MAX_ARTIFACT", default_value = "16G", value_name = "BYTES", value_parser = bytes)]
    pub max_artifact: u64,
    /// Folder of Secrets: for an artifact with `credentials`, each file of DIR/<secretName>/ is a setting of its store,
    /// such as AWS_ACCESS_KEY_ID. Read anew at each load.
    #[arg(long, env = "MARQUEE_CREDENTIALS", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub credentials: Option<PathBuf>,
}

/// What is served: manifests, or a pod's configuration.
#[derive(ClapArgs, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct WhatArgs {
    /// Folder (or file) of RankingModel and PageLayout manifests. Watched: a change is served without a restart.
    #[arg(long, env = "MARQUEE_MANIFESTS", value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub manifests: Option<PathBuf>,
    /// Configuration of one pod in JSON, as the operator mounts it; instead of manifests.
    #[arg(long, env = "MARQUEE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// Flags of `serve`.
#[derive(ClapArgs, Clone, Debug)]
pub struct ServeArgs {
    /// What is served.
    #[command(flatten)]
    pub what: WhatArgs,
    /// Artifacts.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Listeners.
    #[command(flatten)]
    pub transport: TransportArgs,
    /// Load.
    #[command(flatten)]
    pub load: LoadArgs,
    /// When `/readyz` first says yes: once all models and pages are served, or any. It then stays yes until the end: a bad
    /// change leaves the old serving.
    #[arg(long, env = "MARQUEE_READY_WHEN", value_enum, default_value = "all", help_heading = "Reload")]
    pub ready_when: ReadyWhen,
    /// File for the reason, in JSON, why the process cannot serve: it then ends when its first load fails, and a store that
    /// does not answer is given up on within seconds. A pod has it at /dev/termination-log.
    #[arg(long, env = "MARQUEE_TERMINATION_LOG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub termination_log: Option<PathBuf>,
    /// Traffic plan in JSON: which processes answer for which objective, and with which share of viewers. For pages whose
    /// models are in other processes, without a cluster. Watched.
    #[arg(long, env = "MARQUEE_TRAFFIC_PLAN", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub traffic_plan: Option<PathBuf>,
    /// How often manifests and unpinned `file://` artifacts are looked at, besides being told by the system.
    #[arg(
        long,
        env = "MARQUEE_POLL",
        default_value = "1s",
        value_name = "DURATION",
        help_heading = "Reload"
    )]
    pub poll: Duration,
}

/// How much is taken on.
#[derive(ClapArgs, Clone, Debug)]
#[command(next_help_heading = "Load")]
pub struct LoadArgs {
    /// Threads that answer requests. Default: one a core.
    #[arg(long, env = "MARQUEE_THREADS", value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Requests at work at once. Pages may take all places, top-k requests 9/10, scores 8/10.
    #[arg(long, env = "MARQUEE_MAX_IN_FLIGHT", default_value = "256", value_name = "N")]
    pub max_in_flight: NonZeroUsize,
    /// Requests that wait for a place; beyond, the least important is answered 429 / RESOURCE_EXHAUSTED.
    #[arg(long, env = "MARQUEE_MAX_WAITING", default_value_t = 1024, value_name = "N")]
    pub max_waiting: usize,
    /// Forward passes over half a millisecond that run at once, all models together. Default: one a core.
    #[arg(long, env = "MARQUEE_HEAVY_PASSES", value_name = "N")]
    pub heavy_passes: Option<NonZeroUsize>,
    /// Keep an 8-bit copy of large factor tables: top-k scans are several times faster, for a quarter more memory. The
    /// answers are the same.
    #[arg(long, env = "MARQUEE_QUANTIZED_SCAN")]
    pub quantized_scan: bool,
}

/// Flags of `verify`.
#[derive(ClapArgs, Clone, Debug)]
pub struct VerifyArgs {
    /// Folder (or file) of RankingModel and PageLayout manifests.
    #[arg(long, env = "MARQUEE_MANIFESTS", value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub manifests: PathBuf,
    /// Check the manifests only: fetch and open no artifact.
    #[arg(long)]
    pub manifests_only: bool,
    /// Artifacts.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Flags of `digest`.
#[derive(ClapArgs, Clone, Debug)]
pub struct DigestArgs {
    /// Where the artifact lies: a `file://`, `s3://`, `gs://`, `az://` or `https://` uri, or a folder.
    pub uri: String,
    /// Artifacts.
    #[command(flatten)]
    pub source: SourceArgs,
}

impl WhatArgs {
    /// As the engine takes it; none for neither, which the parser refuses.
    pub fn source(&self) -> Option<ConfigSource> {
        let manifests = self.manifests.clone().map(ConfigSource::Manifests);
        manifests.or_else(|| self.config.clone().map(ConfigSource::Config))
    }
}

impl SourceArgs {
    /// As the fetcher takes them.
    pub fn options(&self) -> FetchOptions {
        let mut options = FetchOptions::new(self.cache.clone().unwrap_or_else(user_cache));
        options.max_cache_bytes = self.cache_size;
        options.max_artifact_bytes = self.max_artifact;
        options.volumes.clone_from(&self.volumes);
        options
    }
}

impl LoadArgs {
    /// As the service takes them.
    pub fn options(&self) -> ServiceOptions {
        let default = ServiceOptions::default();
        ServiceOptions {
            admission: AdmissionLimits {
                max_in_flight: self.max_in_flight.get(),
                max_waiting: self.max_waiting,
            },
            heavy_passes: self.heavy_passes.unwrap_or(default.heavy_passes),
        }
    }

    /// As models take them.
    pub fn scan(&self, level: Level) -> ScanOptions {
        ScanOptions { level, quantized: self.quantized_scan }
    }
}

fn user_cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    home.unwrap_or_else(std::env::temp_dir).join("marquee").join("artifacts")
}

fn volume(text: &str) -> Result<(PathBuf, PathBuf), String> {
    let (from, to) = text.split_once('=').ok_or("write FROM=TO, such as /artifacts=./artifacts")?;
    if !from.starts_with('/') {
        return Err(format!("{from:?} is no path of a pod: it begins with /"));
    }
    let to = std::path::absolute(to).map_err(|error| format!("{to:?} cannot be resolved: {error}"))?;
    Ok((from.into(), to))
}

fn bytes(text: &str) -> Result<u64, String> {
    let unit = text.chars().last().filter(char::is_ascii_alphabetic);
    let power = match unit.map(|unit| unit.to_ascii_uppercase()) {
        None => 0,
        Some('K') => 1,
        Some('M') => 2,
        Some('G') => 3,
        Some('T') => 4,
        Some(other) => return Err(format!("{other:?} is no unit: write K, M, G or T")),
    };
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 =
        number.parse().map_err(|_| format!("{text:?} is no number of bytes: write one such as 512M"))?;
    number
        .checked_shl(10 * power)
        .filter(|shifted| shifted >> (10 * power) == number)
        .ok_or_else(|| format!("{text:?} is too large"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_flag_is_explained() {
        fn check(command: &clap::Command) {
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                assert!(arg.get_help().is_some(), "{}: {} has no help", command.get_name(), arg.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Args::command());
    }

    #[test]
    fn sizes_and_volumes_are_read_or_refused_with_the_mend() {
        #[rustfmt::skip]
        let sizes = [
            ("plain bytes", "1024", Ok(1024)),
            ("a unit",      "512M", Ok(512 << 20)),
            ("lower case",  "2g",   Ok(2 << 30)),
            ("no unit",     "1X",   Err("'X' is no unit: write K, M, G or T".to_owned())),
            ("no number",   "G",    Err("\"G\" is no number of bytes: write one such as 512M".to_owned())),
            ("too large",   "99999999999T", Err("\"99999999999T\" is too large".to_owned())),
        ];
        for (why, text, expected) in sizes {
            assert_eq!(bytes(text), expected, "{why}");
        }
        assert_eq!(volume("/artifacts=/srv/a"), Ok(("/artifacts".into(), "/srv/a".into())));
        assert!(volume("/artifacts").is_err() && volume("artifacts=/srv").is_err());
    }
}
