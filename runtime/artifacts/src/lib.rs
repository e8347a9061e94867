//! Artifacts: a folder (or object prefix) with `marquee.json`, `*.safetensors` and id tables. Data, never code.
//!
//! The manifest names every file with size and SHA-256; the digest of the manifest therefore covers the artifact.
//! Reading order: what is written in the manifest, how a folder is opened and checked, how one is written, and
//! (feature `fetch`) how it comes from elsewhere.

pub mod manifest;
pub mod tensor;
// to come: ids, digest, open (verify), mmap, write, catalogue, and under feature "fetch": fetch/, cache

pub use manifest::Manifest;
pub use tensor::{Dtype, RawTensor};
