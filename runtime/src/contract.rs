//! Code that `build.rs` generates from the gRPC contracts in `proto/`, for servers and clients.
#![expect(missing_docs, clippy::all, reason = "generated")]

/// The Open Inference Protocol.
pub mod inference {
    tonic::include_proto!("inference");
}

/// Marquee's contract.
pub mod marquee {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("marquee.v1");
    }
}

/// Descriptors of both contracts, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contracts.bin"));
