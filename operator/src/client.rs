//! The client of the API server: who may write is asked here, every request is counted here, and none waits for ever.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as Task, Poll},
    time::{Duration, Instant},
};

use http::{Method, Request, Response};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
};
use tower::{BoxError, Layer, Service};

use crate::{leader::Guard, metrics::Metrics};

/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client whose requests ask `guard` and are counted.
///
/// # Errors
/// A configuration that no client can be made of.
pub fn client(mut config: Config, guard: Arc<Guard>, metrics: Arc<Metrics>) -> kube::Result<Client> {
    // What fails is tried again by who knows whether it still should be: a blind second try could come after the lease was lost.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    let wire = Wire { guard, metrics, patience: PATIENCE };
    Ok(ClientBuilder::try_from(config)?.with_layer(&wire).build())
}

/// A layer around the client's HTTP.
#[derive(Clone)]
pub struct Wire {
    /// Asked before each request that changes something.
    pub guard: Arc<Guard>,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// How long an answer may take to begin.
    pub patience: Duration,
}

impl<S> Layer<S> for Wire {
    type Service = OnWire<S>;

    fn layer(&self, inner: S) -> OnWire<S> {
        OnWire { inner, wire: self.clone() }
    }
}

/// The client's HTTP with the layer around it.
#[derive(Clone)]
pub struct OnWire<S> {
    inner: S,
    wire: Wire,
}

/// The answer did not begin in time.
#[derive(Debug, thiserror::Error)]
#[error("the API server did not answer within {0:?}")]
struct Silent(Duration);

impl<S, B> Service<Request<Body>> for OnWire<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(task).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = request.method().clone();
        let began = Instant::now();
        if changes(&request)
            && let Err(error) = self.wire.guard.check(began)
        {
            return Box::pin(async move { Err(error.into()) });
        }
        let answer = self.inner.call(request);
        let (metrics, patience) = (self.wire.metrics.clone(), self.wire.patience);
        Box::pin(async move {
            let answer = match tokio::time::timeout(patience, answer).await {
                Ok(answer) => answer.map_err(Into::into),
                Err(_) => Err(Silent(patience).into()),
            };
            let code = answer
                .as_ref()
                .map_or_else(|_| "<error>".into(), |answer| answer.status().as_u16().to_string());
            metrics.requests.with_label_values(&[code.as_str(), method.as_str()]).inc();
            let seconds = began.elapsed().as_secs_f64();
            metrics.request_seconds.with_label_values(&[method.as_str()]).observe(seconds);
            answer
        })
    }
}

/// Whether the request changes something that the lease is about: everything but the lease itself.
fn changes<B>(request: &Request<B>) -> bool {
    request.method() != Method::GET && !request.uri().path().starts_with("/apis/coordination.k8s.io/")
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    fn wire(guard: Guard) -> Wire {
        let metrics = Arc::new(Metrics::new().unwrap());
        Wire { guard: Arc::new(guard), metrics, patience: Duration::from_millis(10) }
    }

    async fn status(guard: Guard, method: Method, path: &str) -> Option<u16> {
        let inner = service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(Response::new(())) });
        let wire = wire(guard);
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        wire.layer(inner).oneshot(request).await.ok().map(|answer| answer.status().as_u16())
    }

    #[tokio::test]
    async fn without_the_lease_nothing_is_written_but_the_lease() {
        let lease = "/apis/coordination.k8s.io/v1/namespaces/n/leases/l";
        #[rustfmt::skip]
        let cases = [
            ("reads need no lease",        Guard::closed(), Method::GET,    "/api/v1/pods",     Some(200)),
            ("a write does",               Guard::closed(), Method::PATCH,  "/api/v1/services", None),
            ("so does a deletion",         Guard::closed(), Method::DELETE, "/api/v1/services", None),
            ("the lease itself does not",  Guard::closed(), Method::PUT,    lease,              Some(200)),
            ("with the lease it is sent",  Guard::open(),   Method::PATCH,  "/api/v1/services", Some(200)),
        ];
        for (why, guard, method, path, expected) in cases {
            assert_eq!(status(guard, method, path).await, expected, "{why}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_never_comes_is_an_error() {
        let inner = service_fn(|_: Request<Body>| std::future::pending::<Result<Response<()>, BoxError>>());
        let wire = wire(Guard::open());
        let request = Request::builder().uri("/api").body(Body::empty()).unwrap();
        let error = wire.layer(inner).oneshot(request).await.unwrap_err();
        assert!(error.to_string().contains("did not answer within 10ms"), "{error}");
    }
}
