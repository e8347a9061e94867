//! Arbitrary bytes as `marquee.json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    marquee_artifacts::fuzzing::manifest(bytes);
});
