//! TLS with certificate and key from two PEM files, which are read again when they change.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_util::sync::CancellationToken;

const LOOK_EVERY: Duration = Duration::from_secs(5);

/// An error while setting up TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or does not hold the expected PEM.
    #[error("cannot read {}: expected {expected} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What the file should hold.
        expected: &'static str,
        /// Error of the PEM reader.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificate file is empty.
    #[error("{} contains no certificate: expected a chain in PEM that starts with the server's certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// Key and certificate do not match, or their kind is not supported.
    #[error("the key in {} does not match the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Error of rustls.
        source: rustls::Error,
    },
    /// The protocol versions are not available.
    #[error("cannot set up TLS")]
    Setup(#[from] rustls::Error),
}

/// A certificate that is reloaded when its files change.
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("cert", &self.cert).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// When a file cannot be read, or the key does not match the certificate.
    pub fn load(cert: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let current = ArcSwap::from_pointee(read(cert, key, &provider)?);
        Ok(Arc::new(Self { cert: cert.to_owned(), key: key.to_owned(), provider, current }))
    }

    /// The TLS configuration of a listener that offers these protocols.
    ///
    /// # Errors
    /// When the protocol versions are not available.
    pub fn config(self: &Arc<Self>, protocols: &[&str]) -> Result<Arc<ServerConfig>, TlsError> {
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }

    /// Checks the files for changes every few seconds, until `end`. The old pair stays in use if the new one does not load.
    pub async fn follow(self: Arc<Self>, end: CancellationToken) {
        let mut seen = self.changed_at();
        while end.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let now = self.changed_at();
            if now != seen {
                seen = now;
                self.reload();
            }
        }
    }

    /// Reads both files again. If the new pair does not load, the old one stays in use, with an error in the log.
    pub fn reload(&self) {
        match read(&self.cert, &self.key, &self.provider) {
            Ok(pair) => {
                self.current.store(Arc::new(pair));
                tracing::info!(cert = %self.cert.display(), "certificate reloaded");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(cert = %self.cert.display(), error, "cannot load the new certificate; the old one stays in use");
            }
        }
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
    }
}

fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let wrong = |path: &Path, expected| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, expected, source }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(wrong(cert, "a certificate chain"))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: cert.to_owned() });
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(wrong(key, "a private key"))?;
    CertifiedKey::from_der(chain, secret, provider).map_err(|source| TlsError::Mismatch {
        cert: cert.to_owned(),
        key: key.to_owned(),
        source,
    })
}
