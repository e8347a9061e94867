//! Suggests the likely intention behind a wrong name, for messages.

/// Longest text to compare: longer text is not a typing error, and the cost is the product of both lengths.
const MAX_LENGTH: usize = 64;

/// The name in `known` that is closest to `wrong`: fewest edits, then first in the alphabet. `None` if more than a third of
/// the letters would change. Capitals and separators do not count.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > MAX_LENGTH {
        return None;
    }
    let plain = plain(wrong);
    let distance = |name: &str| strsim::damerau_levenshtein(&plain, &self::plain(name));
    let (edits, name) = known.into_iter().map(|name| (distance(name), name)).min()?;
    let allowed = plain.chars().count().max(3) / 3;
    (edits <= allowed).then_some(name)
}

/// `text` in lower case, without `-` and `_`, which people mix up.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// `: did you mean "rows"?` if a name is close.
pub fn question<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wrong, known).map(|near| format!(": did you mean {near:?}?"))
}

/// `: did you mean "rows"?` if a name is close, otherwise `; known are …` with at most eight names. Empty if `known` is
/// empty.
pub fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: std::collections::BTreeSet<&str> = known.into_iter().collect();
    if let Some(question) = question(wrong, known.iter().copied()) {
        return question;
    }
    let names: Vec<&str> = known.iter().copied().take(8).collect();
    match (names.len(), known.len()) {
        (0, _) => String::new(),
        (shown, all) if shown < all => format!("; known are {}, …", names.join(", ")),
        _ => format!("; known are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{hint, nearest};

    const FIELDS: [&str; 4] = ["candidateRows", "catalogue", "page", "surface"];

    #[test]
    fn a_slip_finds_what_was_meant_and_nonsense_finds_nothing() {
        #[rustfmt::skip]
        let cases = [
            // why                                wrong            meant
            ("a letter is missing",               "catalgue",      Some("catalogue")),
            ("two letters are swapped",           "sufrace",       Some("surface")),
            ("another house's separators",        "candidate_rows", Some("candidateRows")),
            ("another house's capitals",          "CandidateRows", Some("candidateRows")),
            ("the American way",                  "catalog",       Some("catalogue")),
            ("another word",                      "deadline",      None),
            ("nothing at all",                    "",              None),
        ];
        for (why, wrong, meant) in cases {
            assert_eq!(nearest(wrong, FIELDS), meant, "{why}");
        }
        assert_eq!(nearest(&"page".repeat(1_000), FIELDS), None, "over-long texts are not compared");
    }

    #[test]
    fn a_hint_names_the_nearest_or_all() {
        assert_eq!(hint("pages", FIELDS), r#": did you mean "page"?"#);
        assert_eq!(hint("deadline", FIELDS), "; known are candidateRows, catalogue, page, surface");
        assert_eq!(hint("x", []), "");
        let many: Vec<String> = (0..20).map(|n| format!("name-{n:02}")).collect();
        assert_eq!(
            hint("other", many.iter().map(String::as_str)),
            "; known are name-00, name-01, name-02, name-03, name-04, name-05, name-06, name-07, …"
        );
    }
}
