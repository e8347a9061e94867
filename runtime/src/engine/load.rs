//! From an artifact reference to something that can be served: fetched, checked, its golden outputs reproduced.

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
    /// The checksum in the manifest is none.
    #[error("sha256 of artifact {uri} is no checksum")]
    Sha256 {
        /// Of the artifact.
        uri: String,
        /// What is wrong with it.
        source: marquee_artifacts::DigestError,
    },
    /// What its store asks for cannot be had.
    #[error("artifact {uri} cannot be asked for")]
    Credentials {
        /// Of the artifact.
        uri: String,
        /// Why.
        source: CredentialsError,
    },
    /// It cannot be brought here, or its files are not what they should be.
    #[error("artifact {uri} cannot be opened")]
    Open {
        /// Of the artifact.
        uri: String,
        /// Why.
        source: Box<FetchError>,
    },
    /// Its weights are not what its architecture needs.
    #[error("artifact {uri} holds no model that can be run")]
    Model {
        /// Of the artifact.
        uri: String,
        /// Why.
        source: ModelError,
    },
    /// It does not compute what it computed when it was trained.
    #[error("artifact {uri} does not reproduce its golden outputs")]
    Golden {
        /// Of the artifact.
        uri: String,
        /// The first difference.
        source: golden::GoldenError,
    },
    /// Nothing to check it against.
    #[error("artifact {uri} has no golden outputs: train it again with this version")]
    NoGolden {
        /// Of the artifact.
        uri: String,
    },
    /// A catalogue where a model is needed, or the reverse.
    #[error("artifact {uri} holds {found}, where {wanted} is needed: correct the uri")]
    WrongKind {
        /// Of the artifact.
        uri: String,
        /// What it holds.
        found: &'static str,
        /// What the resource needs.
        wanted: &'static str,
    },
    /// The load was cut off.
    #[error("artifact {uri} could not be loaded: the loader stopped")]
    Stopped {
        /// Of the artifact.
        uri: String,
    },
}

/// An artifact that is here and sound, and what keeps it here.
#[derive(Clone)]
pub struct Held {
    /// What it holds.
    pub loaded: Loaded,
    /// Keeps its files in the cache.
    _lease: Lease,
}

/// What an artifact holds, ready to be served.
#[derive(Clone)]
pub enum Loaded {
    /// A model.
    Model(Arc<LoadedModel>),
    /// Title metadata.
    Catalogue(Arc<Catalogue>),
}

impl Loaded {
    /// Of the artifact's manifest.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Model(model) => model.digest(),
            Self::Catalogue(catalogue) => catalogue.digest,
        }
    }

    /// The model, where one is needed.
    ///
    /// # Errors
    /// [`LoadError::WrongKind`].
    pub fn model(&self, uri: &str) -> Result<&Arc<LoadedModel>, LoadError> {
        match self {
            Self::Model(model) => Ok(model),
            Self::Catalogue(_) => Err(wrong_kind(uri, "a catalogue", "a model")),
        }
    }

    /// The catalogue, where one is needed.
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

/// Brings artifacts here and makes them ready.
#[derive(Clone)]
pub struct Loader {
    /// Where they come from.
    pub fetcher: Fetcher,
    /// How models scan their titles.
    pub scan: ScanOptions,
    /// Where models are run for the first time.
    pub warm_up: WarmUpThread,
    /// Secrets of artifacts, a folder each.
    pub credentials: Option<PathBuf>,
    /// Told how far each load is.
    pub loads: Loads,
}

impl Loader {
    /// Brings an artifact here, checks everything, and runs its golden inputs. `known` finds one that is held already: it
    /// is used again as it is, and the answer says so.
    ///
    /// # Errors
    /// When it cannot be reached, or anything is not as it should be: such an artifact is never served.
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
        // In place and unpinned: whether it changed is known once its manifest is read.
        let here = fetcher.fetch(uri, None, |_| ()).await.map_err(refused)?;
        if let Some(held) = known(here.digest) {
            return Ok((held, true));
        }
    }
    let (told, under_way) = (AtomicU64::new(0), loads.begin(uri, Instant::now()));
    let tell = |progress: Progress| {
        under_way.load.tell(progress.bytes, progress.total);
        tell(uri, &told, &progress);
    };
    let (opened, lease) = fetcher.open(uri, expected, tell).await.map_err(refused)?;
    let owned = uri.to_owned();
    let loaded = warm_up.run(move || ready(&owned, opened, scan)).await;
    let loaded = loaded.unwrap_or_else(|| Err(LoadError::Stopped { uri: uri.to_owned() }))?;
    Ok((Held { loaded, _lease: lease }, false))
}

/// Every tenth is enough for a log.
fn tell(uri: &str, told: &AtomicU64, progress: &Progress) {
    let tenth = (progress.bytes * 10).checked_div(progress.total).unwrap_or(0);
    if told.swap(tenth, Relaxed) < tenth {
        info!(uri, bytes = progress.bytes, total = progress.total, "artifact on its way");
    }
}

/// Makes an opened artifact ready. Blocks while its golden inputs run.
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

/// How often a pass is timed; the least counts, because whatever disturbs a measurement makes it longer.
const TIMED: usize = 3;
/// Viewers among whom the one who watched most is timed.
const SAMPLED_VIEWERS: u32 = 64;

/// How long a pass over all titles takes: for the busiest of some viewers, or for somebody with recent titles, whichever
/// takes longer. Decides what runs inline and what leaves the threads that answer connections.
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
                // Heavy beyond doubt, and worth no more of the start's time.
                break;
            }
        }
        longest = longest.max(least);
    }
    Ok(longest)
}
