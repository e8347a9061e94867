//! Which room of a crate may name which, and that files of a room form no circle.

use std::{collections::BTreeMap, fs};

use super::{
    modules::{Crate, Edge, crates},
    sources::{repository, rust_sources},
};

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
            "served",
            "pod_status",
            "listener",
            "context",
            "capabilities",
            "cache",
            "resources",
            "rollout",
            "transition",
            "observed",
            "child",
            "metrics",
        ],
    },
    House {
        sources: "operator/kit/src/",
        order: &[
            "process", "http", "workers", "status", "apply", "watch", "resource", "context", "kinds",
            "operator", "cache", "events", "client", "metrics", "leader", "queue", "backoff", "error",
            "child", "names", "jitter",
        ],
    },
];

/// Circles that are meant. ARCHITECTURE.md names each with its reason.
const MEANT: [(&str, &[&str]); 1] = [("runtime/models/src/scan", &["kernel", "portable", "v3", "v4"])];

impl House {
    fn rank(&self, room: &str) -> Option<usize> {
        self.order.iter().position(|known| *known == room)
    }

    fn faults_of(&self, rooms: &Crate) -> Vec<String> {
        let unknown = rooms.children(&[]).into_iter().filter(|room| self.rank(room).is_none()).map(|room| {
            format!("{}{room}: the room has no place: give it one in tests/tests/tidy/rooms.rs", self.sources)
        });
        let upward = rooms.edges().into_iter().filter_map(|edge| {
            let (room, other) = (edge.from.first()?, edge.to.first()?);
            let is_above = self.rank(other)? < self.rank(room)?;
            is_above.then(|| {
                format!("{}: {room} names {other}, which stands above it: move the piece down", edge.place)
            })
        });
        unknown.chain(upward).collect()
    }
}

/// Every line that names a room above its own.
pub fn faults() -> Vec<String> {
    let of_house = |rooms: &Crate| {
        let house = HOUSES.iter().find(|house| house.sources == rooms.folder);
        house.map(|house| house.faults_of(rooms)).unwrap_or_default()
    };
    crates(&rust_sources()).iter().flat_map(of_house).collect()
}

/// Every circle of neighbours: modules of one folder, each with all below it, that name each other.
pub fn circles() -> Vec<String> {
    let architecture = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let mut faults = Vec::new();
    let mut meant_found = 0;
    for rooms in crates(&rust_sources()) {
        let edges = rooms.edges();
        for parent in rooms.parents() {
            let folder = format!("{}{}", rooms.folder, parent.join("/"));
            let folder = folder.trim_end_matches('/');
            for circle in circles_below(&parent, &edges) {
                let is_meant = MEANT
                    .iter()
                    .any(|(place, members)| *place == folder && circle.members.iter().eq(members.iter()));
                if !is_meant {
                    faults.push(circle.fault(folder));
                } else if !architecture.contains(folder) {
                    faults.push(format!(
                        "{folder}: a circle that is meant: name it in ARCHITECTURE.md with its reason"
                    ));
                }
                meant_found += usize::from(is_meant);
            }
        }
    }
    if meant_found < MEANT.len() {
        faults.push("tests/tests/tidy/rooms.rs: MEANT names a circle that is gone: delete its line".into());
    }
    faults
}

struct Circle {
    members: Vec<String>,
    /// One place for each step.
    steps: Vec<String>,
}

impl Circle {
    fn fault(&self, folder: &str) -> String {
        let (members, steps) = (self.members.join(", "), self.steps.join("\n    "));
        format!(
            "{folder}: {members} name each other: move what both need into a file below them\n    {steps}"
        )
    }
}

fn circles_below(parent: &[String], edges: &[Edge]) -> Vec<Circle> {
    let mut named: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for edge in edges {
        let child = |path: &'_ [String]| path.strip_prefix(parent).and_then(|rest| rest.first().cloned());
        let (Some(from), Some(to)) = (child(&edge.from), child(&edge.to)) else { continue };
        if from != to {
            let (from, to) = (&edge.from[parent.len()], &edge.to[parent.len()]);
            named.entry(from).or_default().entry(to).or_insert(&edge.place);
        }
    }
    let reaches = |from: &str, goal: &str| {
        let mut open: Vec<&str> = named.get(from).into_iter().flat_map(|next| next.keys().copied()).collect();
        let mut seen = open.clone();
        while let Some(at) = open.pop() {
            for next in named.get(at).into_iter().flat_map(|next| next.keys().copied()) {
                if !seen.contains(&next) {
                    seen.push(next);
                    open.push(next);
                }
            }
        }
        seen.contains(&goal)
    };
    let mut circles: Vec<Circle> = Vec::new();
    for start in named.keys() {
        let is_known = circles.iter().any(|circle| circle.members.iter().any(|member| member == start));
        if is_known || !reaches(start, start) {
            continue;
        }
        let members: Vec<&str> =
            named.keys().copied().filter(|other| reaches(start, other) && reaches(other, start)).collect();
        let steps = members.iter().flat_map(|from| {
            let steps = named[from].iter().filter(|(to, _)| members.contains(to));
            steps.map(move |(to, place)| format!("{place}: {from} names {to}"))
        });
        let steps = steps.collect();
        circles.push(Circle { members: members.into_iter().map(str::to_owned).collect(), steps });
    }
    circles
}
