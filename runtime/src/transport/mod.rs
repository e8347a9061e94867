//! Listeners: HTTP/JSON, the Open Inference Protocol and gRPC. All of them call one service layer.
//!
//! Read in this order: the flags ([`TransportArgs`]), the accept loop ([`listen`]), what all requests share ([`call`]),
//! the HTTP listener ([`http`]), the tensors of the Open Inference Protocol ([`oip`]), the gRPC listener ([`grpc`]).

mod args;
mod bind;
pub mod call;
mod guarded;
pub mod listen;
pub mod text;
pub mod tls;

pub mod http;

pub mod oip;

pub mod grpc;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use marquee_crds::listen_address::ListenAddress;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use args::{Limits, PreviewWhen, TransportArgs};

use self::{
    call::Shared,
    listen::{BoundListener, Ends},
    tls::{Tls, TlsError},
};
use crate::{
    service::Service,
    telemetry::{Listener, Metrics},
};

/// An error that keeps the listeners from opening.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Binding the address failed.
    #[error(
        "cannot listen on {address} (--{flag}): choose another address, or stop the process that uses it"
    )]
    Bind {
        /// The address from the flag.
        address: ListenAddress,
        /// Name of the flag.
        flag: &'static str,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Setting up TLS failed.
    #[error("cannot set up TLS")]
    Tls(#[from] TlsError),
    /// Building the gRPC reflection service failed.
    #[error("cannot build the gRPC reflection service")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Both listeners: open, but not answering yet.
pub struct Transport {
    args: TransportArgs,
    shared: Arc<Shared>,
    preview: Option<axum::Router>,
    tls: Option<Arc<Tls>>,
    http: BoundListener,
    grpc: BoundListener,
    addresses: (SocketAddr, SocketAddr),
}

impl Transport {
    /// Opens both ports. Connections wait until [`Transport::serve`] runs. `preview` answers below `/preview`.
    ///
    /// # Errors
    /// When binding a port or setting up TLS fails.
    pub async fn bind(
        args: TransportArgs,
        service: Service,
        metrics: Metrics,
        preview: Option<axum::Router>,
    ) -> Result<Self, TransportError> {
        let tls = match (&args.tls_cert, &args.tls_key) {
            (Some(cert), Some(key)) => Some(Tls::load(cert, key)?),
            _ => None,
        };
        let opener = Opener { tls: tls.as_ref(), limits: args.limits(), metrics: &metrics };
        let (http, http_address) = opener.open(Listener::Http, &args.http, &["h2", "http/1.1"]).await?;
        let (grpc, grpc_address) = opener.open(Listener::Grpc, &args.grpc, &["h2"]).await?;
        tracing::info!(http = %http_address, grpc = %grpc_address, tls = tls.is_some(), "listening");
        let shared = Arc::new(Shared::new(service, metrics, args.limits(), args.log_requests));
        Ok(Self { args, shared, preview, tls, http, grpc, addresses: (http_address, grpc_address) })
    }

    /// Address of the HTTP listener.
    pub fn http_address(&self) -> SocketAddr {
        self.addresses.0
    }

    /// Address of the gRPC listener.
    pub fn grpc_address(&self) -> SocketAddr {
        self.addresses.1
    }

    /// Answers requests until `shutdown`. Then it reports not ready, stops accepting, and waits for requests in flight.
    ///
    /// # Errors
    /// When building the gRPC reflection service fails.
    pub async fn serve(self, shutdown: CancellationToken) -> Result<(), TransportError> {
        let ends = Ends::default();
        let http = http::Http::new(self.shared.clone(), self.preview);
        let grpc = grpc::service(self.shared.clone())?;
        let listeners = tokio::spawn({
            let ends = ends.clone();
            async move { tokio::join!(self.http.serve(http, ends.clone()), self.grpc.serve(grpc, ends)) }
        });
        if let Some(tls) = self.tls {
            tokio::spawn(tls.follow(ends.drain.clone()));
        }
        shutdown.cancelled().await;
        self.shared.service.drain();
        tracing::info!("draining: no longer ready");
        ends.leave.cancel();
        sleep(self.args.drain_delay.map_or(Duration::ZERO, |delay| delay.0)).await;
        ends.drain.cancel();
        let mut listeners = listeners;
        if timeout(self.args.drain_timeout.0, &mut listeners).await.is_err() {
            tracing::warn!("the drain timeout passed with requests in flight: closing their connections");
            ends.abort.cancel();
            // Closed connections end at once.
            let _ = listeners.await;
        }
        Ok(())
    }
}

/// Opens both listeners in the same way.
struct Opener<'a> {
    tls: Option<&'a Arc<Tls>>,
    limits: Limits,
    metrics: &'a Metrics,
}

impl Opener<'_> {
    async fn open(
        &self,
        kind: Listener,
        address: &ListenAddress,
        protocols: &[&str],
    ) -> Result<(BoundListener, SocketAddr), TransportError> {
        let tls = self.tls.map(|tls| tls.config(protocols)).transpose()?.map(TlsAcceptor::from);
        let refused = |source| TransportError::Bind { address: address.clone(), flag: kind.as_str(), source };
        let sockets = bind::bind(address).await.map_err(refused)?;
        let listener =
            BoundListener { kind, sockets, tls, limits: self.limits, metrics: self.metrics.clone() };
        let bound = listener.address().map_err(refused)?;
        Ok((listener, bound))
    }
}

#[cfg(test)]
mod tests;
