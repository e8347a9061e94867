//! A running `marquee-runtime serve` with a small model, and a very simple client.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use marquee_artifacts::{Architecture, CatalogueEntry, Lineage, Role, TensorData, Writer};
use marquee_models::{golden, registry};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// No step of these tests takes so long, not even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

const MANIFESTS: &str = "
apiVersion: marquee.dev/v1alpha1
kind: RankingModel
metadata:
  name: home-watch
spec:
  surface: home
  objective: watch
  artifact:
    uri: file:///artifacts/model
  serving:
    maxTopK: 5
---
apiVersion: marquee.dev/v1alpha1
kind: PageLayout
metadata:
  name: home
spec:
  surface: home
  catalogue:
    uri: file:///artifacts/catalogue
  deadline: 5s
  candidateRows:
    - name: for-you
      heading: For you
      source:
        model:
          objective: watch
    - name: popular
      heading: Popular
      source:
        popular: {}
  page:
    rows: 2
    titlesPerRow: 3
";

/// A serving process, which ends when this value is dropped.
pub struct World {
    pub http: SocketAddr,
    pub grpc: SocketAddr,
    pub child: Child,
    pub log: Arc<Mutex<Vec<Value>>>,
    /// Removed after the process has ended.
    _dir: TempDir,
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Two factors, three viewers, eight titles; `t0` has the most plays.
fn write_model(dir: &Path) {
    let titles: Vec<f32> = (0..16).map(|n| (n as f32 * 0.7).sin()).collect();
    let viewers: Vec<f32> = (0..6).map(|n| (n as f32 * 1.3).cos()).collect();
    let plays: Vec<f32> = (0..8).map(|n| (8 - n) as f32).collect();
    let mut writer = Writer::create(dir).unwrap();
    let tensors = [
        TensorData::f32("viewer.factors", &[3, 2], &viewers),
        TensorData::f32("title.factors", &[8, 2], &titles),
        TensorData::f32("title.plays", &[8], &plays),
        TensorData::u32("history.offsets", &[4], &[0, 1, 2, 3]),
        TensorData::u32("history.titles", &[3], &[0, 1, 2]),
        TensorData::u32("history.sequence", &[3], &[0, 1, 2]),
    ];
    writer.tensors("weights.safetensors", &tensors).unwrap();
    // The ids are numbers, so that the integer types of the Open Inference Protocol can hold them.
    writer.ids(Role::Viewers, ["1", "2", "3"]).unwrap();
    writer.ids(Role::Titles, (10..18).map(|id| id.to_string())).unwrap();
    let hyperparameters = json!({ "factors": 2, "regularization": 0.1, "alpha": 1.0 });
    let hyperparameters = hyperparameters.as_object().unwrap().clone();
    let draft =
        writer.draft(Architecture::named("implicit-als"), &hyperparameters, &Lineage::default()).unwrap();
    let golden = golden::make(&*registry::load(&draft).unwrap(), 1).unwrap();
    drop(draft);
    writer
        .finish(Architecture::named("implicit-als"), hyperparameters, Lineage::default(), Some(golden))
        .unwrap();
}

fn write_catalogue(dir: &Path) {
    let entries: Vec<CatalogueEntry> = (10..18)
        .map(|id| CatalogueEntry {
            id: id.to_string(),
            name: format!("Title \"{id}\""),
            year: (id != 17).then_some(1980 + id),
            genres: vec!["Drama".into()],
            plays: 30 - id as u64,
        })
        .collect();
    let mut writer = Writer::create(dir).unwrap();
    writer.catalogue(&entries).unwrap();
    writer.finish(Architecture::CATALOGUE, Map::new(), Lineage::default(), None).unwrap();
}

impl World {
    /// Starts the process with these additional flags, and waits until it is ready.
    pub fn start(flags: &[&str]) -> Self {
        Self::start_batching("", flags)
    }

    /// The same, with this value in `spec.serving.batching` of the model.
    pub fn start_batching(batching: &str, flags: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        write_model(&dir.path().join("model"));
        write_catalogue(&dir.path().join("catalogue"));
        fs::create_dir(dir.path().join("manifests")).unwrap();
        let manifests =
            MANIFESTS.replace("    maxTopK: 5\n", &format!("    maxTopK: 5\n    batching: {{{batching}}}\n"));
        fs::write(dir.path().join("manifests/home.yaml"), manifests).unwrap();
        let world = Self::launch(dir, flags);
        world.until("ready", || world.is_open() && world.ready());
        world
    }

    fn launch(dir: TempDir, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_marquee-runtime"))
            .args(["serve", "--log-format", "json", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"])
            .arg("--manifests")
            .arg(dir.path().join("manifests"))
            .arg(format!("--volume=/artifacts={}", dir.path().display()))
            .arg(format!("--cache={}", dir.path().join("cache").display()))
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (announce, listening) = mpsc::channel();
        let written = log.clone();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
                if line["message"] == "listening" {
                    let address = |name: &str| line[name].as_str().unwrap().parse::<SocketAddr>().unwrap();
                    announce.send((address("http"), address("grpc"))).unwrap();
                }
                written.lock().unwrap().push(line);
            }
        });
        let addresses = listening.recv_timeout(PATIENCE);
        let (http, grpc) =
            addresses.unwrap_or_else(|_| panic!("the process does not listen: {:?}", log.lock().unwrap()));
        Self { http, grpc, child, log, _dir: dir }
    }

    fn is_open(&self) -> bool {
        TcpStream::connect(self.http).is_ok()
    }

    fn ready(&self) -> bool {
        // With TLS, the test itself waits for readiness.
        self.try_raw(b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .is_none_or(|answer| answer.status == 200)
    }

    /// Waits for a condition, up to [`PATIENCE`].
    pub fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition() {
            assert!(Instant::now() < end, "{what}: did not happen in time: {:?}", self.log.lock().unwrap());
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Sends raw bytes, and reads the whole answer.
    pub fn raw(&self, request: &[u8]) -> Answer {
        self.try_raw(request).expect("an HTTP answer")
    }

    fn try_raw(&self, request: &[u8]) -> Option<Answer> {
        parse(&self.raw_bytes(request))
    }

    /// Sends raw bytes, and reads until the server closes the connection.
    pub fn raw_bytes(&self, request: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Ok(mut stream) = TcpStream::connect(self.http) else { return bytes };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A reset after the answer does not matter.
        let _ = stream.write_all(request);
        let _ = stream.read_to_end(&mut bytes);
        bytes
    }

    /// Sends a request with these headers and this body.
    pub fn send(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request =
            format!("{line} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        self.raw(&[request.as_bytes(), body].concat())
    }

    /// Posts JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            &format!("POST {path}"),
            &[("content-type", "application/json")],
            body.to_string().as_bytes(),
        )
    }

    /// Gets a path.
    pub fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], b"")
    }

    /// The value of a metric series; 0 if there is none.
    pub fn metric(&self, series: &str) -> f64 {
        let text = self.get("/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
        line.unwrap_or(0.0)
    }

    /// Asks the process to end.
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Parses an answer with a known length; `None` if it is incomplete.
pub fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Some(Answer { status, headers, body: bytes[end + 4..].to_vec() })
}
