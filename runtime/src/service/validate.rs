//! Refuses invalid requests, with a message that says what to do.

use marquee_crds::spelling;

use super::types::{PageRequest, ScoreRequest, ServeError, TopKRequest};

/// Limit of titles in a score request, and of exclusions in a top-k request.
pub const MAX_TITLES: usize = 10_000;
/// Limit of recent titles in one request.
pub const MAX_RECENT: usize = 1_000;
/// Limit of bytes in an id. Artifacts have the same limit.
pub const MAX_ID_BYTES: usize = 512;

/// Validates a score request.
pub fn score<S: AsRef<str>>(request: &ScoreRequest<S>) -> Result<(), ServeError> {
    let n_titles = request.titles.len();
    if n_titles == 0 {
        return Err(invalid(format!("titles is empty: name 1 to {MAX_TITLES} titles to score")));
    }
    if n_titles > MAX_TITLES {
        return Err(invalid(format!(
            "titles has {n_titles} entries, more than {MAX_TITLES}: ask in several requests"
        )));
    }
    viewer(&request.viewer, &request.recent)
}

/// Validates a top-k request. `max_top_k` is the limit of the model.
pub fn top_k<S: AsRef<str>>(request: &TopKRequest<S>, max_top_k: usize) -> Result<(), ServeError> {
    let k = request.k;
    if k == 0 || k > max_top_k {
        let objective = request.objective.as_ref();
        let mend = if k == 0 {
            "ask for at least one"
        } else {
            "ask for fewer, or raise serving.maxTopK of its RankingModel"
        };
        return Err(invalid(format!(
            "k is {k}, but objective {objective:?} answers 1 to {max_top_k} titles: {mend}"
        )));
    }
    let n_excluded = request.exclude.len();
    if n_excluded > MAX_TITLES {
        return Err(invalid(format!(
            "exclude has {n_excluded} entries, more than {MAX_TITLES}: exclude fewer titles"
        )));
    }
    viewer(&request.viewer, &request.recent)
}

/// Validates a page request.
pub fn page<S: AsRef<str>>(request: &PageRequest<S>) -> Result<(), ServeError> {
    viewer(&request.viewer, &request.recent)
}

/// Validates a viewer id and a list of recent titles.
pub(super) fn viewer<S: AsRef<str>>(viewer: &S, recent: &[S]) -> Result<(), ServeError> {
    let n_bytes = viewer.as_ref().len();
    if n_bytes > MAX_ID_BYTES {
        return Err(invalid(format!(
            "the viewer id is {n_bytes} bytes long, more than {MAX_ID_BYTES}: no such viewer"
        )));
    }
    let n_recent = recent.len();
    if n_recent > MAX_RECENT {
        return Err(invalid(format!(
            "recent has {n_recent} entries, more than {MAX_RECENT}: send the latest ones only"
        )));
    }
    Ok(())
}

fn invalid(message: String) -> ServeError {
    ServeError::Invalid(message)
}

/// The error for an unknown model or page. `what` begins the message, e.g. `no model answers to the objective`. `awaited` has
/// the names in manifests whose artifacts are not loaded.
pub fn unknown_name<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
    awaited: &[String],
) -> ServeError {
    if awaited.iter().any(|awaited| awaited == name) {
        return ServeError::NotReady(format!("{name:?} is not loaded yet: /status says why"));
    }
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let shown = shortened(name);
    let hint = match (spelling::nearest(name, known.iter().copied()), known.as_slice()) {
        (Some(nearest), _) => format!("the nearest is {nearest:?}"),
        (None, []) => "nothing is served".to_owned(),
        (None, known) => {
            let first: Vec<String> = known.iter().take(8).map(|name| format!("{name:?}")).collect();
            let more = if known.len() > 8 { ", …" } else { "" };
            format!("there are {}{more}", first.join(", "))
        }
    };
    ServeError::NotFound(format!("{what} {shown:?}: {hint}"))
}

/// The error for a title that is not in the model's table.
pub fn unknown_title(title: &str, place: usize, objective: &str, n_titles: usize) -> ServeError {
    let shown = shortened(title);
    let table = format!("is not among the {n_titles} titles of objective {objective:?}");
    ServeError::NotFound(format!(
        "titles[{place}] {shown:?} {table}: leave it out, or serve a model trained with it"
    ))
}

/// Shortens a caller's text for a message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(n_titles: usize, n_recent: usize, viewer: &str) -> Result<(), ServeError> {
        let ids = |n: usize| vec!["1"; n];
        score(&ScoreRequest { objective: "top-picks", viewer, recent: ids(n_recent), titles: ids(n_titles) })
    }

    fn best(k: usize, n_excluded: usize) -> Result<(), ServeError> {
        let exclude = vec!["1"; n_excluded];
        let request = TopKRequest { objective: "top-picks", k, exclude, ..TopKRequest::default() };
        top_k(&request, 500)
    }

    #[test]
    fn each_bad_request_says_its_mend() {
        let names = ["because", "popular", "top-picks"];
        let unknown = |name: &str, known: &[&'static str]| {
            let awaited = ["slow-model".to_owned()];
            Err(unknown_name("no model answers to the objective", name, known.iter().copied(), &awaited))
        };
        let long = "x".repeat(600);
        #[rustfmt::skip]
        let cases: [(&str, Result<(), ServeError>, &str); 12] = [
            ("no title",          scores(0, 0, ""),       "titles is empty: name 1 to 10000 titles to score"),
            ("too many titles",   scores(10_001, 0, ""),  "titles has 10001 entries, more than 10000: ask in several requests"),
            ("too many recent",   scores(1, 1_001, ""),   "recent has 1001 entries, more than 1000: send the latest ones only"),
            ("a long id",         scores(1, 0, &long),    "the viewer id is 600 bytes long, more than 512: no such viewer"),
            ("k is 0",            best(0, 0),             "k is 0, but objective \"top-picks\" answers 1 to 500 titles: ask for at least one"),
            ("k over the limit",  best(501, 0),           "k is 501, but objective \"top-picks\" answers 1 to 500 titles: ask for fewer, or raise serving.maxTopK of its RankingModel"),
            ("too many excluded", best(1, 10_001),        "exclude has 10001 entries, more than 10000: exclude fewer titles"),
            ("a typing error",    unknown("top-pics", &names), "no model answers to the objective \"top-pics\": the nearest is \"top-picks\""),
            ("nothing similar",   unknown("zzz", &names), "no model answers to the objective \"zzz\": there are \"because\", \"popular\", \"top-picks\""),
            ("nothing served",    unknown("zzz", &[]),    "no model answers to the objective \"zzz\": nothing is served"),
            ("not loaded yet",    unknown("slow-model", &names), "\"slow-model\" is not loaded yet: /status says why"),
            ("an unknown title",  Err(unknown_title("9999", 3, "top-picks", 1682)), "titles[3] \"9999\" is not among the 1682 titles of objective \"top-picks\": leave it out, or serve a model trained with it"),
        ];
        for (why, result, message) in cases {
            assert_eq!(result.expect_err(why).to_string(), message, "{why}");
        }
    }

    #[test]
    fn requests_at_the_limits_pass() {
        assert_eq!(scores(10_000, 1_000, &"x".repeat(512)), Ok(()));
        assert_eq!((best(1, 0), best(500, 10_000)), (Ok(()), Ok(())));
    }

    #[test]
    fn a_hostile_name_is_cut_and_escaped() {
        let name = format!("{}\n{}", "é".repeat(59), "x".repeat(1_000_000));
        let message = unknown_name("no page for the surface", &name, ["home"].into_iter(), &[]).to_string();
        assert!(message.len() < 300 && message.contains("\\n…"), "{message}");
    }
}
