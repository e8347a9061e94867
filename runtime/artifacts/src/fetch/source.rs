//! One artifact in an object store.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientConfigKey, GetOptions, GetRange, ObjectStore, RetryConfig};
use reqwest::Url;

use super::cause::StoreCause;
use super::error::FetchError;
use super::guard::{GuardedConnector, misfit};
use super::kind::StoreKind;
use super::misfit::Misfit;
use super::settings::Settings;
use crate::error::{Fault, Finding};

/// One artifact in an object store.
#[derive(Debug)]
pub(crate) struct ArtifactStore {
    store: Box<dyn ObjectStore>,
    prefix: Path,
    uri: String,
}

/// How a store is reached.
#[derive(Debug, Clone)]
pub(crate) struct RetryPolicy {
    /// Settings by their names in `object_store`, over those of the environment.
    pub(crate) settings: Vec<(String, String)>,
    /// Whether the environment (`AWS_*`, …) counts at all.
    pub(crate) from_env: bool,
    /// How often one request is tried again, with growing pauses.
    pub(crate) max_retries: usize,
    /// One request is not tried again after so long.
    pub(crate) patience: Duration,
    /// A transfer that is silent for so long is given up.
    pub(crate) stall: Duration,
}

/// Bytes of one object, from some offset on.
pub(crate) struct Transfer {
    /// Of the whole object.
    pub(crate) size: u64,
    pub(crate) stream: BoxStream<'static, object_store::Result<Bytes>>,
}

impl ArtifactStore {
    /// Sets the store of `url` up, from the environment (`AWS_*`, `GOOGLE_*`, `AZURE_*`) and the settings. No request
    /// is sent.
    pub(crate) fn connect(url: &Url, retry_policy: &RetryPolicy) -> Result<Self, FetchError> {
        let uri = url.as_str().trim_end_matches('/').to_owned();
        let refused = |problem: String| FetchError::Settings { uri: uri.clone(), problem };
        let prefix = Path::from_url_path(url.path())
            .map_err(|error| refused(format!("{}: correct the uri", StoreCause::of(&error))))?;
        let environment = retry_policy.from_env.then(environment);
        let settings =
            Settings::gather(StoreKind::of(url.scheme()), &retry_policy.settings, environment.as_deref());
        let settings = settings.map_err(refused)?;
        let store =
            build(url, retry_policy, &settings).map_err(|error| refused(complaint(&error, &settings)))?;
        Ok(Self { store, prefix, uri })
    }

    /// As given, without a slash at the end.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// The uri of one file, for messages.
    pub(crate) fn object(&self, file: &str) -> String {
        format!("{}/{file}", self.uri)
    }

    /// The whole of a small file.
    pub(crate) async fn read(&self, file: &str, max_bytes: u64) -> Result<Bytes, FetchError> {
        let transfer = self.transfer(file, 0).await?;
        let too_large = |found: u64| {
            let finding =
                Finding::new(Fault::TooLarge, format!("at most {max_bytes} bytes"), found.to_string());
            FetchError::from(finding.in_file(self.object(file).as_ref()))
        };
        if transfer.size > max_bytes {
            return Err(too_large(transfer.size));
        }
        let mut stream = transfer.stream;
        let mut whole = BytesMut::new();
        while let Some(chunk) = stream.next().await {
            whole.extend_from_slice(&chunk.map_err(|source| self.error(file, 0, &source))?);
            if whole.len() as u64 > max_bytes {
                return Err(too_large(whole.len() as u64));
            }
        }
        Ok(whole.freeze())
    }

    /// The bytes of a file from `offset` on.
    pub(crate) async fn transfer(&self, file: &str, offset: u64) -> Result<Transfer, FetchError> {
        let path = self.prefix.parts().chain(Path::from(file).parts()).collect();
        let range = (offset > 0).then_some(GetRange::Offset(offset));
        let options = GetOptions { range, ..GetOptions::default() };
        let result =
            self.store.get_opts(&path, options).await.map_err(|source| self.error(file, offset, &source))?;
        Ok(Transfer { size: result.meta.size, stream: result.into_stream() })
    }

    /// `source` in our words; `bytes` of the file are here.
    pub(crate) fn error(&self, file: &str, bytes: u64, source: &object_store::Error) -> FetchError {
        use object_store::Error;
        let object = self.object(file);
        match misfit(source) {
            Some(Misfit::Settings(problem)) => {
                return FetchError::Settings { uri: self.uri.clone(), problem: problem.clone() };
            }
            Some(Misfit::Denied(problem)) => {
                return FetchError::Denied { object, source: problem.as_str().into() };
            }
            None => {}
        }
        let cause = StoreCause::of(source);
        match source {
            Error::NotFound { .. } => FetchError::NotFound { object, source: cause },
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                FetchError::Denied { object, source: cause }
            }
            _ => FetchError::Unavailable { object, bytes, source: cause },
        }
    }
}

/// The variables of the process that are text.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What the client says of settings that it cannot read, with the name of the setting and the mend.
fn complaint(error: &object_store::Error, settings: &Settings) -> String {
    let cause = StoreCause::of(error).to_string();
    if cause.contains("No CA certificates were loaded") {
        return "this machine has no certificates of authorities: install the package ca-certificates, or let SSL_CERT_FILE name a file that has them"
            .to_owned();
    }
    match settings.complained_of(&cause) {
        Some(key) => format!("{key}: {cause}: correct it"),
        None => format!("{cause}: correct its settings"),
    }
}

/// Adds retries and settings to a builder; the four have the same methods and no trait.
macro_rules! store {
    ($builder:expr, $url:expr, $retry_policy:expr, $settings:expr) => {{
        let stall = format!("{} s", $retry_policy.stall.as_secs().max(1));
        // The whole of a large file takes as long as it takes: only silence is given up on.
        let ours = [("read_timeout", stall.as_str()), ("timeout", "7 days")];
        let connector = GuardedConnector {
            facts: Arc::new($settings.facts(!$retry_policy.from_env)),
            authorities: Arc::new($settings.authorities.clone()),
        };
        let mut builder =
            $builder.with_url($url).with_retry(retry($retry_policy)).with_http_connector(connector);
        for (key, value) in ours.into_iter().chain($settings.values()) {
            builder = builder.with_config(key.parse()?, value);
        }
        Ok(Box::new(builder.build()?))
    }};
}

fn build(
    url: &Url,
    retry_policy: &RetryPolicy,
    settings: &Settings,
) -> object_store::Result<Box<dyn ObjectStore>> {
    // The builders read nothing of the environment: `settings` has what counts of it.
    match StoreKind::of(url.scheme()) {
        StoreKind::S3 => store!(AmazonS3Builder::new(), url.as_str(), retry_policy, settings),
        StoreKind::Gcs => store!(GoogleCloudStorageBuilder::new(), url.as_str(), retry_policy, settings),
        StoreKind::Azure => store!(MicrosoftAzureBuilder::new(), url.as_str(), retry_policy, settings),
        StoreKind::Web => {
            let allow_http = (url.scheme() == "http").to_string(); // this machine only, see `uri`
            let builder = HttpBuilder::new().with_config(ClientConfigKey::AllowHttp, allow_http);
            store!(builder, &url.as_str()[..path_start(url)], retry_policy, settings)
        }
    }
}

/// Where the path of `url` begins.
fn path_start(url: &Url) -> usize {
    url.as_str().len() - url.path().len()
}

fn retry(retry_policy: &RetryPolicy) -> RetryConfig {
    RetryConfig {
        max_retries: retry_policy.max_retries,
        retry_timeout: retry_policy.patience,
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            base: 2.0,
        },
    }
}
