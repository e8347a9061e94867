//! The accept loop: it accepts connections, limits them, and ends them without losing requests.

use std::{
    error::Error,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use futures::{TryFutureExt, future::MapOk};
use http::{HeaderValue, Request, Response, Version, header::CONNECTION};
use hyper::{body::Incoming, service::Service};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Duration, Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Limits,
    guarded::{Guarded, Seen},
};
use crate::telemetry::{CutReason, IdSource, Listener, Metrics};

/// Length of the HTTP/2 preface. A client that has sent fewer bytes and no request counts as silent.
const PREFACE: usize = 24;
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);
const STREAMS_A_CONNECTION: u32 = 256;
/// Largest size of a request's headers.
const HEADER_BYTES: usize = 64 * 1024;
/// Pause of the accept loop when the process has no file descriptor left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// A port that accepts connections.
pub struct BoundListener {
    pub(super) kind: Listener,
    /// At least one: a name may have several addresses.
    pub(super) sockets: Vec<TcpListener>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: Limits,
    pub(super) metrics: Metrics,
}

/// The three steps of a shutdown.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// New connections are still accepted, but clients should move to another process.
    /// Over HTTP/1.1 each answer closes its connection; over HTTP/2 open connections take no new requests.
    pub leave: CancellationToken,
    /// No new connection is accepted. Open connections finish the requests in flight.
    pub drain: CancellationToken,
    /// All open connections are closed.
    pub abort: CancellationToken,
}

impl BoundListener {
    /// The first address that it is bound to.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.sockets.first().ok_or(io::ErrorKind::AddrNotAvailable)?.local_addr()
    }

    /// Accepts connections until `ends.drain`. Returns when the last connection is closed.
    pub async fn serve<S, B>(self, service: S, ends: Ends)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: hyper::body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let tracker = TaskTracker::new();
        let seats = Arc::new(Semaphore::new(self.limits.max_connections));
        let builder = self.builder();
        let Self { kind, sockets, tls, limits, metrics } = self;
        let random = IdSource::default();
        let connections = Arc::new(Connections { kind, tls, limits, metrics, builder, ends, random });
        let drain = connections.ends.drain.clone();
        while let Some(accepted) = drain.run_until_cancelled(poll_fn(|cx| accept(&sockets, cx))).await {
            match accepted {
                Ok((stream, _)) => match seats.clone().try_acquire_owned() {
                    Ok(seat) => {
                        tracker.spawn(connections.clone().connection(stream, service.clone(), seat));
                    }
                    Err(_) => connections.cut(CutReason::TooMany),
                },
                Err(error) => accept_failed(&error).await,
            }
        }
        // From here on the kernel refuses connections, so that clients connect to another process.
        drop(sockets);
        tracker.close();
        tracker.wait().await;
    }

    fn builder(&self) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(HEADER_BYTES.max(8192))
            .half_close(false);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE_EVERY)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .max_concurrent_streams(STREAMS_A_CONNECTION)
            .max_header_list_size(HEADER_BYTES as u32)
            .adaptive_window(true);
        match self.kind {
            Listener::Http => builder,
            Listener::Grpc => builder.http2_only(),
        }
    }
}

/// Shared state of the connections of a listener.
struct Connections {
    kind: Listener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    metrics: Metrics,
    builder: auto::Builder<TokioExecutor>,
    ends: Ends,
    random: IdSource,
}

/// Accepts a connection from any of the sockets.
fn accept(sockets: &[TcpListener], cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
    let mut accepted = sockets.iter().map(|socket| socket.poll_accept(cx));
    accepted.find(Poll::is_ready).unwrap_or(Poll::Pending)
}

/// The age at which a connection closes: between 90% and 110% of `max_age`, so that clients do not all connect at once.
fn age_with_jitter(max_age: Duration, random: u64) -> Duration {
    // The upper bits, as a number between 0 and 1.
    let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
    max_age.mul_f64(0.9 + 0.2 * share)
}

impl Connections {
    fn cut(&self, reason: CutReason) {
        self.metrics.cut(self.kind, reason);
    }

    async fn connection<S, B>(self: Arc<Self>, stream: TcpStream, service: S, _seat: OwnedSemaphorePermit)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: hyper::body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let open = self.metrics.connections(self.kind);
        open.inc();
        // Each answer is written in one piece, so Nagle's algorithm would only delay it. Without the option it is slower.
        let _ = stream.set_nodelay(true);
        let seen = Arc::new(Seen::default());
        let guarded = Guarded::new(stream, seen.clone(), self.limits.write_timeout);
        match &self.tls {
            None => self.talk(guarded, service, seen).await,
            Some(acceptor) => {
                let limit = self.limits.header_timeout;
                match self.ends.abort.run_until_cancelled(timeout(limit, acceptor.accept(guarded))).await {
                    Some(Ok(Ok(stream))) => self.talk(stream, service, seen).await,
                    _ => self.cut(CutReason::Tls),
                }
            }
        }
        open.dec();
    }

    /// Serves one connection until it ends, is too slow, or must close.
    async fn talk<I, S, B>(&self, io: I, service: S, seen: Arc<Seen>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: hyper::body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let noticed = Observed { service, seen: seen.clone(), leave: self.ends.leave.clone() };
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(io), noticed));
        // A client that connects during the drain delay knows no other process yet, so its connection stays until `drain`.
        let came_late = self.ends.leave.is_cancelled();
        let limit = self.limits.header_timeout;
        // hyper's limit starts only after it has detected the HTTP version, so this code ends connections that are silent before.
        let mut silence = pin!(sleep(limit));
        let mut is_checked = false;
        let has_max_age = !self.limits.max_connection_age.is_zero();
        let max_age = age_with_jitter(self.limits.max_connection_age, self.random.next());
        let mut age = pin!(sleep(max_age));
        let is_old = loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => return self.ended(ended, &seen),
                () = silence.as_mut(), if !is_checked => {
                    is_checked = true;
                    if !seen.request.load(Ordering::Relaxed) && seen.read.load(Ordering::Relaxed) < PREFACE {
                        return self.cut(CutReason::SlowHeaders);
                    }
                }
                () = self.ends.leave.cancelled(), if !came_late => break false,
                () = self.ends.drain.cancelled() => break false,
                () = age.as_mut(), if has_max_age && !seen.is_old.load(Ordering::Relaxed) => {
                    if self.is_http2(&seen) {
                        break true;
                    }
                    match seen.request.load(Ordering::Relaxed) {
                        // Its next answer is its last.
                        true => seen.is_old.store(true, Ordering::Relaxed),
                        // The HTTP version is not known yet.
                        false => age.as_mut().reset(Instant::now() + max_age),
                    }
                }
            }
        };
        // HTTP/2 can close a connection without losing a request. Closing an idle HTTP/1.1 connection may lose a request that
        // is on its way, so it stays open until `drain`.
        if !is_old && (came_late || !self.is_http2(&seen)) {
            tokio::select! {
                biased;
                ended = connection.as_mut() => return self.ended(ended, &seen),
                () = self.ends.drain.cancelled() => {}
            }
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            ended = connection.as_mut() => self.ended(ended, &seen),
            () = self.ends.abort.cancelled() => self.cut(CutReason::Drain),
        }
    }

    fn is_http2(&self, seen: &Seen) -> bool {
        self.kind == Listener::Grpc || seen.http2.load(Ordering::Relaxed)
    }

    fn ended(&self, ended: Result<(), Box<dyn Error + Send + Sync>>, seen: &Seen) {
        let Err(error) = ended else { return };
        if seen.slow_reader.load(Ordering::Relaxed) {
            self.cut(CutReason::SlowReader);
        } else if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout) {
            self.cut(CutReason::SlowHeaders);
        } else {
            tracing::debug!(error = &*error as &dyn Error, "connection ended");
        }
    }
}

/// Ignores clients that left before they were accepted. Other errors (no file descriptor left) are logged, with a pause.
async fn accept_failed(error: &io::Error) {
    if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        tracing::error!(error = error as &dyn Error, "cannot accept connections");
        sleep(EXHAUSTED_PAUSE).await;
    }
}

/// Records what is known about a request, and passes it on.
struct Observed<S> {
    service: S,
    seen: Arc<Seen>,
    leave: CancellationToken,
}

impl<S, B> Service<Request<Incoming>> for Observed<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = MapOk<S::Future, LastAnswer<B>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let is_http2 = request.version() == Version::HTTP_2;
        self.seen.http2.store(is_http2, Ordering::Relaxed);
        self.seen.request.store(true, Ordering::Relaxed);
        let is_last = self.leave.is_cancelled() || self.seen.is_old.load(Ordering::Relaxed);
        let last_answer = if is_last && !is_http2 { last_answer } else { any_answer };
        self.service.call(request).map_ok(last_answer)
    }
}

type LastAnswer<B> = fn(Response<B>) -> Response<B>;

fn any_answer<B>(response: Response<B>) -> Response<B> {
    response
}

/// Marks the answer as the last of its connection: hyper then closes it.
fn last_answer<B>(mut response: Response<B>) -> Response<B> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_one_moment_close_at_different_times() {
        let age = Duration::from_secs(100);
        assert_eq!(age_with_jitter(age, 0), Duration::from_secs(90));
        let last = age_with_jitter(age, u64::MAX);
        assert!(last > Duration::from_millis(109_999) && last <= Duration::from_secs(110), "{last:?}");
        let random = IdSource::default();
        let ages: std::collections::BTreeSet<_> =
            (0..100).map(|_| age_with_jitter(age, random.next())).collect();
        assert!(ages.len() > 90, "{} different ages", ages.len());
    }
}
