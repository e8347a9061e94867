//! What says what is served: a folder of manifests, or the configuration of a pod.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use marquee_crds::pod_config::PodConfig;
use marquee_manifests::{Loaded as Manifests, ManifestError};

/// Where it is written what is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// A folder (or file) of manifests.
    Manifests(PathBuf),
    /// A `PodConfig` in JSON: what the operator mounts into a pod.
    Config(PathBuf),
}

/// Why a pod's configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The system refuses.
    #[error("cannot read the configuration {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// It does not parse as a `PodConfig`.
    #[error("cannot parse the pod configuration {}: operator and runtime versions differ; install one version of both", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        source: serde_json::Error,
    },
    /// It asks for nothing.
    #[error("the configuration {} names neither a model nor a page", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Why it is not known what to serve.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Everything that is wrong with the manifests.
    #[error("the manifests cannot be served: {} problems", .0.len())]
    Manifests(Vec<ManifestError>),
    /// The pod's configuration is at fault.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl SourceError {
    /// Each problem, with its causes.
    pub fn problems(&self) -> Vec<String> {
        match self {
            Self::Manifests(problems) => problems.iter().map(ToString::to_string).collect(),
            Self::Config(error) => vec![crate::service::causes::Causes(error).to_string()],
        }
    }
}

impl ConfigSource {
    /// The folder or file, to be watched.
    pub fn path(&self) -> &Path {
        match self {
            Self::Manifests(path) | Self::Config(path) => path,
        }
    }

    /// Reads it; `before` is what it said so far, against which manifests are held. Blocks.
    ///
    /// # Errors
    /// When it cannot be served as it is.
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
            ("no JSON",        Some("rankers: []"),             "cannot parse the pod configuration"),
            ("another shape",  Some(r#"{"rankers":[{}],"pages":[]}"#), "missing field"),
            ("nothing in it",  Some(r#"{"rankers":[],"pages":[]}"#),   "neither a model nor a page"),
        ];
        for (why, text, expected) in cases {
            if let Some(text) = text {
                fs::write(&file, text).unwrap();
            }
            let error = ConfigSource::Config(file.clone()).read(None).unwrap_err();
            let told = error.problems().concat();
            assert!(told.contains(expected) && told.contains("config.json"), "{why}: {told}");
        }
    }
}
