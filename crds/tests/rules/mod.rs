//! What the rules of both kinds refuse, and what they accept: rows that the CEL of this machine and a real API server both have to
//! agree with.

mod artifacts;
mod layouts;
mod messages;
mod models;
mod pods;

use marquee_crds::definitions::definitions;
use serde_json::{Value, json};

/// A digest that looks like one.
const SHA: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What one row changes, and the message that it gets.
pub struct Row {
    /// Why it is there.
    pub why: &'static str,
    /// What is changed, as a JSON pointer. Objects on the way that are not there are made.
    pub pointer: String,
    /// To what.
    pub value: Value,
    /// The message of the rule that refuses it; none where it is accepted.
    pub refused: Option<&'static str>,
}

/// The two kinds.
pub const KINDS: [&str; 2] = ["RankingModel", "PageLayout"];

/// The smallest object of a kind: all that must be there, and nothing else.
pub fn smallest(kind: &str) -> Value {
    let (name, spec) = if kind == "RankingModel" {
        (
            "m",
            json!({"surface": "home", "objective": "top-picks", "artifact": {"uri": "file:///artifacts/ease"}}),
        )
    } else {
        let rows = json!([
            {"name": "top", "heading": "Top picks", "source": {"model": {"objective": "top-picks"}}},
            {"name": "popular", "heading": "Popular", "source": {"popular": {}}},
        ]);
        (
            "l",
            json!({"surface": "home", "catalogue": {"uri": "file:///artifacts/catalogue"}, "candidateRows": rows}),
        )
    };
    json!({
        "apiVersion": "marquee.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": "default"}, "spec": spec,
    })
}

/// The rows of a kind.
pub fn rows(kind: &str) -> Vec<Row> {
    let (own, artifact, replicas) = if kind == "RankingModel" {
        (models::rows(), "/spec/artifact", "/spec/serving/replicas")
    } else {
        (layouts::rows(), "/spec/catalogue", "/spec/replicas")
    };
    own.into_iter().chain(artifacts::rows(artifact)).chain(pods::rows(replicas)).collect()
}

/// What may not change, and the message that says so: pointer, value, message.
pub fn fixed(kind: &str) -> (&'static str, Value, &'static str) {
    let message = if kind == "RankingModel" { messages::FIXED_MODEL } else { messages::FIXED_LAYOUT };
    ("/spec/surface", json!("kids"), message)
}

/// The schema of a kind, as it is installed.
pub fn schema(kind: &str) -> Value {
    let crd = definitions().into_iter().find(|crd| crd.spec.names.kind == kind).unwrap();
    serde_json::to_value(&crd.spec.versions[0].schema).unwrap()["openAPIV3Schema"].clone()
}

/// The object with the value at the pointer set.
pub fn with(mut object: Value, pointer: &str, value: &Value) -> Value {
    let mut at = &mut object;
    for step in pointer.split('/').skip(1) {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step.replace("~1", "/").as_str()],
        };
    }
    *at = value.clone();
    object
}

/// A row, in the order in which tables read.
fn row(why: &'static str, pointer: &str, value: Value, refused: Option<&'static str>) -> Row {
    Row { why, pointer: pointer.to_owned(), value, refused }
}
