//! The right name nearest to a wrong one.

/// The option nearest to `name`, when it is near enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, options: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    options
        .into_iter()
        // What stands there already cannot be the mend: the fault lies elsewhere.
        .filter(|option| *option != name)
        .map(|option| (strsim::jaro_winkler(&lower, &option.to_lowercase()), option))
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, option)| option)
}

/// `; did you mean …` or nothing.
pub(crate) fn hint<'a>(name: &str, options: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, options).map_or_else(String::new, |option| format!("; did you mean `{option}`?"))
}

/// Names for a message: `` `a`, `b`, `c` ``.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn a_hint_never_names_what_was_given() {
        assert_eq!(hint("rating", ["rating"]), "");
        assert_eq!(hint("rating", ["rating", "ratings"]), "; did you mean `ratings`?");
        assert_eq!(hint("Rating", ["rating"]), "; did you mean `rating`?");
    }
}
