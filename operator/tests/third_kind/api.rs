//! An API server in memory, with one note.

use std::{future::pending, sync::Arc, time::Duration};

use http::{Method, Request, Response};
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::BoxError;

/// An API server that has one note. It keeps every version of it, and refuses a patch that names an older version than the last.
pub struct Api {
    /// Verb and last part of the path of each write, with the code of a refusal.
    pub writes: Mutex<Vec<String>>,
    notes: Mutex<Vec<Value>>,
    faults: Mutex<Faults>,
}

/// The faults of the server.
#[derive(Default)]
struct Faults {
    /// The last version that watches show.
    watched: Option<usize>,
    /// Whether the answer to the next status is lost, and the status arrives later.
    delays_status: bool,
    /// How long answers to statuses take after the watch has shown them.
    answers_after: Duration,
    /// The status that arrives later.
    late: Option<Value>,
}

impl Default for Api {
    fn default() -> Self {
        let note = json!({
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "generation": 1, "resourceVersion": "1"},
            "spec": {"text": "first"},
        });
        Self { writes: Mutex::default(), notes: Mutex::new(vec![note]), faults: Mutex::default() }
    }
}

impl Api {
    /// The present note.
    pub fn note(&self) -> Value {
        self.notes.lock().last().unwrap().clone()
    }

    /// Makes the next version of the note.
    pub fn edit(&self, edit: impl FnOnce(&mut Value)) {
        let mut notes = self.notes.lock();
        let mut note = notes.last().unwrap().clone();
        edit(&mut note);
        note["metadata"]["resourceVersion"] = (notes.len() + 1).to_string().into();
        notes.push(note);
    }

    /// Makes the next version of the note, with another text.
    pub fn write_text(&self, text: &str) {
        self.edit(|note| {
            note["spec"]["text"] = text.into();
            note["metadata"]["generation"] = (note["metadata"]["generation"].as_i64().unwrap() + 1).into();
        });
    }

    /// The text that the status names.
    pub fn reported(&self) -> String {
        self.note()["status"]["conditions"][0]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Watches show the next version, and none after it.
    pub fn hold_watches_after_next(&self) {
        self.faults.lock().watched = Some(self.notes.lock().len() + 1);
    }

    /// Watches show every version.
    pub fn release_watches(&self) {
        self.faults.lock().watched = None;
    }

    /// Delays the next status, and loses its answer.
    pub fn delay_next_status(&self) {
        self.faults.lock().delays_status = true;
    }

    /// Answers to statuses come after the watch has shown them.
    pub fn answer_after(&self, pause: Duration) {
        self.faults.lock().answers_after = pause;
    }

    /// The delayed status arrives now; the code of the answer.
    pub fn deliver_late(&self) -> u16 {
        let patch = self.faults.lock().late.take().unwrap();
        self.patch_status(&patch).err().unwrap_or(200)
    }

    fn patch_status(&self, patch: &Value) -> Result<Value, u16> {
        let version = self.note()["metadata"]["resourceVersion"].clone();
        let named = &patch["metadata"]["resourceVersion"];
        if !named.is_null() && *named != version {
            return Err(409);
        }
        self.edit(|note| merge(&mut note["status"], &patch["status"]));
        Ok(self.note())
    }

    pub async fn answer(self: Arc<Self>, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let query = uri.query().unwrap_or_default().to_owned();
        let is_of_notes = uri.path().contains("/notes");
        let body = request.into_body().collect_bytes().await?;
        let mut sent: Value = serde_json::from_slice(&body).unwrap_or_default();
        let answer = if method != Method::GET {
            let last = uri.path().rsplit('/').next().unwrap();
            if last == "status" && std::mem::take(&mut self.faults.lock().delays_status) {
                self.faults.lock().late = Some(sent);
                self.writes.lock().push(format!("{method} {last} lost"));
                return Err("the answer is lost".into());
            }
            let answer =
                if is_of_notes && last == "status" { self.patch_status(&sent) } else { Ok(Value::Null) };
            let refusal = answer.as_ref().err().map(|code| format!(" {code}")).unwrap_or_default();
            self.writes.lock().push(format!("{method} {last}{refusal}"));
            let pause = self.faults.lock().answers_after;
            tokio::time::sleep(pause).await;
            match answer {
                Ok(Value::Null) => {
                    sent["metadata"]["resourceVersion"] = (100 * self.writes.lock().len()).to_string().into();
                    sent
                }
                Ok(note) => note,
                Err(code) => return refuse(code),
            }
        } else if query.contains("watch=true") {
            if !is_of_notes {
                return pending().await;
            }
            let from = query.split("resourceVersion=").nth(1).unwrap().split('&').next().unwrap();
            self.next_event(from.parse()?).await
        } else {
            let notes = self.notes.lock();
            let items = if is_of_notes { &notes[notes.len() - 1..] } else { &[] };
            let version = notes.len().to_string();
            json!({"kind": "List", "metadata": {"resourceVersion": version}, "items": items, "groups": []})
        };
        Ok(Response::new(Body::from(format!("{answer}\n").into_bytes())))
    }

    /// The version of the note after the version `from`.
    async fn next_event(&self, from: usize) -> Value {
        loop {
            let watched = self.faults.lock().watched.unwrap_or(usize::MAX);
            let note = self.notes.lock().get(from).filter(|_| from < watched).cloned();
            if let Some(note) = note {
                return json!({"type": "MODIFIED", "object": note});
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn refuse(code: u16) -> Result<Response<Body>, BoxError> {
    let status =
        json!({"kind": "Status", "status": "Failure", "code": code, "reason": "Conflict", "message": "no"});
    Ok(Response::builder().status(code).body(Body::from(status.to_string().into_bytes()))?)
}

/// Merges as a merge patch does.
fn merge(into: &mut Value, patch: &Value) {
    if into.is_null() {
        *into = json!({});
    }
    let into = into.as_object_mut().unwrap();
    for (name, value) in patch.as_object().unwrap() {
        if value.is_null() {
            into.remove(name);
        } else {
            into.insert(name.clone(), value.clone());
        }
    }
}

/// Waits for a condition, with a deadline.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited for {what}");
}
