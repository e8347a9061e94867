//! An API server in memory.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Method, Request, Response};
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// An API server that has one note. Once that was reconciled, the watch reports another text.
#[derive(Default)]
pub struct Api {
    /// Verb and last part of the path.
    pub writes: Mutex<Vec<String>>,
    has_changed: AtomicBool,
}

impl Api {
    fn note(&self, version: usize, status: &Value) -> Value {
        let has_changed = self.has_changed.load(Ordering::SeqCst);
        let (text, generation) = if has_changed { ("later", 2) } else { ("first", 1) };
        json!({
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "generation": generation, "resourceVersion": version.to_string()},
            "spec": {"text": text}, "status": status,
        })
    }

    pub async fn answer(self: Arc<Self>, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let is_of_notes = uri.path().contains("/notes");
        let is_watch = uri.query().unwrap_or_default().contains("watch=true");
        let body = request.into_body().collect_bytes().await.unwrap();
        let mut sent: Value = serde_json::from_slice(&body).unwrap_or_default();
        let answer = if method != Method::GET {
            let last = uri.path().rsplit('/').next().unwrap();
            self.writes.lock().push(format!("{method} {last}"));
            let version = 100 * self.writes.lock().len();
            sent["metadata"]["resourceVersion"] = version.to_string().into();
            if is_of_notes { self.note(version, &sent["status"]) } else { sent }
        } else if is_watch {
            until("the first status", || self.writes.lock().len() == 2).await;
            if !is_of_notes || self.has_changed.swap(true, Ordering::SeqCst) {
                return pending().await;
            }
            json!({"type": "MODIFIED", "object": self.note(201, &Value::Null)})
        } else {
            let items = if is_of_notes { vec![self.note(1, &Value::Null)] } else { Vec::new() };
            json!({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items, "groups": []})
        };
        Ok(Response::new(Body::from(format!("{answer}\n").into_bytes())))
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
