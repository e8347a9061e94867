//! One artifact in an object store.

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

use super::error::FetchError;
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
        let settings = |source| FetchError::Settings { uri: uri.clone(), source };
        let prefix = Path::from_url_path(url.path()).map_err(|error| settings(error.into()))?;
        let store = build(url, retry_policy).map_err(settings)?;
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
            whole.extend_from_slice(&chunk.map_err(|source| self.error(file, 0, source))?);
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
            self.store.get_opts(&path, options).await.map_err(|source| self.error(file, offset, source))?;
        Ok(Transfer { size: result.meta.size, stream: result.into_stream() })
    }

    /// `source` in our words; `bytes` of the file are here.
    pub(crate) fn error(&self, file: &str, bytes: u64, source: object_store::Error) -> FetchError {
        use object_store::Error;
        let object = self.object(file);
        match source {
            Error::NotFound { .. } => FetchError::NotFound { object, source },
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                FetchError::Denied { object, source }
            }
            source => FetchError::Unavailable { object, bytes, source: Box::new(source) },
        }
    }
}

/// Adds retries and settings to a builder; the four have the same methods and no trait.
macro_rules! store {
    ($builder:expr, $url:expr, $retry_policy:expr) => {{
        let stall = format!("{} s", $retry_policy.stall.as_secs().max(1));
        // The whole of a large file takes as long as it takes: only silence is given up on.
        let ours = [("read_timeout", stall), ("timeout", "7 days".to_owned())];
        let theirs = $retry_policy.settings.iter().map(|(key, value)| (key.as_str(), value.clone()));
        let mut builder = $builder.with_url($url).with_retry(retry($retry_policy));
        for (key, value) in ours.into_iter().chain(theirs) {
            // A setting of another kind of store is none of this one's.
            match key.to_ascii_lowercase().parse() {
                Ok(key) => builder = builder.with_config(key, value),
                Err(_) => tracing::debug!(key, "not a setting of this kind of store"),
            }
        }
        Ok(Box::new(builder.build()?))
    }};
}

fn build(url: &Url, retry_policy: &RetryPolicy) -> object_store::Result<Box<dyn ObjectStore>> {
    match url.scheme() {
        "s3" => {
            let builder =
                if retry_policy.from_env { AmazonS3Builder::from_env() } else { AmazonS3Builder::new() };
            store!(builder, url.as_str(), retry_policy)
        }
        "gs" => {
            let from_env = retry_policy.from_env;
            let builder = if from_env {
                GoogleCloudStorageBuilder::from_env()
            } else {
                GoogleCloudStorageBuilder::new()
            };
            store!(builder, url.as_str(), retry_policy)
        }
        "az" => {
            let from_env = retry_policy.from_env;
            let builder =
                if from_env { MicrosoftAzureBuilder::from_env() } else { MicrosoftAzureBuilder::new() };
            store!(builder, url.as_str(), retry_policy)
        }
        scheme => {
            let allow_http = (scheme == "http").to_string(); // this machine only, see `uri`
            let builder = HttpBuilder::new().with_config(ClientConfigKey::AllowHttp, allow_http);
            store!(builder, &url.as_str()[..path_start(url)], retry_policy)
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
