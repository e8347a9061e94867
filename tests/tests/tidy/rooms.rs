//! Which room of a crate may name which.

use super::sources::{Source, rust_sources};

/// A crate whose rooms stand one above the other: a room names rooms that stand below it, and no other.
struct House {
    sources: &'static str,
    /// From the top down.
    order: &'static [&'static str],
}

const HOUSES: [House; 3] = [
    House {
        sources: "runtime/src/",
        order: &[
            "main",
            "commands",
            "args",
            "transport",
            "preview",
            "engine",
            "discovery",
            "rankers",
            "telemetry",
            "service",
            "serving",
            "contract",
            "cpu",
        ],
    },
    House {
        sources: "operator/src/",
        order: &[
            "main",
            "operator",
            "check",
            "logs",
            "args",
            "controllers",
            "report",
            "loading",
            "context",
            "capabilities",
            "cache",
            "resources",
            "rollout",
            "plan",
            "observed",
            "child",
            "metrics",
        ],
    },
    House {
        sources: "operator/kit/src/",
        order: &[
            "http",
            "workers",
            "status",
            "apply",
            "watch",
            "resource",
            "context",
            "kinds",
            "operator",
            "cache",
            "events",
            "client",
            "metrics",
            "leader",
            "queue",
            "backoff",
            "error",
            "child",
            "names",
            "jitter",
        ],
    },
];

impl House {
    fn rank(&self, room: &str) -> Option<usize> {
        self.order.iter().position(|known| *known == room)
    }

    fn holds(&self, source: &Source) -> bool {
        source.path.starts_with(self.sources) && !source.path.ends_with("/lib.rs")
    }

    fn faults_of(&self, source: &Source) -> Vec<String> {
        let inner = &source.path[self.sources.len()..];
        let room = inner.split(['/', '.']).next().unwrap_or(inner);
        let Some(own) = self.rank(room) else {
            let path = &source.path;
            return vec![format!(
                "{path}: room {room} has no place: give it one in tests/tests/tidy/rooms.rs"
            )];
        };
        let named = source
            .code_lines()
            .flat_map(|(n, line)| named_rooms(line).into_iter().map(move |room| (n, room)));
        let upward = named
            .chain(grouped_uses(source))
            .filter(|(_, other)| self.rank(other).is_some_and(|other| other < own));
        let fault = |(n, other): (usize, String)| {
            format!("{}:{n}: {room} names {other}, which stands above it: move the piece down", source.path)
        };
        upward.map(fault).collect()
    }
}

/// Every line that names a room above its own.
pub fn faults() -> Vec<String> {
    let sources = rust_sources();
    let of_house = |house: &House| {
        let held: Vec<_> = sources.iter().filter(|source| house.holds(source)).collect();
        held.into_iter().flat_map(|source| house.faults_of(source)).collect::<Vec<_>>()
    };
    HOUSES.iter().flat_map(of_house).collect()
}

/// Rooms named as `crate::room`.
fn named_rooms(line: &str) -> Vec<String> {
    line.split("crate::").skip(1).map(first_word).filter(|word| !word.is_empty()).collect()
}

/// Rooms named inside `use crate::{room::…, other::…}`, which may run over several lines.
fn grouped_uses(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, _) in source.text.match_indices("crate::{") {
        let line = source.text[..start].lines().count();
        let mut depth = 0;
        let mut item = String::new();
        for letter in source.text[start + "crate::".len()..].chars() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => found.push((line, first_word(std::mem::take(&mut item).trim()))),
                _ if depth == 1 => item.push(letter),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        found.push((line, first_word(item.trim())));
    }
    found
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
