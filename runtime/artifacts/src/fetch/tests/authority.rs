//! An authority of certificates, made for one test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

pub(crate) struct Authority {
    /// Its own certificate.
    pub(crate) pem: String,
    der: CertificateDer<'static>,
    key: KeyPair,
    params: CertificateParams,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        // Named like the server, as authorities are that people make by hand and use as they are.
        let mut params = CertificateParams::new(names(&["127.0.0.1"])).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().clone(), key, params }
    }

    /// A server with a certificate for 127.0.0.1.
    pub(crate) fn server(&self) -> TlsAcceptor {
        self.signed(&CertificateParams::new(names(&["127.0.0.1"])).unwrap())
    }

    /// A server with a certificate for other names.
    pub(crate) fn server_for(&self, other: &[&str]) -> TlsAcceptor {
        self.signed(&CertificateParams::new(names(other)).unwrap())
    }

    /// A server whose certificate has expired.
    pub(crate) fn expired(&self) -> TlsAcceptor {
        let mut params = CertificateParams::new(names(&["127.0.0.1"])).unwrap();
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        self.signed(&params)
    }

    /// A server that uses the authority's own certificate.
    pub(crate) fn itself(&self) -> TlsAcceptor {
        acceptor(self.der.clone(), &self.key)
    }

    fn signed(&self, params: &CertificateParams) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        acceptor(params.signed_by(&key, &issuer).unwrap().der().clone(), &key)
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    crate::install_crypto_provider();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}
