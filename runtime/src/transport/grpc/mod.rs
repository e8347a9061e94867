//! The gRPC listener: `marquee.v1`, the Open Inference Protocol, health and reflection, on one port.

mod health;
mod inference;
mod pages;
mod ranker;
mod refused;
mod status;

use std::sync::Arc;

use hyper_util::service::TowerToHyperService;
use tonic::{codec::CompressionEncoding, service::Routes};
use tonic_health::pb::health_server::HealthServer;
use tonic_reflection::server::{Builder, Error};

pub use crate::contract;

use self::contract::{
    inference::grpc_inference_service_server::GrpcInferenceServiceServer,
    marquee::v1::{pages_server::PagesServer, ranker_server::RankerServer},
};
use self::refused::Explained;
use super::{call::Shared, oip};

/// Full names of the services, as health checks use them.
pub const SERVICES: [&str; 3] = ["marquee.v1.Ranker", "marquee.v1.Pages", oip::SERVICE];

/// Implements every gRPC service with the shared state.
#[derive(Clone)]
pub(super) struct GrpcServices(Arc<Shared>);

/// A server that reads and writes compressed messages, within the limit for bodies before and after decompression.
macro_rules! compressed {
    ($server:expr, $limit:expr) => {
        $server
            .max_decoding_message_size($limit)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Deflate)
            .accept_compressed(CompressionEncoding::Zstd)
            .send_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Deflate)
            .send_compressed(CompressionEncoding::Zstd)
    };
}

/// All services of the gRPC port.
///
/// # Errors
/// When building the reflection service fails.
pub(super) fn service(shared: Arc<Shared>) -> Result<Explained, Error> {
    let limit = shared.limits.max_body;
    let services = GrpcServices(shared.clone());
    let reflection = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(contract::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = Routes::new(compressed!(RankerServer::new(services.clone()), limit))
        .add_service(compressed!(PagesServer::new(services.clone()), limit))
        .add_service(compressed!(GrpcInferenceServiceServer::new(services.clone()), limit))
        .add_service(HealthServer::new(services))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .prepare();
    Ok(Explained { routes: TowerToHyperService::new(routes), shared })
}
