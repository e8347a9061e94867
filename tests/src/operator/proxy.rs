//! What lies between the operator and the API server: a proxy that counts what changes something, and spoils what a test names.

use std::{
    sync::{
        Arc, Mutex,
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

use crate::{Outcome, cluster::ApiServer};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The API server answers it.
    Pass,
    /// It is answered with this code, and does not reach the API server.
    Refuse(u16),
    /// Nobody ever answers.
    Hang,
    /// The API server answers a part of it, for so long, and then the connection is cut.
    Cut(Duration),
    /// The API server answers a part of it, for so long, and then says that what it was asked from is forgotten, as it does to a watch
    /// that was behind when the API server cleaned up.
    Expire(Duration),
    /// It does not reach the API server, and nothing does from then on.
    CrashBefore,
    /// The API server carries it out, but nobody hears of it, and nothing reaches the API server from then on.
    CrashAfter,
}

/// One request.
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path with the query.
    pub path: &'a str,
    /// How many came until now, itself included.
    pub all: usize,
    /// How many of them change something.
    pub writes: usize,
}

impl Asked<'_> {
    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Whether it stays open and is told what changes.
    pub fn watches(&self) -> bool {
        self.path.contains("watch=true") || self.path.contains("watch=1")
    }
}

type Judge = Box<dyn Fn(&Asked) -> Fate + Send + Sync>;

struct Inner {
    judge: Judge,
    client: reqwest::Client,
    url: String,
    token: String,
    all: AtomicUsize,
    writes: AtomicUsize,
    last: Mutex<Instant>,
    crashed: watch::Sender<bool>,
}

/// The proxy. It ends when it is dropped.
pub struct Proxy {
    inner: Arc<Inner>,
    /// Where it listens, as a URL.
    pub address: String,
    listens: AbortHandle,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.inner.crashed.send_replace(true);
        self.listens.abort();
    }
}

impl Proxy {
    /// Before `server`; `judge` says what becomes of each request.
    pub async fn before(
        server: &ApiServer,
        judge: impl Fn(&Asked) -> Fate + Send + Sync + 'static,
    ) -> Outcome<Self> {
        let config: Value = serde_json::from_slice(&std::fs::read(server.kubeconfig())?)?;
        let token = config["users"][0]["user"]["token"].as_str().ok_or("no token")?.to_owned();
        let authority = reqwest::Certificate::from_pem(&std::fs::read(server.keys.path("ca.crt"))?)?;
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build()?;
        let inner = Arc::new(Inner {
            judge: Box::new(judge),
            client,
            url: server.url.clone(),
            token,
            all: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            last: Mutex::new(Instant::now()),
            crashed: watch::Sender::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let of = inner.clone();
        let listens = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let of = of.clone();
                tokio::spawn(async move {
                    let mut crashed = of.crashed.subscribe();
                    tokio::select! {
                        _ = of.serve(stream) => {}
                        _ = crashed.wait_for(|crashed| *crashed) => {}
                    }
                });
            }
        });
        Ok(Self { inner, address, listens: listens.abort_handle() })
    }

    /// How many requests came that change something.
    pub fn writes(&self) -> usize {
        self.inner.writes.load(Ordering::SeqCst)
    }

    /// How many requests came.
    pub fn all(&self) -> usize {
        self.inner.all.load(Ordering::SeqCst)
    }

    /// How long nothing has been changed.
    pub fn quiet(&self) -> Duration {
        self.inner.last.lock().map_or(Duration::ZERO, |last| last.elapsed())
    }

    /// From now on nothing reaches the API server through here, and what is under way is never answered.
    pub fn cut_off(&self) {
        self.inner.crashed.send_replace(true);
    }

    /// Whether nothing reaches the API server any more.
    pub fn has_crashed(&self) -> bool {
        *self.inner.crashed.borrow()
    }

    /// A kubeconfig that leads here.
    pub fn kubeconfig(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": self.address}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        })
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
            let fate = self.judge(method, path);
            if fate == Fate::CrashBefore {
                self.crashed.send_replace(true);
            }
            if let Fate::Refuse(code) = fate {
                stream.write_all(refusal(code).as_bytes()).await?;
                continue;
            }
            if fate == Fate::Hang {
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
            if fate == Fate::CrashAfter {
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
                    // HTTP/2 may end a body with an empty frame. An empty chunk would end this one, and spoil the next answer.
                    if chunk.is_empty() {
                        continue;
                    }
                    stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
                    stream.write_all(&chunk).await?;
                    stream.write_all(b"\r\n").await?;
                }
                Outcome::Ok(())
            };
            let copied = match fate {
                Fate::Cut(after) | Fate::Expire(after) => tokio::time::timeout(after, copied).await.ok(),
                _ => Some(copied.await),
            };
            match (copied, fate) {
                (Some(copied), _) => copied?,
                (None, Fate::Expire(_)) => {
                    let line = format!("{}\n", json!({"type": "ERROR", "object": status(410)}));
                    stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes()).await?;
                }
                (None, _) => return Ok(()),
            }
            stream.write_all(b"0\r\n\r\n").await?;
        }
    }

    fn judge(&self, method: &str, path: &str) -> Fate {
        let all = self.all.fetch_add(1, Ordering::SeqCst) + 1;
        let asked = |writes| Asked { method, path, all, writes };
        if !asked(0).writes() {
            return (self.judge)(&asked(0));
        }
        if let Ok(mut last) = self.last.lock() {
            *last = Instant::now();
        }
        (self.judge)(&asked(self.writes.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

/// An answer as the API server gives it; 429 says when to come again.
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
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "message": "so it was asked for",
        "reason": if code == 410 { "Expired" } else { "Unknown" }, "details": {"retryAfterSeconds": retry_seconds(code)},
    })
}
