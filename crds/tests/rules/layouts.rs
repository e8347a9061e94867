//! What only a PageLayout has.

use serde_json::{Value, json};

use super::{Row, messages::*, row};

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let candidate = |name: &str, heading: &str, source: Value| json!({"name": name, "heading": heading, "source": source});
    let top = |heading: &str| candidate("top", heading, json!({"model": {"objective": "top-picks"}}));
    let watched = |heading: &str| candidate("near", heading, json!({"becauseYouWatched": {"objective": "near"}}));
    let of = |source: Value| candidate("top", "Top", source);
    let parent = |parent: Value| json!({"parentRefs": [parent]});
    let host = |host: &str| json!({"parentRefs": [{"name": "public"}], "hostnames": ["home.example.com", host]});
    vec![
        row("as it stands",                "/spec/surface",         json!("home"),                     None),
        row("the longest name",            "/metadata/name",        json!("l".repeat(40)),             None),
        row("a name too long for children", "/metadata/name",       json!("l".repeat(41)),             Some(LAYOUT_NAME)),
        row("a name that begins with a digit", "/metadata/name",    json!("4k"),                       Some(LAYOUT_NAME)),
        row("a surface with a dot",        "/spec/surface",         json!("home.tv"),                  Some(NO_SURFACE)),
        row("the shortest deadline",       "/spec/deadline",        json!("1ms"),                      None),
        row("the longest deadline",        "/spec/deadline",        json!("10s"),                      None),
        row("no time at all",              "/spec/deadline",        json!("0ms"),                      Some(DEADLINE)),
        row("a deadline below 1ms",        "/spec/deadline",        json!("999us"),                    Some(DEADLINE)),
        row("a deadline above 10s",        "/spec/deadline",        json!("1m"),                       Some(DEADLINE)),
        row("a deadline with no unit",     "/spec/deadline",        json!("100"),                      Some(DEADLINE)),
        row("a row by a new name",         "/spec/candidateRows/1", watched("Because you watched {title}"), None),
        row("a row by a name taken",       "/spec/candidateRows/1", top("Once more"),                  Some(TWICE)),
        row("a row by no name",            "/spec/candidateRows/1", candidate("Top Ten", "Top", json!({"popular": {}})), Some(NO_NAME)),
        row("popular",                     "/spec/candidateRows/0", of(json!({"popular": {}})),        None),
        row("a genre",                     "/spec/candidateRows/0", of(json!({"genre": {"name": "Film-Noir"}})), None),
        row("a genre, ranked",             "/spec/candidateRows/0", of(json!({"genre": {"name": "Drama", "objective": "top-picks"}})), None),
        row("a genre, ranked by no name",  "/spec/candidateRows/0", of(json!({"genre": {"name": "Drama", "objective": "Top"}})), Some(NO_OBJECTIVE)),
        row("a model of no name",          "/spec/candidateRows/0", of(json!({"model": {"objective": "Top"}})), Some(NO_OBJECTIVE)),
        row("nearness by no name",         "/spec/candidateRows/0", of(json!({"becauseYouWatched": {"objective": "a_b"}})), Some(NO_OBJECTIVE)),
        row("no source",                   "/spec/candidateRows/0", of(json!({})),                     Some(ONE_SOURCE)),
        row("two sources",                 "/spec/candidateRows/0", of(json!({"popular": {}, "genre": {"name": "Drama"}})), Some(ONE_SOURCE)),
        row("{title} where one is",        "/spec/candidateRows/0", watched("More like {title}"),      None),
        row("{title} is not a must",       "/spec/candidateRows/0", watched("More like it"),           None),
        row("{title} where none is",       "/spec/candidateRows/0", top("More like {title}"),          Some(TITLE)),
        row("another placeholder",         "/spec/candidateRows/0", watched("More like {Title}"),      Some(BRACE)),
        row("a lone brace",                "/spec/candidateRows/0", top("Top {picks"),                 Some(BRACE)),
        row("one letter",                  "/spec/candidateRows/0", top("A"),                          None),
        row("any script",                  "/spec/candidateRows/0", top("人気の映画 – für dich"),       None),
        row("blank",                       "/spec/candidateRows/0", top(" "),                          Some(ONE_LINE)),
        row("a space before",              "/spec/candidateRows/0", top(" Top"),                       Some(ONE_LINE)),
        row("a line break within",         "/spec/candidateRows/0", top("Top\npicks"),                 Some(ONE_LINE)),
        row("a line break at the end",     "/spec/candidateRows/0", top("Top picks\n"),                Some(ONE_LINE)),
        row("more rows shown than are",    "/spec/page",            json!({"rows": 64}),               None),
        row("a Gateway elsewhere",         "/spec/gateway",         parent(json!({"name": "edge.public", "namespace": "ingress", "sectionName": "https"})), None),
        row("a Gateway by no name",        "/spec/gateway",         parent(json!({"name": "Public"})), Some(NO_OBJECT)),
        row("a Gateway in no namespace",   "/spec/gateway",         parent(json!({"name": "public", "namespace": "a.b"})), Some(NO_NAMESPACE)),
        row("a listener by no name",       "/spec/gateway",         parent(json!({"name": "public", "sectionName": "https:443"})), Some(NO_SECTION)),
        row("a wildcard",                  "/spec/gateway",         host("*.example.com"),             None),
        row("a host with its scheme",      "/spec/gateway",         host("https://example.com"),       Some(NO_HOST)),
        row("a host with its port",        "/spec/gateway",         host("example.com:443"),           Some(NO_HOST)),
        row("a host in capitals",          "/spec/gateway",         host("Example.com"),               Some(NO_HOST)),
        row("a wildcard within",           "/spec/gateway",         host("home.*.com"),                Some(NO_HOST)),
        row("a large body",                "/spec/maxBody",         json!("16Mi"),                     None),
        row("the largest body in KiB",     "/spec/maxBody",         json!("1048576Ki"),                None),
        row("a body above that",           "/spec/maxBody",         json!("1048577Ki"),                Some(BODY)),
        row("a body in bytes",             "/spec/maxBody",         json!("4194304"),                  Some(BODY)),
        row("a body of nothing",           "/spec/maxBody",         json!("0Mi"),                      Some(BODY)),
    ]
}
