//! Words that must not come back, and names that have one meaning.

use std::{collections::BTreeMap, fs};

use super::{
    code::{Token, all_tokens},
    sources::{Source, repository, rust_sources, text_files},
};

/// How a word is looked for in a name.
#[derive(Clone, Copy, PartialEq)]
enum As {
    /// One word of a name, in any case: `course` in `next_course` and in `Course`, not in `courses`.
    Word,
    /// The whole name, case included.
    Name,
    /// The whole name of a value: `of` in `plan.of`, not in `Owner::of(x)`.
    Value,
}

struct Gone {
    word: &'static str,
    /// What stands there now.
    instead: &'static str,
    how: As,
    /// The folders where the word is gone. Empty: everywhere.
    below: &'static [&'static str],
}

const fn gone(word: &'static str, how: As, below: &'static [&'static str], instead: &'static str) -> Gone {
    Gone { word, instead, how, below }
}

const EVERYWHERE: &[&str] = &[];
const OPERATOR: &[&str] = &["operator/"];
const RUNTIME: &[&str] = &["runtime/src/", "runtime/tests/"];
const TRAINING: &[&str] = &["runtime/training/"];
const TESTS: &[&str] = &["tests/"];

#[rustfmt::skip]
const GONE: [Gone; 50] = [
    gone("course",      As::Word,  EVERYWHERE, "rollout decision"),
    gone("wish",        As::Word,  EVERYWHERE, "desired"),
    gone("Told",        As::Name,  EVERYWHERE, "previous status"),
    gone("told",        As::Name,  OPERATOR,   "previous status, or what was reported"),
    gone("Before",      As::Name,  EVERYWHERE, "previous status"),
    gone("verdict",     As::Word,  &["operator/", "crds/"], "condition draft (a verdict is a rollout's)"),
    gone("verdicts",    As::Word,  &["operator/", "crds/"], "condition drafts (a verdict is a rollout's)"),
    gone("scene",       As::Word,  EVERYWHERE, "status inputs"),
    gone("happening",   As::Word,  EVERYWHERE, "transition event"),
    gone("happenings",  As::Word,  EVERYWHERE, "transition events"),
    gone("world",       As::Word,  OPERATOR,   "cache; in a test, fixture"),
    gone("primary",     As::Word,  OPERATOR,   "resource"),
    gone("primaries",   As::Word,  OPERATOR,   "resources"),
    gone("Live",        As::Name,  OPERATOR,   "raw object"),
    gone("Part",        As::Name,  OPERATOR,   "component"),
    gone("of",          As::Value, OPERATOR,   "workload, or the noun that it belongs to"),
    gone("chance",      As::Word,  EVERYWHERE, "jitter"),
    gone("audience",    As::Word,  EVERYWHERE, "watch history"),
    gone("passes",      As::Name,  RUNTIME,    "forward requests"),
    gone("Job",         As::Name,  RUNTIME,    "forward request"),
    gone("remotes",     As::Word,  RUNTIME,    "remote rankers"),
    gone("hear",        As::Word,  RUNTIME,    "receive"),
    gone("heard",       As::Word,  RUNTIME,    "answer"),
    gone("consult",     As::Word,  RUNTIME,    "query"),
    gone("standing",    As::Word,  RUNTIME,    "row content"),
    gone("Stand",       As::Name,  RUNTIME,    "row content"),
    gone("stand",       As::Name,  RUNTIME,    "fill"),
    gone("fleet",       As::Word,  EVERYWHERE, "ranker directory"),
    gone("seldom",      As::Word,  EVERYWHERE, "log rate limiter"),
    gone("proving",     As::Word,  EVERYWHERE, "warm-up"),
    gone("knob",        As::Word,  EVERYWHERE, "hyperparameter"),
    gone("knobs",       As::Word,  EVERYWHERE, "hyperparameters"),
    gone("lesson",      As::Word,  EVERYWHERE, "training data"),
    gone("parts",       As::Word,  TRAINING,   "split"),
    gone("manners",     As::Word,  EVERYWHERE, "retry policy"),
    gone("door",        As::Word,  EVERYWHERE, "listener"),
    gone("doors",       As::Word,  EVERYWHERE, "listeners"),
    gone("leash",       As::Word,  EVERYWHERE, "reaper"),
    gone("fate",        As::Word,  TESTS,      "fault action"),
    gone("Asked",       As::Name,  TESTS,      "proxy request"),
    gone("judge",       As::Word,  TESTS,      "fault rule"),
    gone("Hit",         As::Name,  TESTS,      "request filter"),
    gone("calm",        As::Word,  TESTS,      "undisturbed run, or reduced motion"),
    gone("deeds",       As::Word,  TESTS,      "requests of a user"),
    gone("told",        As::Word,  TESTS,      "the report, message or output that it is"),
    gone("blamed",      As::Word,  TESTS,      "model failures"),
    gone("timeless",    As::Name,  TESTS,      "mask times"),
    gone("operate_as",  As::Name,  TESTS,      "start operator"),
    gone("last_words",  As::Name,  TESTS,      "log tails"),
    gone("state_of_things", As::Name, TESTS,   "state report"),
];

/// Where a verdict is what the words table of a rollout says.
const VERDICTS: [&str; 2] = ["operator/src/rollout/", "crds/src/shared/rollout.rs"];

/// Types that had several meanings: each may be defined once.
const ONE_MEANING: [&str; 5] = ["Kind", "Ask", "Source", "Watch", "Stage"];

/// Turns of phrase that a reader of another mother tongue stumbles over.
#[rustfmt::skip]
const STUMBLES: [(&str, &str); 6] = [
    (concat!("is none ", "that"),          "say what failed and on what"),
    (concat!("cannot ", "count"),          "cannot register metrics"),
    (concat!("nobody ", "listens"),        "say what does not listen on which port"),
    (concat!("nothing ", "by company"),    "say what batching gains"),
    (concat!("be of one ", "version"),     "install one version of both"),
    (concat!("is not ", "blamed"),         "say what causes what"),
];

/// Every name in code, and every file, that brings a word back.
pub fn faults() -> Vec<String> {
    rust_sources()
        .iter()
        .filter(|source| !source.path.starts_with("tests/tests/tidy"))
        .flat_map(in_source)
        .collect()
}

fn in_source(source: &Source) -> Vec<String> {
    let applies = |gone: &&Gone| {
        let is_here =
            gone.below.is_empty() || gone.below.iter().any(|folder| source.path.starts_with(folder));
        let is_rollout =
            gone.word.starts_with("verdict") && VERDICTS.iter().any(|folder| source.path.starts_with(folder));
        is_here && !is_rollout
    };
    let gone: Vec<&Gone> = GONE.iter().filter(applies).collect();
    let tokens = all_tokens(&source.text);
    let mut faults = Vec::new();
    let in_path = source.path.split(['/', '.']).flat_map(|name| gone.iter().find(|gone| names(gone, name)));
    faults.extend(
        in_path.map(|gone| format!("{}: {}: name the file {}", source.path, gone.word, gone.instead)),
    );
    let mut lines: BTreeMap<(usize, &str), &Gone> = BTreeMap::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.is_name()) {
        let found = gone.iter().find(|gone| match gone.how {
            As::Value => token.text == gone.word && is_value(&tokens, at),
            _ => names(gone, token.text),
        });
        if let Some(found) = found {
            lines.insert((token.line, token.text), found);
        }
    }
    let fault = |((line, name), gone): ((usize, &str), &Gone)| {
        format!("{}:{line}: {name}: the word is {}", source.path, gone.instead)
    };
    faults.extend(lines.into_iter().map(fault));
    faults
}

/// A field, a variable or a module, and not a function.
fn is_value(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at + 1).is_none_or(|next| !matches!(next.text, "(" | "::" | "<"))
        && (at == 0 || tokens[at - 1].text != "::")
}

fn names(gone: &Gone, name: &str) -> bool {
    match gone.how {
        As::Name => name == gone.word,
        As::Value => false,
        As::Word => words(name).iter().any(|word| word == gone.word),
    }
}

/// The words of `snake_case`, `CamelCase` and `UPPER_CASE`.
fn words(name: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut before_is_lower = false;
    for letter in name.chars() {
        if letter == '_' || letter == '-' || (letter.is_uppercase() && before_is_lower) {
            found.push(String::new());
        }
        before_is_lower = letter.is_lowercase() || letter.is_numeric();
        if let Some(word) = found.last_mut().filter(|_| letter != '_' && letter != '-') {
            word.extend(letter.to_lowercase());
        }
    }
    found
}

/// Every type whose name another type has already, for the names that had several meanings.
pub fn second_meanings() -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for source in rust_sources().iter().filter(|source| !source.path.starts_with("tests/tests/tidy")) {
        for pair in all_tokens(&source.text).windows(2) {
            let defines = matches!(pair[0].text, "struct" | "enum" | "trait" | "type");
            if let Some(name) = ONE_MEANING.iter().find(|name| defines && **name == pair[1].text) {
                places.entry(name).or_default().push(format!("{}:{}", source.path, pair[1].line));
            }
        }
    }
    let several = places.into_iter().filter(|(_, places)| places.len() > 1);
    several
        .map(|(name, places)| format!("{name}: {}: say in each name what it is of", places.join(", ")))
        .collect()
}

/// Every line of text with a turn of phrase that must not come back.
pub fn stumbles() -> Vec<String> {
    let mut faults = Vec::new();
    for path in text_files() {
        let text = fs::read_to_string(repository().join(&path)).unwrap_or_default();
        for (n, line) in text.lines().enumerate() {
            for (phrase, mend) in STUMBLES.iter().filter(|(phrase, _)| line.contains(phrase)) {
                faults.push(format!("{path}:{}: {phrase:?}: {mend}", n + 1));
            }
        }
    }
    faults
}

/// Every line of Markdown that holds the end of one sentence and the start of another.
pub fn crowded_lines() -> Vec<String> {
    let mut faults = Vec::new();
    for path in text_files().into_iter().filter(|path| path.ends_with(".md")) {
        let text = fs::read_to_string(repository().join(&path)).unwrap();
        let mut is_code = false;
        for (n, line) in text.lines().enumerate() {
            is_code ^= line.starts_with("```");
            if !is_code && !line.starts_with('|') && has_two_sentences(line) {
                faults
                    .push(format!("{path}:{}: two sentences: start the second on a line of its own", n + 1));
            }
        }
    }
    faults
}

fn has_two_sentences(line: &str) -> bool {
    line.match_indices(['.', '?', '!']).any(|(at, _)| {
        let is_number = line[..at].trim_start_matches(['#', ' ']).chars().all(|c| c.is_ascii_digit());
        let next = line[at + 1..].trim_start_matches(['*', ')', '`', '"']);
        !is_number
            && next.starts_with(' ')
            && next[1..].starts_with(|c: char| c.is_uppercase() || c == '`' || c == '*')
    })
}
