//! Compiles the gRPC contracts, in pure Rust: no `protoc` is needed.

use std::{env, error::Error, path::PathBuf};

use prost::Message;

const CONTRACTS: [&str; 3] =
    ["marquee/v1/ranker.proto", "marquee/v1/pages.proto", "inference/inference.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile(CONTRACTS, ["proto"])?;
    // Server reflection answers from this.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    std::fs::write(out.join("contracts.bin"), descriptors.encode_to_vec())?;
    let bytes = [".inference", ".marquee.v1.QueryResponse", ".marquee.v1.KnownViewer"];
    bytes
        .into_iter()
        .fold(tonic_prost_build::configure(), |build, path| build.bytes(path))
        .compile_fds(descriptors)?;
    println!("cargo::rerun-if-changed=proto");
    Ok(())
}
