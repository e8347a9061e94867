//! Artifacts: a folder (or object prefix) with `marquee.json`, `*.safetensors` and id tables. Data, never code.
//!
//! The manifest names every file with size and SHA-256; the digest of the manifest therefore covers the artifact.
//! Reading order: what is written in the manifest, which tensors an architecture declares, how a folder is opened and
//! checked, how one is written, and
//! (feature `fetch`) how it comes from elsewhere.

pub mod manifest;
pub mod tensor;

pub mod layout;

pub mod fuzzing;

mod architecture;
mod artifact;
mod open;
mod write;

#[cfg(feature = "fetch")]
pub mod fetch;

mod backoff;
mod catalogue;
mod digest;
mod error;
mod ids;
mod limits;
mod mix;
mod mmap;
mod rows;
mod weights;

#[cfg(test)]
mod mutate;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod sample;

pub use architecture::Architecture;
pub use artifact::Artifact;
pub use backoff::{Backoff, jitter};
pub use catalogue::{CatalogueEntry, parse_catalogue};
pub use digest::{Digest, DigestError, Hasher};
pub use error::{ArtifactError, Fault, Finding};
pub use ids::IdTable;
pub use layout::Layout;
pub use limits::Limits;
pub use manifest::{Golden, GoldenCase, Lineage, Manifest, Role};
pub use mix::{MIX_STEP, mix64};
pub use open::{Checked, OpenOptions, digest, open};
pub use rows::{CatalogueRow, TableRow, TitleRow, ViewerRow};
pub use tensor::{Dtype, RawTensor};
pub use weights::parse_weights;
pub use write::{TensorData, WriteError, Writer};

#[cfg(feature = "fetch")]
pub use fetch::{
    FetchError, FetchOptions, Fetched, Fetcher, Lease, Progress, StoreCause, install_crypto_provider,
};

#[cfg(not(target_endian = "little"))]
compile_error!("artifacts are little endian and mapped in place: this machine is big endian");
