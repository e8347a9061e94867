//! Which room of `runtime/src` may name which.

use super::sources::{Source, rust_sources};

/// From the top down: a room names rooms that stand below it, and no other.
const ORDER: [&str; 13] = [
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
];

fn rank(room: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == room)
}

/// Every line that names a room above its own.
pub fn faults() -> Vec<String> {
    let is_runtime =
        |source: &Source| source.path.starts_with("runtime/src/") && !source.path.ends_with("/lib.rs");
    let mut faults = Vec::new();
    for source in rust_sources().into_iter().filter(is_runtime) {
        let inner = &source.path["runtime/src/".len()..];
        let room = inner.split(['/', '.']).next().unwrap_or(inner);
        let Some(own) = rank(room) else {
            faults.push(format!(
                "{}: room {room} has no place: give it one in tests/tests/tidy/rooms.rs",
                source.path
            ));
            continue;
        };
        let named = source
            .code_lines()
            .flat_map(|(n, line)| named_rooms(line).into_iter().map(move |room| (n, room)));
        let mut upward: Vec<_> =
            named.filter(|(_, other)| rank(other).is_some_and(|other| other < own)).collect();
        upward.extend(
            grouped_uses(&source).into_iter().filter(|(_, other)| rank(other).is_some_and(|o| o < own)),
        );
        for (n, other) in upward {
            faults.push(format!(
                "{}:{n}: {room} names {other}, which stands above it: move the piece down",
                source.path
            ));
        }
    }
    faults
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
