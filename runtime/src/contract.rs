//! What `build.rs` makes of the gRPC contracts in `proto/`: for the listener that answers and for the pages that ask.
#![expect(missing_docs, clippy::all, reason = "generated")]

/// The Open Inference Protocol.
pub mod inference {
    tonic::include_proto!("inference");
}

/// Marquee's own.
pub mod marquee {
    /// First version.
    pub mod v1 {
        tonic::include_proto!("marquee.v1");
    }
}

/// Both, described for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contracts.bin"));
