//! The gRPC listener: `marquee.v1`, the Open Inference Protocol, health and reflection, on one port.

mod health;
mod inference;
mod pages;
mod ranker;
mod status;

use std::sync::Arc;

use hyper_util::service::TowerToHyperService;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_reflection::server::{Builder, Error};

pub use crate::contract;

use self::contract::{
    inference::grpc_inference_service_server::GrpcInferenceServiceServer,
    marquee::v1::{pages_server::PagesServer, ranker_server::RankerServer},
};
use super::call::Shared;

/// Full names of the services, as health checks use them.
pub const SERVICES: [&str; 3] = ["marquee.v1.Ranker", "marquee.v1.Pages", "inference.GRPCInferenceService"];

/// Implements every gRPC service with the shared state.
#[derive(Clone)]
pub(super) struct GrpcServices(Arc<Shared>);

/// All services of the gRPC port.
///
/// # Errors
/// When building the reflection service fails.
pub(super) fn service(shared: Arc<Shared>) -> Result<TowerToHyperService<Routes>, Error> {
    let limit = shared.limits.max_body;
    let services = GrpcServices(shared);
    let reflection = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(contract::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = Routes::new(RankerServer::new(services.clone()).max_decoding_message_size(limit))
        .add_service(PagesServer::new(services.clone()).max_decoding_message_size(limit))
        .add_service(GrpcInferenceServiceServer::new(services.clone()).max_decoding_message_size(limit))
        .add_service(HealthServer::new(services))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .prepare();
    Ok(TowerToHyperService::new(routes))
}
