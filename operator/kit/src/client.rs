//! The client of the API server. The leader guard checks each write, each request is counted, and each has a time limit.

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
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client whose writes `guard` checks and whose requests are counted.
///
/// # Errors
/// The configuration is not valid.
pub fn client(mut config: Config, guard: Arc<Guard>, metrics: Arc<Metrics>) -> kube::Result<Client> {
    // The caller retries, because it knows whether the request is still needed. A blind retry could arrive after the lease was lost.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    let layer = ClientLayer { guard, metrics, timeout: TIMEOUT };
    Ok(ClientBuilder::try_from(config)?.with_layer(&layer).build())
}

/// A layer around the client's HTTP: guard, counters, time limit.
#[derive(Clone)]
pub struct ClientLayer {
    /// Checks each request that changes something.
    pub guard: Arc<Guard>,
    /// Counts the requests.
    pub metrics: Arc<Metrics>,
    /// How long an answer may take to begin.
    pub timeout: Duration,
}

impl<S> Layer<S> for ClientLayer {
    type Service = GuardedClient<S>;

    fn layer(&self, inner: S) -> GuardedClient<S> {
        GuardedClient { inner, layer: self.clone() }
    }
}

/// The client's HTTP inside a [`ClientLayer`].
#[derive(Clone)]
pub struct GuardedClient<S> {
    inner: S,
    layer: ClientLayer,
}

/// The answer did not begin in time.
#[derive(Debug, thiserror::Error)]
#[error("the API server did not answer within {0:?}")]
struct Timeout(Duration);

impl<S, B> Service<Request<Body>> for GuardedClient<S>
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
            && let Err(error) = self.layer.guard.check(began)
        {
            return Box::pin(async move { Err(error.into()) });
        }
        let answer = self.inner.call(request);
        let (metrics, timeout) = (self.layer.metrics.clone(), self.layer.timeout);
        Box::pin(async move {
            let answer = match tokio::time::timeout(timeout, answer).await {
                Ok(answer) => answer.map_err(Into::into),
                Err(_) => Err(Timeout(timeout).into()),
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

/// Whether only the leader may send the request: each write except of the lease itself.
fn changes<B>(request: &Request<B>) -> bool {
    request.method() != Method::GET && !request.uri().path().starts_with("/apis/coordination.k8s.io/")
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    fn layer(guard: Guard) -> ClientLayer {
        let metrics = Arc::new(crate::metrics::tests::metrics());
        ClientLayer { guard: Arc::new(guard), metrics, timeout: Duration::from_millis(10) }
    }

    async fn status(guard: Guard, method: Method, path: &str) -> Option<u16> {
        let inner = service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(Response::new(())) });
        let layer = layer(guard);
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        layer.layer(inner).oneshot(request).await.ok().map(|answer| answer.status().as_u16())
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
        let layer = layer(Guard::open());
        let request = Request::builder().uri("/api").body(Body::empty()).unwrap();
        let error = layer.layer(inner).oneshot(request).await.unwrap_err();
        assert!(error.to_string().contains("did not answer within 10ms"), "{error}");
    }
}
