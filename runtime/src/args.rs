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

/// The exit codes, which are the same for all commands.
const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    problems were found (verify), or the process cannot start or continue
  2    flags or a config file cannot be used
  3    data or an artifact cannot be used
  4    output cannot be written
  78   the CPU lacks features that this binary needs
  130  stopped by Ctrl-C";

/// Marquee's data plane: trains, evaluates and serves ranking models and pages.
#[derive(Parser, Clone, Debug)]
#[command(name = "marquee-runtime", version, after_help = EXIT_CODES, max_term_width = 120)]
pub struct Args {
    /// Logging.
    #[command(flatten)]
    pub log: LogArgs,
    /// Vector instructions of the kernels: portable, v3 (AVX2) or v4 (AVX-512). Default: the best that this machine supports.
    #[arg(long, env = "MARQUEE_CPU", value_name = "LEVEL", global = true)]
    pub cpu: Option<String>,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Serve the models and pages in a folder of manifests, in one process
    Serve(Box<ServeArgs>),
    /// Check manifests and their artifacts like `serve`, without serving
    Verify(VerifyArgs),
    /// Print the `sha256` that pins an artifact in a manifest
    Digest(DigestArgs),
    /// Train a model and write it as an artifact
    Train(Box<TrainArgs>),
    /// Measure algorithms or artifacts on held-out data
    Evaluate(Box<EvaluateArgs>),
    /// Write title metadata as a catalogue artifact
    Catalogue(Box<CatalogueArgs>),
    /// Print shell completions
    Completions {
        /// Shell to complete for.
        shell: Shell,
    },
    /// Write one man page for each command
    Man {
        /// Folder for the man pages. Without it, the main page is printed.
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// Sources of artifacts.
#[derive(ClapArgs, Clone, Debug)]
#[command(next_help_heading = "Artifacts")]
pub struct SourceArgs {
    /// Replace a volume that a pod would mount: `file://` uris below FROM are read below TO. Repeatable, or separated by
    /// commas.
    #[arg(long = "volume", env = "MARQUEE_VOLUMES", value_name = "FROM=TO", value_parser = volume, value_delimiter = ',')]
    pub volumes: Vec<(PathBuf, PathBuf)>,
    /// Cache folder for artifacts from remote stores. Default: `marquee/artifacts` in the user's cache folder.
    #[arg(long, env = "MARQUEE_ARTIFACT_CACHE", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache: Option<PathBuf>,
    /// Size limit of the cache in bytes. Unused artifacts are removed, least recently used first. Units: K, M, G, T.
    #[arg(long, env = "MARQUEE_ARTIFACT_CACHE_SIZE", default_value = "64G", value_name = "BYTES", value_parser = bytes)]
    pub cache_size: u64,
    /// Size limit of one artifact in bytes, as its manifest declares them. Units: K, M, G, T.
    #[arg(long, env = "MARQUEE_MAX_ARTIFACT", default_value = "16G", value_name = "BYTES", value_parser = bytes)]
    pub max_artifact: u64,
    /// Folder of Secrets: for an artifact with `credentials`, each file of DIR/<secretName>/ is a setting of its store,
    /// such as AWS_ACCESS_KEY_ID, and ca.crt has certificates of authorities. Each load reads the files again.
    #[arg(long, env = "MARQUEE_CREDENTIALS", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub credentials: Option<PathBuf>,
}

/// The source of the configuration: manifests or a pod configuration.
#[derive(ClapArgs, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct WhatArgs {
    /// Folder (or file) of RankingModel and PageLayout manifests. Changes are served without a restart.
    #[arg(long, env = "MARQUEE_MANIFESTS", value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub manifests: Option<PathBuf>,
    /// Pod configuration in JSON, as the operator mounts it. Replaces --manifests.
    #[arg(long, env = "MARQUEE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// Flags of `serve`.
#[derive(ClapArgs, Clone, Debug)]
pub struct ServeArgs {
    /// Source of the configuration.
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
    /// When `/readyz` first reports ready: when all models and pages are served, or any of them. It stays ready after that,
    /// because a bad change leaves the previous models and pages serving.
    #[arg(long, env = "MARQUEE_READY_WHEN", value_enum, default_value = "all", help_heading = "Reload")]
    pub ready_when: ReadyWhen,
    /// File for the reason in JSON if the process cannot serve. With this flag, the process exits if its first load fails, and
    /// waits only seconds for a store that does not respond. A pod uses /dev/termination-log.
    #[arg(long, env = "MARQUEE_TERMINATION_LOG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub termination_log: Option<PathBuf>,
    /// Traffic plan in JSON: the processes that answer for each objective, and their shares of viewers. For pages whose models
    /// run in other processes without a cluster. Changes are applied without a restart.
    #[arg(long, env = "MARQUEE_TRAFFIC_PLAN", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub traffic_plan: Option<PathBuf>,
    /// Interval at which manifests and unpinned `file://` artifacts are polled, in addition to file change notifications.
    #[arg(
        long,
        env = "MARQUEE_POLL",
        default_value = "1s",
        value_name = "DURATION",
        help_heading = "Reload"
    )]
    pub poll: Duration,
}

/// Limits of load.
#[derive(ClapArgs, Clone, Debug)]
#[command(next_help_heading = "Load")]
pub struct LoadArgs {
    /// Threads that answer requests. Default: one for each core.
    #[arg(long, env = "MARQUEE_THREADS", value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Most requests in flight. Pages may take all places, top-k requests 9/10, and scores 8/10.
    #[arg(long, env = "MARQUEE_MAX_IN_FLIGHT", default_value = "256", value_name = "N")]
    pub max_in_flight: NonZeroUsize,
    /// Most requests that wait for a place. Beyond it, the least important request gets 429 / RESOURCE_EXHAUSTED.
    #[arg(long, env = "MARQUEE_MAX_WAITING", default_value_t = 1024, value_name = "N")]
    pub max_waiting: usize,
    /// Forward passes longer than half a millisecond that run at once in all models. Default: one for each core.
    #[arg(long, env = "MARQUEE_HEAVY_PASSES", value_name = "N")]
    pub heavy_passes: Option<NonZeroUsize>,
    /// Keep an 8-bit copy of large factor tables. Top-k scans become several times faster and need a quarter more memory. The
    /// answers stay the same.
    #[arg(long, env = "MARQUEE_QUANTIZED_SCAN")]
    pub quantized_scan: bool,
}

/// Flags of `verify`.
#[derive(ClapArgs, Clone, Debug)]
pub struct VerifyArgs {
    /// Folder (or file) of RankingModel and PageLayout manifests.
    #[arg(long, env = "MARQUEE_MANIFESTS", value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub manifests: PathBuf,
    /// Check only the manifests, without fetching or opening artifacts.
    #[arg(long)]
    pub manifests_only: bool,
    /// Artifacts.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Flags of `digest`.
#[derive(ClapArgs, Clone, Debug)]
pub struct DigestArgs {
    /// Location of the artifact: a `file://`, `s3://`, `gs://`, `az://` or `https://` uri, or a folder.
    pub uri: String,
    /// Artifacts.
    #[command(flatten)]
    pub source: SourceArgs,
}

impl WhatArgs {
    /// The source for the engine. `None` if no flag is set, which the parser refuses.
    pub fn source(&self) -> Option<ConfigSource> {
        let manifests = self.manifests.clone().map(ConfigSource::Manifests);
        manifests.or_else(|| self.config.clone().map(ConfigSource::Config))
    }
}

impl SourceArgs {
    /// The options for the fetcher.
    pub fn options(&self) -> FetchOptions {
        let mut options = FetchOptions::new(self.cache.clone().unwrap_or_else(user_cache));
        options.max_cache_bytes = self.cache_size;
        options.max_artifact_bytes = self.max_artifact;
        options.volumes.clone_from(&self.volumes);
        options
    }
}

impl LoadArgs {
    /// The options for the service.
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

    /// The scan options for models.
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
        return Err(format!("{from:?} is not a path in a pod: begin it with /"));
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
        Some(other) => return Err(format!("{other:?} is not a unit: write K, M, G or T")),
    };
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = number
        .parse()
        .map_err(|_| format!("{text:?} is not a number of bytes: write a number such as 512M"))?;
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
    fn sizes_and_volumes_are_parsed_or_refused_with_advice() {
        #[rustfmt::skip]
        let sizes = [
            ("plain bytes", "1024", Ok(1024)),
            ("a unit",      "512M", Ok(512 << 20)),
            ("lower case",  "2g",   Ok(2 << 30)),
            ("no unit",     "1X",   Err("'X' is not a unit: write K, M, G or T".to_owned())),
            ("no number",   "G",    Err("\"G\" is not a number of bytes: write a number such as 512M".to_owned())),
            ("too large",   "99999999999T", Err("\"99999999999T\" is too large".to_owned())),
        ];
        for (why, text, expected) in sizes {
            assert_eq!(bytes(text), expected, "{why}");
        }
        assert_eq!(volume("/artifacts=/srv/a"), Ok(("/artifacts".into(), "/srv/a".into())));
        assert!(volume("/artifacts").is_err() && volume("artifacts=/srv").is_err());
    }
}
