//! Loads an artifact: fetches it, checks its files, and reproduces its golden outputs.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use marquee_artifacts::{Artifact, Digest, FetchError, Fetcher, Lease, Progress};
use marquee_crds::shared::ArtifactRef;
use marquee_models::{
    Capability, Model, ModelError, ScanOptions, TitleRow, ViewerContext, ViewerEvent, ViewerRow, golden,
    registry,
};
use tracing::info;

use super::{
    credentials::{self, CredentialsError},
    warm_up::WarmUpThread,
};
use crate::{
    service::{
        Loads,
        catalogue::Catalogue,
        loaded_model::{COSTED_RECENT, LoadedModel},
    },
    serving::batcher::HEAVY,
};

/// Why an artifact is not served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The checksum in the manifest is invalid.
    #[error("sha256 of artifact {uri} is not a valid checksum")]
    Sha256 {
        /// Uri of the artifact.
        uri: String,
        /// The problem.
        source: marquee_artifacts::DigestError,
    },
    /// The credentials of its store cannot be read.
    #[error("cannot read the credentials for artifact {uri}")]
    Credentials {
        /// Uri of the artifact.
        uri: String,
        /// The cause.
        source: CredentialsError,
    },
    /// It cannot be fetched, or its files are invalid.
    #[error("cannot open artifact {uri}")]
    Open {
        /// Uri of the artifact.
        uri: String,
        /// The cause.
        source: Box<FetchError>,
    },
    /// Its weights do not fit its architecture.
    #[error("artifact {uri} does not contain a valid model")]
    Model {
        /// Uri of the artifact.
        uri: String,
        /// The cause.
        source: ModelError,
    },
    /// Its outputs differ from those at training.
    #[error("artifact {uri} does not reproduce its golden outputs")]
    Golden {
        /// Uri of the artifact.
        uri: String,
        /// The first difference.
        source: golden::GoldenError,
    },
    /// It has no golden outputs to check.
    #[error("artifact {uri} has no golden outputs: train it again with this version")]
    NoGolden {
        /// Uri of the artifact.
        uri: String,
    },
    /// It is a catalogue but a model is needed, or the reverse.
    #[error("artifact {uri} contains {found}, but {wanted} is needed: correct the uri")]
    WrongKind {
        /// Uri of the artifact.
        uri: String,
        /// Its content.
        found: &'static str,
        /// The content that the resource needs.
        wanted: &'static str,
    },
    /// The load was interrupted.
    #[error("cannot load artifact {uri}: the loader stopped")]
    Stopped {
        /// Uri of the artifact.
        uri: String,
    },
}

/// A checked artifact, with the lease that keeps its files in the cache.
#[derive(Clone)]
pub struct Held {
    /// Its content.
    pub loaded: Loaded,
    /// Keeps its files in the cache.
    _lease: Lease,
}

/// Content of an artifact, ready to serve.
#[derive(Clone)]
pub enum Loaded {
    /// A model.
    Model(Arc<LoadedModel>),
    /// Title metadata.
    Catalogue(Arc<Catalogue>),
}

impl Loaded {
    /// Digest of the artifact's manifest.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Model(model) => model.digest(),
            Self::Catalogue(catalogue) => catalogue.digest,
        }
    }

    /// The model.
    ///
    /// # Errors
    /// [`LoadError::WrongKind`].
    pub fn model(&self, uri: &str) -> Result<&Arc<LoadedModel>, LoadError> {
        match self {
            Self::Model(model) => Ok(model),
            Self::Catalogue(_) => Err(wrong_kind(uri, "a catalogue", "a model")),
        }
    }

    /// The catalogue.
    ///
    /// # Errors
    /// [`LoadError::WrongKind`].
    pub fn catalogue(&self, uri: &str) -> Result<&Arc<Catalogue>, LoadError> {
        match self {
            Self::Catalogue(catalogue) => Ok(catalogue),
            Self::Model(_) => Err(wrong_kind(uri, "a model", "a catalogue")),
        }
    }
}

fn wrong_kind(uri: &str, found: &'static str, wanted: &'static str) -> LoadError {
    LoadError::WrongKind { uri: uri.to_owned(), found, wanted }
}

/// The checksum that the manifest pins, if it pins one.
///
/// # Errors
/// [`LoadError::Sha256`].
pub fn pinned(artifact: &ArtifactRef) -> Result<Option<Digest>, LoadError> {
    let parse = |text: &String| {
        text.parse().map_err(|source| LoadError::Sha256 { uri: artifact.uri.clone(), source })
    };
    artifact.sha256.as_ref().map(parse).transpose()
}

/// Fetches artifacts and makes them ready.
#[derive(Clone)]
pub struct Loader {
    /// Fetches artifacts from their stores.
    pub fetcher: Fetcher,
    /// How models scan their titles.
    pub scan: ScanOptions,
    /// Runs models for the first time.
    pub warm_up: WarmUpThread,
    /// Folder of Secrets, with one folder for each Secret.
    pub credentials: Option<PathBuf>,
    /// Records the progress of each load.
    pub loads: Loads,
}

impl Loader {
    /// Fetches and checks an artifact, and runs its golden inputs. If `known` finds it in memory, it is reused, and the
    /// returned flag is true.
    ///
    /// # Errors
    /// Fails if the artifact cannot be fetched, or if a check fails. Such an artifact is never served.
    pub async fn load(
        &self,
        artifact: &ArtifactRef,
        known: impl Fn(Digest) -> Option<Held>,
    ) -> Result<(Held, bool), LoadError> {
        load(self, artifact, known).await
    }
}

async fn load(
    loader: &Loader,
    artifact: &ArtifactRef,
    known: impl Fn(Digest) -> Option<Held>,
) -> Result<(Held, bool), LoadError> {
    let Loader { fetcher, scan, warm_up, credentials, loads } = loader.clone();
    let uri = artifact.uri.as_str();
    let expected = pinned(artifact)?;
    if let Some(held) = expected.and_then(&known) {
        return Ok((held, true));
    }
    let refused = |source| LoadError::Open { uri: uri.to_owned(), source: Box::new(source) };
    let fetcher = match &artifact.credentials {
        None => fetcher,
        Some(named) => {
            let read = credentials::read(credentials.as_deref(), &named.secret_name);
            let refused = |source| LoadError::Credentials { uri: uri.to_owned(), source };
            fetcher.with_credentials(read.map_err(refused)?)
        }
    };
    if expected.is_none() {
        // A local, unpinned artifact: only its manifest shows whether it changed.
        let here = fetcher.fetch(uri, None, |_| ()).await.map_err(refused)?;
        if let Some(held) = known(here.digest) {
            return Ok((held, true));
        }
    }
    let (logged, under_way) = (AtomicU64::new(0), loads.begin(uri, Instant::now()));
    let on_progress = |progress: Progress| {
        under_way.load.set_progress(progress.bytes, progress.total);
        log_progress(uri, &logged, &progress);
    };
    let (opened, lease) = fetcher.open(uri, expected, on_progress).await.map_err(refused)?;
    let owned = uri.to_owned();
    let loaded = warm_up.run(move || ready(&owned, opened, scan)).await;
    let loaded = loaded.unwrap_or_else(|| Err(LoadError::Stopped { uri: uri.to_owned() }))?;
    Ok((Held { loaded, _lease: lease }, false))
}

/// Logs each tenth of the load.
fn log_progress(uri: &str, logged: &AtomicU64, progress: &Progress) {
    let tenth = (progress.bytes * 10).checked_div(progress.total).unwrap_or(0);
    if logged.swap(tenth, Relaxed) < tenth {
        info!(uri, bytes = progress.bytes, total = progress.total, "fetching artifact");
    }
}

/// Makes an opened artifact ready to serve. Blocks while the golden inputs run.
fn ready(uri: &str, artifact: Artifact, scan: ScanOptions) -> Result<Loaded, LoadError> {
    if artifact.manifest.architecture.is_catalogue() {
        let catalogue =
            Catalogue::new(artifact).ok_or_else(|| wrong_kind(uri, "no titles", "a catalogue"))?;
        return Ok(Loaded::Catalogue(Arc::new(catalogue)));
    }
    let model = load_model(uri, &artifact, scan)?;
    let whole_pass = measure(&*model).map_err(|source| LoadError::Model { uri: uri.to_owned(), source })?;
    let loaded = LoadedModel::new(artifact, model, whole_pass);
    Ok(Loaded::Model(Arc::new(loaded.ok_or_else(|| wrong_kind(uri, "no id tables", "a model"))?)))
}

fn load_model(uri: &str, artifact: &Artifact, scan: ScanOptions) -> Result<Arc<dyn Model>, LoadError> {
    let uri = || uri.to_owned();
    let model = registry::load_with(artifact, scan).map_err(|error| match error {
        ModelError::Artifact(error) => LoadError::Open { uri: uri(), source: Box::new((*error).into()) },
        source => LoadError::Model { uri: uri(), source },
    })?;
    let expected = artifact.manifest.golden.as_ref().ok_or_else(|| LoadError::NoGolden { uri: uri() })?;
    golden::check(&*model, expected).map_err(|source| LoadError::Golden { uri: uri(), source })?;
    Ok(model)
}

/// Number of timed passes. The shortest time counts, because a disturbance only makes a pass longer.
const TIMED: usize = 3;
/// Number of viewers, of which the one with the longest history is timed.
const SAMPLED_VIEWERS: u32 = 64;

/// Measures a pass over all titles: for a viewer with a long history and for a viewer with recent titles; the longer time
/// counts. It decides which passes run inline and which run on the blocking pool.
fn measure(model: &dyn Model) -> Result<Duration, ModelError> {
    let sampled = 0..SAMPLED_VIEWERS.min(model.n_viewers() as u32);
    let n_watched = |viewer| model.history().map_or(0, |history| history.watched(ViewerRow(viewer)).len());
    let busiest = sampled.max_by_key(|&viewer| n_watched(viewer));
    let recent = 0..COSTED_RECENT.min(model.n_titles()) as u32;
    let events: Vec<_> = recent.map(|title| ViewerEvent::play(TitleRow(title))).collect();
    let known = busiest.map_or_else(ViewerContext::default, |viewer| ViewerContext::known(ViewerRow(viewer)));
    let viewers = [known, ViewerContext::of_events(&events)];
    let score_all = model.score_all().ok_or_else(|| ModelError::lacks(model, Capability::ScoreAll))?;
    let mut scores = vec![0.0; model.n_titles()];
    let mut longest = Duration::ZERO;
    for viewer in viewers {
        let mut least = Duration::MAX;
        for _ in 0..TIMED {
            let began = Instant::now();
            score_all.score_all_into(&[viewer], &mut scores)?;
            least = least.min(began.elapsed());
            if least > 2 * HEAVY {
                // The pass is clearly heavy, and more measurements would only delay the start.
                break;
            }
        }
        longest = longest.max(least);
    }
    Ok(longest)
}
