//! What only a RankingModel has.

use serde_json::json;

use super::{Row, messages::*, row};

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let batching = |size: u32, delay: &str| json!({"batching": {"maxBatch": size, "maxDelay": delay}});
    vec![
        row("as it stands",                  "/spec/surface",   json!("home"),        None),
        row("the longest name",              "/metadata/name",  json!("m".repeat(40)), None),
        row("a name too long for children",  "/metadata/name",  json!("m".repeat(41)), Some(MODEL_NAME)),
        row("a name that begins with a digit", "/metadata/name", json!("4k"),         Some(MODEL_NAME)),
        row("a name with a dot",             "/metadata/name",  json!("top.picks"),   Some(MODEL_NAME)),
        row("a name with all it may hold",   "/spec/surface",   json!("kids-4k"),     None),
        row("capitals",                      "/spec/surface",   json!("Home"),        Some(NO_SURFACE)),
        row("a hyphen at the end",           "/spec/objective", json!("top-"),        Some(NO_OBJECTIVE)),
        row("a space",                       "/spec/objective", json!("top picks"),   Some(NO_OBJECTIVE)),
        row("a line break at the end",       "/spec/objective", json!("top\n"),       Some(NO_OBJECTIVE)),
        row("a short wait",                  "/spec/serving",   batching(8, "1.5ms"), None),
        row("the longest wait",              "/spec/serving",   batching(8, "100ms"), None),
        row("a wait over that",              "/spec/serving",   batching(8, "101ms"), Some(DELAY)),
        row("a wait without a unit",         "/spec/serving",   batching(8, "05"),    Some(DELAY)),
        row("a wait in words",               "/spec/serving",   batching(8, "soon"),  Some(DELAY)),
        row("one at a time",                 "/spec/serving",   batching(1, "0ms"),   None),
        row("one at a time, zero otherwise", "/spec/serving",   batching(1, "0.0s"),  None),
        row("one that waits for company",    "/spec/serving",   batching(1, "2ms"),   Some(NO_COMPANY)),
        row("a large body",                  "/spec/serving",   json!({"maxBody": "1024Mi"}), None),
        row("a small body",                  "/spec/serving",   json!({"maxBody": "64Ki"}),   None),
        row("a body too large",              "/spec/serving",   json!({"maxBody": "1025Mi"}), Some(BODY)),
        row("a body too small",              "/spec/serving",   json!({"maxBody": "63Ki"}),   Some(BODY)),
        row("a body of decimal size",        "/spec/serving",   json!({"maxBody": "16M"}),    Some(BODY)),
    ]
}
