//! A real S3 server in this process, which can be told to misbehave.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Broken = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Broken>;

/// How an answer is spoiled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spoil {
    /// Another answer altogether.
    Status(u16),
    /// Another answer altogether, with a header and a body.
    Answer(u16, (&'static str, &'static str), &'static str),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// Nothing follows so many bytes of the body, for ever.
    Stall(usize),
    /// The whole is sent although a part was asked for.
    NoRanges,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) range: Option<String>,
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    connections: usize,
    /// File name, how, and how many times more.
    spoil: Option<(String, Spoil, usize)>,
}

/// The server; it ends with the test's runtime.
pub(crate) struct Store {
    root: tempfile::TempDir,
    address: SocketAddr,
    is_tls: bool,
    state: Arc<Mutex<State>>,
}

impl Store {
    /// Asks for credentials, as S3 does.
    pub(crate) async fn start() -> Self {
        Self::serve(Some(SimpleAuth::from_single("key", "secret")), None).await
    }

    /// Asks for none: a plain web server, to a reader.
    pub(crate) async fn start_open() -> Self {
        Self::serve(None, None).await
    }

    /// Asks for credentials, and speaks TLS.
    pub(crate) async fn start_tls(tls: TlsAcceptor) -> Self {
        Self::serve(Some(SimpleAuth::from_single("key", "secret")), Some(tls)).await
    }

    /// A plain web server that speaks TLS.
    pub(crate) async fn start_open_tls(tls: TlsAcceptor) -> Self {
        Self::serve(None, Some(tls)).await
    }

    async fn serve(auth: Option<SimpleAuth>, tls: Option<TlsAcceptor>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).unwrap());
        if let Some(auth) = auth {
            builder.set_auth(auth);
        }
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let (shared, is_tls) = (state.clone(), tls.is_some());
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                shared.lock().unwrap().connections += 1;
                let (service, state, tls) = (service.clone(), shared.clone(), tls.clone());
                let answer = service_fn(move |request| answer(service.clone(), state.clone(), request));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(async move {
                    match tls {
                        None => http.serve_connection(TokioIo::new(socket), answer).await.ok(),
                        Some(tls) => match tls.accept(socket).await {
                            Ok(socket) => http.serve_connection(TokioIo::new(socket), answer).await.ok(),
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { root, address, is_tls, state }
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder that holds what lies under `bucket/prefix`.
    pub(crate) fn place(&self, prefix: &str) -> PathBuf {
        self.root.path().join(prefix)
    }

    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let endpoint = format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.address);
        let settings = [
            ("aws_endpoint", endpoint.as_str()),
            ("aws_allow_http", "true"),
            ("aws_region", "us-east-1"),
            ("aws_access_key_id", "key"),
            ("aws_secret_access_key", "secret"),
        ];
        settings.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
    }

    /// The next `times` answers for `file` are spoiled.
    pub(crate) fn spoil(&self, file: &str, how: Spoil, times: usize) {
        self.state.lock().unwrap().spoil = Some((file.to_owned(), how, times));
    }

    pub(crate) fn mend(&self) {
        self.state.lock().unwrap().spoil = None;
    }

    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    pub(crate) fn requests_for(&self, file: &str) -> usize {
        self.ranges_of(file).len()
    }

    /// Which parts of `file` were asked for, in order: other files arrive beside it, in any.
    pub(crate) fn ranges_of(&self, file: &str) -> Vec<Option<String>> {
        self.requests()
            .into_iter()
            .filter(|asked| asked.path.ends_with(file))
            .map(|asked| asked.range)
            .collect()
    }
}

async fn answer(
    service: S3Service,
    state: Arc<Mutex<State>>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let spoil = note(&state, &request);
    if let Some(Spoil::Status(status)) = spoil {
        let body = Full::new(Bytes::new()).map_err(Broken::from).boxed_unsync();
        return Ok(Response::builder().status(status).body(body).unwrap());
    }
    if let Some(Spoil::Answer(status, (name, value), body)) = spoil {
        let body = Full::new(Bytes::from(body)).map_err(Broken::from).boxed_unsync();
        return Ok(Response::builder().status(status).header(name, value).body(body).unwrap());
    }
    if let Some(Spoil::NoRanges) = spoil {
        request.headers_mut().remove(header::RANGE);
    }
    let response = service.call(request.map(s3s::Body::from)).await.unwrap();
    Ok(response.map(|body| match spoil {
        Some(Spoil::Cut(bytes)) => first(body, bytes, false),
        Some(Spoil::Stall(bytes)) => first(body, bytes, true),
        _ => body.boxed_unsync(),
    }))
}

fn note(state: &Mutex<State>, request: &Request<Incoming>) -> Option<Spoil> {
    let mut state = state.lock().unwrap();
    let path = request.uri().path().to_owned();
    let range = request.headers().get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
    state.asked.push(Asked { path: path.clone(), range });
    let (file, how, times) = state.spoil.as_mut()?;
    if *times == 0 || !path.ends_with(file.as_str()) {
        return None;
    }
    *times -= 1;
    Some(*how)
}

/// The first bytes of a body, then nothing, or an end that is none.
fn first(body: s3s::Body, bytes: usize, stall: bool) -> Body {
    let mut left = bytes;
    let chunks = body.into_data_stream().map(move |chunk| {
        let chunk = chunk.unwrap();
        let chunk = chunk.slice(..chunk.len().min(left));
        left -= chunk.len();
        chunk
    });
    let chunks =
        chunks.take_while(|chunk| std::future::ready(!chunk.is_empty())).map(|chunk| Ok(Frame::data(chunk)));
    let end: stream::BoxStream<'static, Result<Frame<Bytes>, Broken>> = if stall {
        stream::pending().boxed()
    } else {
        stream::once(std::future::ready(Err("cut".into()))).boxed()
    };
    StreamBody::new(chunks.chain(end)).boxed_unsync()
}
