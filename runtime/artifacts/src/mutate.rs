//! A bounded, seeded run of what the fuzz targets do without bound: neither parser may panic, loop or take memory
//! out of proportion, whatever the bytes.

use bytes::Bytes;

use crate::sample::{Sample, WEIGHTS};
use crate::{Limits, MIX_STEP, fuzzing, mix64};

const RUNS: usize = 20_000;

/// The mutations are the same on every machine and in every year.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(MIX_STEP);
        (mix64(self.0) % bound.max(1) as u64) as usize
    }
}

/// Words that parsers trip over, put in at random places.
const WORDS: [&[u8]; 14] = [
    b"0",
    b"-1",
    b"18446744073709551615",
    b"1e999",
    b"\"",
    b"\\u0000",
    b"{",
    b"]",
    b"null",
    b"..",
    b"/",
    b"\xff",
    b"[[[[[[[[",
    b"data_offsets",
];

fn mutate(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.splice(at..at, WORDS[random.below(WORDS.len())].iter().copied())),
            3 => {
                let end = (at + random.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + random.below(64)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                drop(bytes.splice(to..to, part));
            }
            _ if bytes.len() >= 8 => {
                let length = if random.below(2) == 0 {
                    random.below(4096) as u64
                } else {
                    u64::MAX >> random.below(64)
                };
                bytes[..8].copy_from_slice(&length.to_le_bytes());
            }
            _ => {}
        }
    }
    bytes
}

/// How many of the mutated inputs the parser still took: some, or the mutations are too wild to reach its depth.
fn run(seeds: &[Vec<u8>], parse: impl Fn(&[u8]) -> bool) -> usize {
    let mut random = Random(20_261_123);
    (0..RUNS).filter(|run| parse(&mutate(&seeds[run % seeds.len()], &mut random))).count()
}

#[test]
fn the_manifest_parser_survives_mutated_manifests() {
    let sample = Sample::new();
    let seed = std::fs::read(sample.dir.join("marquee.json")).unwrap();
    let compact = serde_json::from_slice::<serde_json::Value>(&seed).unwrap().to_string().into_bytes();
    let taken = run(&[seed, compact], fuzzing::manifest);
    assert!((100..RUNS - 100).contains(&taken), "{taken} of {RUNS} taken");
}

#[test]
fn the_weights_parser_survives_mutated_weights() {
    let sample = Sample::new();
    let seed = std::fs::read(sample.dir.join(WEIGHTS)).unwrap();
    let small =
        b"\x38\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}   ab".to_vec();
    assert!(crate::parse_weights(&Bytes::from(small.clone()), &Limits::default()).is_ok());
    let taken = run(&[seed, small], fuzzing::weights);
    assert!((100..RUNS - 100).contains(&taken), "{taken} of {RUNS} taken");
}

#[test]
fn the_line_parsers_survive_mutated_tables() {
    let ids = b"\"10\"\n\"20\"\n\"caf\\u00e9\"\n".to_vec();
    let titles = b"{\"id\":\"1\",\"name\":\"A\",\"year\":1977,\"genres\":[\"B\"],\"plays\":3}\n".to_vec();
    let taken = run(&[ids, titles], fuzzing::lines);
    assert!((100..RUNS - 100).contains(&taken), "{taken} of {RUNS} taken");
}
