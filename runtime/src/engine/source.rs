//! The source of the configuration: a folder of manifests, or a pod configuration file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use marquee_crds::pod_config::PodConfig;
use marquee_manifests::{Loaded as Manifests, ManifestError};

/// The source of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// A folder (or file) of manifests.
    Manifests(PathBuf),
    /// A `PodConfig` file in JSON, which the operator mounts into a pod.
    Config(PathBuf),
}

/// Why a pod configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system error.
        source: io::Error,
    },
    /// The file cannot be parsed as a `PodConfig`.
    #[error("cannot parse the pod configuration {}: operator and runtime versions differ; install one version of both", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parse error.
        source: serde_json::Error,
    },
    /// The configuration is empty.
    #[error("the configuration {} has neither a model nor a page", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Why the configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// All problems of the manifests.
    #[error("the manifests cannot be served: {} problems", .0.len())]
    Manifests(Vec<ManifestError>),
    /// The pod configuration cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl SourceError {
    /// Each problem, with its causes.
    pub fn problems(&self) -> Vec<String> {
        match self {
            Self::Manifests(problems) => problems.iter().map(ToString::to_string).collect(),
            Self::Config(error) => vec![marquee_crds::causes::Causes(error).to_string()],
        }
    }
}

impl ConfigSource {
    /// The folder or file to watch.
    pub fn path(&self) -> &Path {
        match self {
            Self::Manifests(path) | Self::Config(path) => path,
        }
    }

    /// Reads the configuration. `before` is the previous one, with which manifests are compared. Blocks.
    ///
    /// # Errors
    /// Fails if the configuration cannot be read or is invalid.
    pub fn read(&self, before: Option<&Manifests>) -> Result<Manifests, SourceError> {
        match (self, before) {
            (Self::Manifests(path), None) => marquee_manifests::load(path).map_err(SourceError::Manifests),
            (Self::Manifests(path), Some(before)) => {
                marquee_manifests::reload(path, before).map_err(SourceError::Manifests)
            }
            (Self::Config(path), _) => {
                let config = config(path)?;
                Ok(Manifests { config, files: vec![path.clone()], ..Manifests::default() })
            }
        }
    }
}

fn config(path: &Path) -> Result<PodConfig, ConfigError> {
    let path = || path.to_owned();
    let text = fs::read(path()).map_err(|source| ConfigError::Io { path: path(), source })?;
    let config: PodConfig =
        serde_json::from_slice(&text).map_err(|source| ConfigError::Syntax { path: path(), source })?;
    if config.rankers.is_empty() && config.pages.is_empty() {
        return Err(ConfigError::Empty { path: path() });
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_cannot_be_served_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.json");
        #[rustfmt::skip]
        let cases = [
            ("absent",         None,                            "cannot read the configuration"),
            ("not JSON",       Some("rankers: []"),             "cannot parse the pod configuration"),
            ("another shape",  Some(r#"{"rankers":[{}],"pages":[]}"#), "missing field"),
            ("nothing in it",  Some(r#"{"rankers":[],"pages":[]}"#),   "neither a model nor a page"),
        ];
        for (why, text, expected) in cases {
            if let Some(text) = text {
                fs::write(&file, text).unwrap();
            }
            let error = ConfigSource::Config(file.clone()).read(None).unwrap_err();
            let message = error.problems().concat();
            assert!(message.contains(expected) && message.contains("config.json"), "{why}: {message}");
        }
    }
}
