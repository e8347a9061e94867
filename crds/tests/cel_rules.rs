//! Every CEL rule has a row that it accepts and a row that it rejects, and its message says the mend.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use kube::core::cel::Validator;
use marquee_crds::{PageLayout, RankingModel, definitions::definitions};
use serde_json::{Value, json};

const SHA: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn model() -> Value {
    json!({
        "apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel", "metadata": {"name": "m", "namespace": "default"},
        "spec": {"surface": "home", "objective": "top-picks", "artifact": {"uri": "file:///artifacts/ease"}},
    })
}

fn layout() -> Value {
    json!({
        "apiVersion": "marquee.dev/v1alpha1", "kind": "PageLayout", "metadata": {"name": "l", "namespace": "default"},
        "spec": {
            "surface": "home", "catalogue": {"uri": "file:///artifacts/catalogue"},
            "candidateRows": [
                {"name": "top", "heading": "Top picks", "source": {"model": {"objective": "top-picks"}}},
                {"name": "popular", "heading": "Popular", "source": {"popular": {}}},
            ],
        },
    })
}

fn schema(kind: &str) -> Value {
    let crd = definitions().into_iter().find(|crd| crd.spec.names.kind == kind).unwrap();
    serde_json::to_value(&crd.spec.versions[0].schema).unwrap()["openAPIV3Schema"].clone()
}

/// The object with the value at the pointer set.
fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap();
    if let Ok(index) = name.parse::<usize>() {
        parent[index] = value;
    } else {
        parent[name] = value;
    }
    object
}

fn messages(kind: &str, object: &Value, old: Option<&Value>) -> Vec<String> {
    match Validator::new().validate(&schema(kind), object, old) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.message).collect(),
    }
}

/// What each case changes, and the message it gets; none where it is accepted.
type Case = (&'static str, &'static str, Value, Option<&'static str>);

const NO_OBJECTIVE: &str =
    "objective is no name: use lower-case letters, digits and '-', first and last a letter or digit";
const NO_SURFACE: &str =
    "surface is no name: use lower-case letters, digits and '-', first and last a letter or digit";
const NO_NAME: &str =
    "name is no name: use lower-case letters, digits and '-', first and last a letter or digit";
const NO_SCHEME: &str =
    "uri has no scheme that can be fetched: begin it with file://, s3://, gs://, az:// or https://";
const NOT_ABSOLUTE: &str = "uri is no absolute path: write file:///path, with three slashes";
const NO_BUCKET: &str = "uri names no bucket, container or host: write it after the two slashes";
const CREDENTIALS: &str =
    "uri holds credentials, which everyone who may read this resource would see: leave them out";
const QUERY: &str = "uri holds a space, ? or #: name the folder itself, without a query";
const DOTS: &str = "uri holds . or .. as a folder: write the path that is meant";
const UNPINNED: &str = "sha256 is missing: only a file:// artifact may go unpinned; add what `marquee-runtime digest URI` prints";
const NO_DIGEST: &str =
    "sha256 is not 64 lower-case hex digits: copy what `marquee-runtime digest URI` prints";
const DELAY: &str =
    "maxDelay is no duration from 0ms to 100ms: write a number and a unit (us, ms, s, m), such as 2ms";
const NO_COMPANY: &str =
    "maxBatch is 1, so that no request waits for company: leave maxDelay out, or raise maxBatch";
const DEADLINE: &str =
    "deadline is no duration from 1ms to 10s: write a number and a unit (us, ms, s, m), such as 100ms";
const TWICE: &str = "two candidate rows have one name: rename one";
const ONE_SOURCE: &str =
    "a row has exactly one source: set one of model, genre, popular (as {}) and becauseYouWatched";
const TITLE: &str = "{title} stands for the title watched, which only a becauseYouWatched row has: take it out of the heading";
const BRACE: &str = "heading holds a brace that is no {title}: {title} is the only placeholder";
const ONE_LINE: &str = "heading begins or ends with a space, or holds a line break: write it on one line";
const FIXED_MODEL: &str = "surface is fixed for life: create another model for the other surface";
const FIXED_LAYOUT: &str = "surface is fixed for life: create another layout for the other surface";

#[rustfmt::skip]
fn of_models() -> Vec<Case> {
    let uri = |uri: &str| json!({"uri": uri, "sha256": SHA});
    let batching = |size: u32, delay: &str| json!({"batching": {"maxBatch": size, "maxDelay": delay}});
    vec![
        ("as it stands",                  "/spec/surface",   json!("home"),                        None),
        ("a name with all it may hold",   "/spec/surface",   json!("kids-4k"),                     None),
        ("capitals",                      "/spec/surface",   json!("Home"),                        Some(NO_SURFACE)),
        ("a hyphen at the end",           "/spec/objective", json!("top-"),                        Some(NO_OBJECTIVE)),
        ("a space",                       "/spec/objective", json!("top picks"),                   Some(NO_OBJECTIVE)),
        ("a line break at the end",       "/spec/objective", json!("top\n"),                       Some(NO_OBJECTIVE)),
        ("a bucket, pinned",              "/spec/artifact",  uri("s3://models/ease/17"),           None),
        ("a bucket by itself",            "/spec/artifact",  uri("gs://models"),                   None),
        ("a scheme nobody fetches",       "/spec/artifact",  uri("ftp://models/ease"),             Some(NO_SCHEME)),
        ("plain http",                    "/spec/artifact",  uri("http://models/ease"),            Some(NO_SCHEME)),
        ("a relative path",               "/spec/artifact",  uri("file://artifacts/ease"),         Some(NOT_ABSOLUTE)),
        ("no bucket",                     "/spec/artifact",  uri("s3:///ease"),                    Some(NO_BUCKET)),
        ("a password",                    "/spec/artifact",  uri("https://me:secret@host/ease"),   Some(CREDENTIALS)),
        ("an at sign in the path",        "/spec/artifact",  uri("https://host/ease@17"),          None),
        ("a query",                       "/spec/artifact",  uri("https://host/ease?sig=1"),       Some(QUERY)),
        ("a space in the path",           "/spec/artifact",  uri("file:///my models/ease"),        Some(QUERY)),
        ("climbs out",                    "/spec/artifact",  uri("file:///artifacts/../etc"),      Some(DOTS)),
        ("ends with the folder itself",   "/spec/artifact",  uri("file:///artifacts/."),           Some(DOTS)),
        ("dots within a name",            "/spec/artifact",  uri("file:///artifacts/..ease/v1.2"), None),
        ("a bucket, unpinned",            "/spec/artifact",  json!({"uri": "s3://models/ease"}),   Some(UNPINNED)),
        ("a file, unpinned",              "/spec/artifact",  json!({"uri": "file:///a/ease"}),     None),
        ("a digest in capitals",          "/spec/artifact",  json!({"uri": "file:///a/e", "sha256": SHA.to_uppercase()}), Some(NO_DIGEST)),
        ("half a digest",                 "/spec/artifact",  json!({"uri": "file:///a/e", "sha256": &SHA[..32]}),         Some(NO_DIGEST)),
        ("a short wait",                  "/spec/serving",   batching(8, "1.5ms"),                 None),
        ("the longest wait",              "/spec/serving",   batching(8, "100ms"),                 None),
        ("a wait over that",              "/spec/serving",   batching(8, "101ms"),                 Some(DELAY)),
        ("a wait without a unit",         "/spec/serving",   batching(8, "5"),                     Some(DELAY)),
        ("a wait in words",               "/spec/serving",   batching(8, "soon"),                  Some(DELAY)),
        ("one at a time",                 "/spec/serving",   batching(1, "0ms"),                   None),
        ("one at a time, zero otherwise", "/spec/serving",   batching(1, "0.0s"),                  None),
        ("one that waits for company",    "/spec/serving",   batching(1, "2ms"),                   Some(NO_COMPANY)),
    ]
}

#[rustfmt::skip]
fn of_layouts() -> Vec<Case> {
    let row = |name: &str, heading: &str, source: Value| json!({"name": name, "heading": heading, "source": source});
    let top = |heading: &str| row("top", heading, json!({"model": {"objective": "top-picks"}}));
    let watched = |heading: &str| row("near", heading, json!({"becauseYouWatched": {"objective": "near"}}));
    let of = |source: Value| row("top", "Top", source);
    vec![
        ("as it stands",             "/spec/surface",         json!("home"),                     None),
        ("a surface with a dot",     "/spec/surface",         json!("home.tv"),                  Some(NO_SURFACE)),
        ("the shortest deadline",    "/spec/deadline",        json!("1ms"),                      None),
        ("the longest deadline",     "/spec/deadline",        json!("10s"),                      None),
        ("no time at all",           "/spec/deadline",        json!("0ms"),                      Some(DEADLINE)),
        ("a deadline below 1ms",     "/spec/deadline",        json!("999us"),                    Some(DEADLINE)),
        ("a deadline above 10s",     "/spec/deadline",        json!("1m"),                       Some(DEADLINE)),
        ("a deadline with no unit",  "/spec/deadline",        json!("100"),                      Some(DEADLINE)),
        ("a row by a new name",      "/spec/candidateRows/1", watched("Because you watched {title}"), None),
        ("a row by a name taken",    "/spec/candidateRows/1", top("Once more"),                  Some(TWICE)),
        ("a row by no name",         "/spec/candidateRows/1", row("Top Ten", "Top", json!({"popular": {}})), Some(NO_NAME)),
        ("popular",                  "/spec/candidateRows/0", of(json!({"popular": {}})),        None),
        ("a genre",                  "/spec/candidateRows/0", of(json!({"genre": {"name": "Film-Noir"}})), None),
        ("a genre, ranked",          "/spec/candidateRows/0", of(json!({"genre": {"name": "Drama", "objective": "top-picks"}})), None),
        ("a genre, ranked by no name", "/spec/candidateRows/0", of(json!({"genre": {"name": "Drama", "objective": "Top"}})), Some(NO_OBJECTIVE)),
        ("a model of no name",       "/spec/candidateRows/0", of(json!({"model": {"objective": "Top"}})), Some(NO_OBJECTIVE)),
        ("nearness by no name",      "/spec/candidateRows/0", of(json!({"becauseYouWatched": {"objective": "a_b"}})), Some(NO_OBJECTIVE)),
        ("no source",                "/spec/candidateRows/0", of(json!({})),                     Some(ONE_SOURCE)),
        ("two sources",              "/spec/candidateRows/0", of(json!({"popular": {}, "genre": {"name": "Drama"}})), Some(ONE_SOURCE)),
        ("{title} where one is",     "/spec/candidateRows/0", watched("More like {title}"),      None),
        ("{title} is not a must",    "/spec/candidateRows/0", watched("More like it"),           None),
        ("{title} where none is",    "/spec/candidateRows/0", top("More like {title}"),          Some(TITLE)),
        ("another placeholder",      "/spec/candidateRows/0", watched("More like {Title}"),      Some(BRACE)),
        ("a lone brace",             "/spec/candidateRows/0", top("Top {picks"),                 Some(BRACE)),
        ("one letter",               "/spec/candidateRows/0", top("A"),                          None),
        ("any script",               "/spec/candidateRows/0", top("人気の映画 – für dich"),       None),
        ("blank",                    "/spec/candidateRows/0", top(" "),                          Some(ONE_LINE)),
        ("a space before",           "/spec/candidateRows/0", top(" Top"),                       Some(ONE_LINE)),
        ("a line break within",      "/spec/candidateRows/0", top("Top\npicks"),                 Some(ONE_LINE)),
        ("a line break at the end",  "/spec/candidateRows/0", top("Top picks\n"),                Some(ONE_LINE)),
        ("the catalogue, unpinned",  "/spec/catalogue",       json!({"uri": "https://host/c"}),  Some(UNPINNED)),
        ("more rows shown than are", "/spec/page",            json!({"rows": 64}),               None),
    ]
}

#[test]
fn a_rule_accepts_what_is_right_and_rejects_what_is_wrong() {
    for (kind, object, cases) in
        [("RankingModel", model(), of_models()), ("PageLayout", layout(), of_layouts())]
    {
        for (why, pointer, value, message) in cases {
            let object = with(object.clone(), pointer, value);
            let expected: Vec<String> = message.into_iter().map(str::to_owned).collect();
            assert_eq!(messages(kind, &object, None), expected, "{kind}: {why}");
        }
    }
}

/// The same through the types: what a rule accepts, they read, and `validate_cel` agrees.
#[test]
fn the_types_read_what_the_rules_accept() {
    for (why, pointer, value, message) in of_models() {
        let read = serde_json::from_value::<RankingModel>(with(model(), pointer, value));
        assert_eq!(read.is_ok_and(|model| model.validate_cel().is_ok()), message.is_none(), "{why}");
    }
    for (why, pointer, value, message) in of_layouts() {
        let read = serde_json::from_value::<PageLayout>(with(layout(), pointer, value));
        assert_eq!(read.is_ok_and(|layout| layout.validate_cel().is_ok()), message.is_none(), "{why}");
    }
}

#[test]
fn a_surface_is_fixed_for_life_and_the_rest_is_not() {
    let read = |object: Value| serde_json::from_value::<RankingModel>(object).unwrap();
    let old = read(model());
    let renamed = read(with(model(), "/spec/objective", json!("other")));
    assert!(renamed.validate_cel_update(&old).is_ok(), "an objective may change");
    let moved = read(with(model(), "/spec/surface", json!("kids")));
    let errors = moved.validate_cel_update(&old).unwrap_err().into_vec();
    assert_eq!(errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>(), [FIXED_MODEL]);

    let read = |object: Value| serde_json::from_value::<PageLayout>(object).unwrap();
    let old = read(layout());
    let quicker = read(with(layout(), "/spec/deadline", json!("50ms")));
    assert!(quicker.validate_cel_update(&old).is_ok(), "a deadline may change");
    let moved = read(with(layout(), "/spec/surface", json!("kids")));
    let errors = moved.validate_cel_update(&old).unwrap_err().into_vec();
    assert_eq!(errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>(), [FIXED_LAYOUT]);
}

#[test]
fn no_rule_is_without_a_row_that_it_rejects() {
    let mut rules = BTreeSet::new();
    for kind in ["RankingModel", "PageLayout"] {
        collect(&schema(kind), &mut rules);
    }
    let rejected = of_models().into_iter().chain(of_layouts()).filter_map(|(_, _, _, message)| message);
    let rejected: BTreeSet<String> = rejected.chain([FIXED_MODEL, FIXED_LAYOUT]).map(str::to_owned).collect();
    assert_eq!(rules, rejected);
}

fn collect(schema: &Value, messages: &mut BTreeSet<String>) {
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        messages.insert(rule["message"].as_str().expect("every rule has a message").to_owned());
    }
    schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .for_each(|(_, property)| collect(property, messages));
    if schema["items"].is_object() {
        collect(&schema["items"], messages);
    }
}
