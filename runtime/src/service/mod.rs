//! The service layer: one answer for gRPC, HTTP/JSON and the Open Inference Protocol.

pub mod types;
