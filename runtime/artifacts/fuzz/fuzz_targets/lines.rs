//! Arbitrary bytes as id tables and catalogues.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    marquee_artifacts::fuzzing::lines(bytes);
});
