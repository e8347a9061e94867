//! Arbitrary bytes as safetensors files.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    marquee_artifacts::fuzzing::weights(bytes);
});
