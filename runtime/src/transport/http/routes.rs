//! Every route of the HTTP listener.

use std::borrow::Cow;

use http::{Method as Verb, header};

use super::problem::{Problem, Style};
use crate::{
    telemetry::{Code, Method},
    transport::oip::Unsupported,
};

/// Method and template of every route. The OpenAPI document has the same routes.
pub const ROUTES: [(&str, &str); 19] = [
    ("POST", "/v1/objectives/{objective}/score"),
    ("POST", "/v1/objectives/{objective}/top-k"),
    ("POST", "/v1/surfaces/{surface}/page"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/livez"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/status"),
    ("GET", "/metrics"),
    ("GET", "/v2"),
    ("GET", "/v2/health/live"),
    ("GET", "/v2/health/ready"),
    ("GET", "/v2/models/{model}"),
    ("GET", "/v2/models/{model}/ready"),
    ("POST", "/v2/models/{model}/infer"),
    ("GET", "/v2/models/{model}/versions/{version}"),
    ("GET", "/v2/models/{model}/versions/{version}/ready"),
    ("POST", "/v2/models/{model}/versions/{version}/infer"),
    ("GET", "/preview/"),
];

/// A segment of a path, decoded.
pub(super) type Segment<'a> = Cow<'a, str>;

/// A route with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Route<'a> {
    Score(Segment<'a>),
    TopK(Segment<'a>),
    Page(Segment<'a>),
    OpenApi,
    Live,
    Ready,
    Status,
    Metrics,
    Server,
    ServerLive,
    ServerReady,
    Model(Segment<'a>, Option<Segment<'a>>),
    ModelReady(Segment<'a>, Option<Segment<'a>>),
    Infer(Segment<'a>, Option<Segment<'a>>),
}

/// The result of a search in the table of routes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found<'a> {
    Route(Route<'a>),
    /// The path exists, but not with this method. The text lists the methods that it has.
    OtherMethod(&'static str, Style),
    /// The client asks with OPTIONS for the methods of the path.
    Options(&'static str),
    /// The path belongs to an extension that the server does not have.
    Unsupported(Unsupported, Style),
    /// Other servers answer probes at this path.
    Probe,
    Nothing(Style),
}

impl Found<'_> {
    /// The label under which the request is counted.
    pub(super) fn method(&self) -> Method {
        match self {
            Self::Route(Route::Score(_)) => Method::HttpScore,
            Self::Route(Route::TopK(_)) => Method::HttpTopK,
            Self::Route(Route::Page(_)) => Method::HttpPage,
            Self::Route(Route::Infer(..)) => Method::HttpInfer,
            Self::Route(
                Route::Server
                | Route::ServerLive
                | Route::ServerReady
                | Route::Model(..)
                | Route::ModelReady(..),
            ) => Method::HttpOip,
            Self::Route(Route::OpenApi | Route::Live | Route::Ready | Route::Status | Route::Metrics) => {
                Method::HttpOperations
            }
            Self::Options(_) => Method::HttpOperations,
            Self::OtherMethod(..) | Self::Unsupported(..) | Self::Probe | Self::Nothing(_) => {
                Method::HttpUnknown
            }
        }
    }

    /// The format of its errors.
    pub(super) fn style(&self) -> Style {
        match self {
            Self::OtherMethod(_, style) | Self::Unsupported(_, style) | Self::Nothing(style) => *style,
            Self::Route(_) if matches!(self.method(), Method::HttpInfer | Method::HttpOip) => {
                Style::Inference
            }
            Self::Route(_) | Self::Options(_) | Self::Probe => Style::Problem,
        }
    }
}

/// Whether this path belongs to the preview.
pub(super) fn is_preview(path: &str) -> bool {
    path.strip_prefix("/preview").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The route of a request. A slash at the end of the path changes nothing.
pub(super) fn find<'a>(verb: &Verb, path: &'a str) -> Found<'a> {
    let mut segments = [""; 7];
    let mut n = 0;
    let trimmed = path.strip_prefix('/').unwrap_or(path);
    for segment in trimmed.strip_suffix('/').unwrap_or(trimmed).split('/') {
        let Some(place) = segments.get_mut(n) else { return nothing(path) };
        *place = segment;
        n += 1;
    }
    let (wanted, route) = match &segments[..n] {
        ["v1", "objectives", objective, "score"] => ("POST", Route::Score(decode(objective))),
        ["v1", "objectives", objective, "top-k"] => ("POST", Route::TopK(decode(objective))),
        ["v1", "surfaces", surface, "page"] => ("POST", Route::Page(decode(surface))),
        ["v1", "openapi.json"] => ("GET", Route::OpenApi),
        // Kubernetes' own components answer at `/healthz` as at `/livez`.
        ["livez" | "healthz"] => ("GET", Route::Live),
        ["readyz"] => ("GET", Route::Ready),
        ["status"] => ("GET", Route::Status),
        ["metrics"] => ("GET", Route::Metrics),
        ["v2", rest @ ..] => match inference(rest) {
            Some(found) => found,
            None => {
                return Unsupported::of_http(rest)
                    .map_or_else(|| nothing(path), |it| Found::Unsupported(it, Style::Inference));
            }
        },
        // The paths of version 1 of the inference protocol.
        ["v1", "models", ..] => return Found::Unsupported(Unsupported::FirstVersion, Style::Inference),
        ["*"] if verb == Verb::OPTIONS => return Found::Options("GET, HEAD, POST, OPTIONS"),
        segments if is_probe(segments) => return Found::Probe,
        _ => return nothing(path),
    };
    let fits = verb == wanted || (wanted == "GET" && verb == Verb::HEAD);
    let allow = if wanted == "GET" { "GET, HEAD, OPTIONS" } else { "POST, OPTIONS" };
    match fits {
        true => Found::Route(route),
        false if verb == Verb::OPTIONS => Found::Options(allow),
        false => Found::OtherMethod(allow, Found::Route(route).style()),
    }
}

fn inference<'a>(rest: &[&'a str]) -> Option<(&'static str, Route<'a>)> {
    Some(match rest {
        [] => ("GET", Route::Server),
        ["health", "live"] => ("GET", Route::ServerLive),
        ["health", "ready"] => ("GET", Route::ServerReady),
        ["models", model] => ("GET", Route::Model(decode(model), None)),
        ["models", model, "ready"] => ("GET", Route::ModelReady(decode(model), None)),
        ["models", model, "infer"] => ("POST", Route::Infer(decode(model), None)),
        ["models", model, "versions", version] => ("GET", Route::Model(decode(model), Some(decode(version)))),
        ["models", model, "versions", version, "ready"] => {
            ("GET", Route::ModelReady(decode(model), Some(decode(version))))
        }
        ["models", model, "versions", version, "infer"] => {
            ("POST", Route::Infer(decode(model), Some(decode(version))))
        }
        _ => return None,
    })
}

/// Whether health checks of other servers use this path. Some of them mean liveness by it and some readiness, so it is no alias.
fn is_probe(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["health" | "healthcheck" | "health-check" | "healthy" | "ping" | "up"]
            | ["live" | "liveness" | "alive" | "ready" | "readiness"]
            | ["health", "live" | "liveness" | "ready" | "readiness"]
            | ["-", "healthy" | "ready"]
            | ["actuator", "health", ..]
            | ["v1" | "api", "health", ..]
    )
}

fn nothing(path: &str) -> Found<'static> {
    Found::Nothing(if path.starts_with("/v2/") { Style::Inference } else { Style::Problem })
}

/// Undoes percent-encoding. A badly encoded segment stays as it is: no name contains `%`, so it matches nothing.
fn decode(segment: &str) -> Segment<'_> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(segment), Cow::Owned)
}

/// The routes as text, for error messages.
pub(super) fn listed() -> Vec<String> {
    ROUTES.iter().map(|(verb, path)| format!("{verb} {path}")).collect()
}

/// The error for a path or method without a route.
pub(super) fn missing(found: &Found<'_>) -> Problem {
    match found {
        Found::OtherMethod(allow, _) => Problem {
            header: Some((header::ALLOW, allow)),
            ..Problem::new(Code::MethodNotAllowed, format!("this route supports the methods {allow}"))
        },
        Found::Unsupported(unsupported, _) => Problem::new(Code::Unsupported, unsupported.to_string()),
        Found::Probe => Problem {
            detail: "no route has this path: use /readyz for readiness and load balancers, and /livez for liveness"
                .to_owned(),
            ..Problem::no_route(listed())
        },
        _ => Problem::no_route(listed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_table_is_found_and_no_other_method() {
        for (verb, template) in ROUTES.iter().filter(|(_, template)| !is_preview(template)) {
            let path = template.replace("{objective}", "a").replace("{surface}", "a");
            let path = path.replace("{model}", "a").replace("{version}", "b");
            let verb = Verb::from_bytes(verb.as_bytes()).unwrap();
            assert!(matches!(find(&verb, &path), Found::Route(_)), "{verb} {template}");
            assert!(matches!(find(&Verb::DELETE, &path), Found::OtherMethod(..)), "DELETE {template}");
        }
    }

    #[test]
    fn paths_are_matched_whole_and_decoded() {
        let score = |name: &'static str| Found::Route(Route::Score(Cow::Borrowed(name)));
        #[rustfmt::skip]
        let cases = [
            ("as it is",                  "/v1/objectives/watch/score",         score("watch")),
            ("percent-encoded",           "/v1/objectives/w%61tch/score",       score("watch")),
            ("badly encoded: as it is",   "/v1/objectives/w%zz/score",          score("w%zz")),
            ("not UTF-8: as it is",       "/v1/objectives/%ff/score",           score("%ff")),
            ("an encoded slash is text",  "/v1/objectives/a%2Fb/score",         score("a/b")),
            ("a slash at the end",        "/v1/objectives/watch/score/",        score("watch")),
            ("two slashes at the end",    "/v1/objectives/watch/score//",       Found::Nothing(Style::Problem)),
            ("an empty segment",          "/v1//watch/score",                   Found::Nothing(Style::Problem)),
            ("the start only",            "/v1/objectives/watch",               Found::Nothing(Style::Problem)),
            ("very deep",                 "/a/b/c/d/e/f/g/h/i",                 Found::Nothing(Style::Problem)),
            ("the root",                  "/",                                  Found::Nothing(Style::Problem)),
            ("not in the protocol",       "/v2/nothing",                        Found::Nothing(Style::Inference)),
        ];
        for (why, path, expected) in cases {
            assert_eq!(find(&Verb::POST, path), expected, "{why}");
        }
    }

    #[test]
    fn a_head_is_a_get() {
        assert_eq!(find(&Verb::HEAD, "/livez"), Found::Route(Route::Live));
        assert!(matches!(
            find(&Verb::HEAD, "/v1/objectives/a/score"),
            Found::OtherMethod("POST, OPTIONS", Style::Problem)
        ));
    }

    #[test]
    fn a_probe_of_another_server_gets_the_paths_of_this_one() {
        #[rustfmt::skip]
        let probes = [
            "/health", "/healthcheck", "/health-check", "/ping", "/up", "/live", "/liveness", "/ready", "/readiness", "/health/",
            "/health/live", "/health/ready", "/-/healthy", "/-/ready", "/actuator/health", "/actuator/health/liveness",
            "/v1/health", "/api/health",
        ];
        for path in probes {
            let found = find(&Verb::GET, path);
            let problem = missing(&found);
            assert_eq!((&found, problem.code), (&Found::Probe, Code::NotFound), "{path}");
            assert!(problem.detail.contains("/readyz") && problem.detail.contains("/livez"), "{path}");
        }
        assert_eq!(find(&Verb::GET, "/healthz"), Found::Route(Route::Live));
    }

    #[test]
    fn options_are_the_methods_of_a_path() {
        #[rustfmt::skip]
        let cases = [
            ("/livez",                       Found::Options("GET, HEAD, OPTIONS")),
            ("/v2/models/watch/infer",       Found::Options("POST, OPTIONS")),
            ("/v1/surfaces/home/page/",      Found::Options("POST, OPTIONS")),
            ("*",                            Found::Options("GET, HEAD, POST, OPTIONS")),
            ("/nowhere",                     Found::Nothing(Style::Problem)),
        ];
        for (path, expected) in cases {
            assert_eq!(find(&Verb::OPTIONS, path), expected, "{path}");
        }
    }

    #[test]
    fn extensions_that_are_not_there_say_what_to_use_instead() {
        #[rustfmt::skip]
        let cases = [
            ("/v2/repository/index",                        "GET /status lists the models"),
            ("/v2/models",                                  "GET /status lists the models"),
            ("/v2/models/",                                 "GET /status lists the models"),
            ("/v2/repository/models/watch/load",            "change spec.artifact of the RankingModel"),
            ("/v2/repository/models/watch/unload",          "change spec.artifact of the RankingModel"),
            ("/v2/models/watch/load",                       "change spec.artifact of the RankingModel"),
            ("/v2/models/watch/config",                     "GET /v2/models/{model} and ModelMetadata describe a model"),
            ("/v2/models/watch/versions/1/config",          "GET /v2/models/{model} and ModelMetadata describe a model"),
            ("/v2/models/watch/stats",                      "GET /metrics"),
            ("/v2/models/watch/versions/1/stats",           "GET /metrics"),
            ("/v2/systemsharedmemory/status",               "send tensors inside the request"),
            ("/v2/cudasharedmemory/region/a/register",      "send tensors inside the request"),
            ("/v2/trace/setting",                           "send the header traceparent"),
            ("/v2/models/watch/trace/setting",              "send the header traceparent"),
            ("/v2/logging",                                 "start the process with --log"),
            ("/v2/models/watch/infer_stream",               "POST /v2/models/{model}/infer"),
            ("/v2/models/watch/generate",                   "POST /v2/models/{model}/infer"),
            ("/v2/models/watch/versions/1/generate_stream", "POST /v2/models/{model}/infer"),
            ("/v1/models",                                  "use POST /v2/models/{model}/infer"),
            ("/v1/models/watch:predict",                    "use POST /v2/models/{model}/infer"),
        ];
        for (path, message) in cases {
            for verb in [Verb::GET, Verb::POST] {
                let found = find(&verb, path);
                assert_eq!(found.style(), Style::Inference, "{path}");
                let problem = missing(&found);
                assert_eq!(problem.status().as_u16(), 501, "{verb} {path}");
                assert!(
                    problem.detail.contains("not supported") && problem.detail.contains(message),
                    "{path}: {}",
                    problem.detail
                );
            }
        }
    }
}
