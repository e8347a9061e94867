//! A proxy between the operator and the API server. It counts and records writes, and injects the faults that a test selects.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

use crate::{
    Outcome,
    cluster::{ApiServer, keys},
};

/// What the proxy does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// Forwards it to the API server.
    Pass,
    /// Answers with this code and does not forward the request.
    Refuse(u16),
    /// Never answers.
    Hang,
    /// Forwards the request, copies the answer for this time, then closes the connection.
    Cut(Duration),
    /// Forwards the request, copies the answer for this time, then sends the error `410 Expired`. An API server sends it to a watch whose
    /// resource version it has already compacted.
    Expire(Duration),
    /// Does not forward this request or any later one.
    CrashBefore,
    /// Forwards this request but returns no answer, and forwards no later request.
    CrashAfter,
}

/// One request to the proxy.
pub struct ProxyRequest<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path with the query.
    pub path: &'a str,
    /// Number of requests so far, this one included.
    pub n_requests: usize,
    /// Number of writes so far, this one included. Zero for a read.
    pub n_writes: usize,
}

impl ProxyRequest<'_> {
    /// Whether the request may change an object.
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Whether the request opens a watch.
    pub fn is_watch(&self) -> bool {
        self.path.contains("watch=true") || self.path.contains("watch=1")
    }
}

type FaultRule = Box<dyn Fn(&ProxyRequest) -> FaultAction + Send + Sync>;

/// Every write so far.
struct WriteLog {
    /// Method and path of each write, oldest first.
    writes: Vec<String>,
    last: Instant,
}

struct Inner {
    rule: FaultRule,
    client: reqwest::Client,
    url: String,
    token: String,
    n_requests: AtomicUsize,
    write_log: Mutex<WriteLog>,
    crashed: watch::Sender<bool>,
}

/// The running proxy. Dropping it stops it.
pub struct Proxy {
    inner: Arc<Inner>,
    /// URL on which the proxy listens.
    pub address: String,
    listener: AbortHandle,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.inner.crashed.send_replace(true);
        self.listener.abort();
    }
}

impl Proxy {
    /// Starts a proxy in front of `server`. `rule` selects the action for each request.
    pub async fn start(
        server: &ApiServer,
        rule: impl Fn(&ProxyRequest) -> FaultAction + Send + Sync + 'static,
    ) -> Outcome<Self> {
        let inner = Arc::new(Inner {
            rule: Box::new(rule),
            client: server.https_client()?,
            url: server.url.clone(),
            token: server.admin_token()?,
            n_requests: AtomicUsize::new(0),
            write_log: Mutex::new(WriteLog { writes: Vec::new(), last: Instant::now() }),
            crashed: watch::Sender::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let shared = inner.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let inner = shared.clone();
                tokio::spawn(async move {
                    let mut crashed = inner.crashed.subscribe();
                    tokio::select! {
                        _ = inner.serve(stream) => {}
                        _ = crashed.wait_for(|crashed| *crashed) => {}
                    }
                });
            }
        });
        Ok(Self { inner, address, listener: accepting.abort_handle() })
    }

    /// Number of writes so far.
    pub fn n_writes(&self) -> usize {
        self.writes_since(0).len()
    }

    /// Method and path of each write after the first `n_writes`, so that a failing test can print them.
    pub fn writes_since(&self, n_writes: usize) -> Vec<String> {
        self.inner.write_log().writes[n_writes..].to_vec()
    }

    /// Number of requests so far.
    pub fn n_requests(&self) -> usize {
        self.inner.n_requests.load(Ordering::SeqCst)
    }

    /// Time since the last write.
    pub fn idle_time(&self) -> Duration {
        self.inner.write_log().last.elapsed()
    }

    /// Stops forwarding. Open requests get no answer.
    pub fn cut_off(&self) {
        self.inner.crashed.send_replace(true);
    }

    /// Whether the proxy has stopped forwarding.
    pub fn has_crashed(&self) -> bool {
        *self.inner.crashed.borrow()
    }

    /// A kubeconfig that points to the proxy.
    pub fn kubeconfig(&self) -> Value {
        keys::kubeconfig(&json!({ "server": self.address }), "operator", &json!({}))
    }
}

impl Inner {
    async fn serve(&self, stream: TcpStream) -> Outcome {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let mut words = line.split(' ');
            let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let (mut headers, mut length) = (Vec::new(), 0);
            loop {
                let mut header = String::new();
                stream.read_line(&mut header).await?;
                let Some((name, value)) = header.trim().split_once(": ") else { break };
                match name {
                    "content-length" => length = value.parse()?,
                    "content-type" | "accept" => headers.push((name.to_owned(), value.to_owned())),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await?;
            let action = self.action(method, path);
            if action == FaultAction::CrashBefore {
                self.crashed.send_replace(true);
            }
            if let FaultAction::Refuse(code) = action {
                stream.write_all(refusal(code).as_bytes()).await?;
                continue;
            }
            if action == FaultAction::Hang {
                std::future::pending::<()>().await;
            }
            if self.crashed.borrow().to_owned() {
                return Ok(());
            }
            let mut request = self.client.request(method.parse()?, format!("{}{path}", self.url));
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let mut answer = request.bearer_auth(&self.token).body(body).send().await?;
            if action == FaultAction::CrashAfter {
                self.crashed.send_replace(true);
                return Ok(());
            }
            let head = format!(
                "HTTP/1.1 {}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
                answer.status()
            );
            stream.write_all(head.as_bytes()).await?;
            let copied = async {
                while let Some(chunk) = answer.chunk().await? {
                    // HTTP/2 may end a body with an empty frame. An empty chunk would end the HTTP/1.1 body too early, and its real last
                    // chunk would be read as the next answer.
                    if chunk.is_empty() {
                        continue;
                    }
                    stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
                    stream.write_all(&chunk).await?;
                    stream.write_all(b"\r\n").await?;
                }
                Outcome::Ok(())
            };
            let copied = match action {
                FaultAction::Cut(after) | FaultAction::Expire(after) => {
                    tokio::time::timeout(after, copied).await.ok()
                }
                _ => Some(copied.await),
            };
            match (copied, action) {
                (Some(copied), _) => copied?,
                (None, FaultAction::Expire(_)) => {
                    let line = format!("{}\n", json!({"type": "ERROR", "object": status(410)}));
                    stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes()).await?;
                }
                (None, _) => return Ok(()),
            }
            stream.write_all(b"0\r\n\r\n").await?;
        }
    }

    /// The log stays usable after another thread panicked: no write to it can stop halfway.
    fn write_log(&self) -> MutexGuard<'_, WriteLog> {
        self.write_log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the request, records it if it is a write, and applies the rule.
    fn action(&self, method: &str, path: &str) -> FaultAction {
        let n_requests = self.n_requests.fetch_add(1, Ordering::SeqCst) + 1;
        let mut request = ProxyRequest { method, path, n_requests, n_writes: 0 };
        if request.is_write() {
            let mut log = self.write_log();
            log.writes.push(format!("{method} {path}"));
            log.last = Instant::now();
            request.n_writes = log.writes.len();
        }
        (self.rule)(&request)
    }
}

/// An answer in the format of the API server. With 429 it contains the time of the next try.
fn refusal(code: u16) -> String {
    let (seconds, body) = (retry_seconds(code), status(code).to_string());
    format!(
        "HTTP/1.1 {code} Refused\r\ncontent-type: application/json\r\nretry-after: {seconds}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn retry_seconds(code: u16) -> u8 {
    u8::from(code == 429)
}

fn status(code: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "message": "fault injected by the test proxy",
        "reason": if code == 410 { "Expired" } else { "Unknown" }, "details": {"retryAfterSeconds": retry_seconds(code)},
    })
}
