//! `grpc.health.v1.Health`: reports the readiness at the time of the call.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt, stream};
use tokio_stream::wrappers::IntervalStream;
use tonic::{Request, Response, Status, async_trait};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health,
};

use super::{GrpcServices, SERVICES};

/// How often readiness is checked for watching clients.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl GrpcServices {
    /// The status of a service on this port; `""` means the whole port.
    fn serving(&self, service: &str) -> Option<ServingStatus> {
        let known = service.is_empty() || SERVICES.contains(&service);
        let ready = self.0.service.is_ready();
        known.then_some(if ready { ServingStatus::Serving } else { ServingStatus::NotServing })
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[async_trait]
impl Health for GrpcServices {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        let status = self.serving(&service).ok_or_else(|| {
            Status::not_found(format!(
                "service {service:?} does not exist: send \"\" or one of {}",
                SERVICES.join(", ")
            ))
        })?;
        Ok(Response::new(response(status)))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let services = self.clone();
        // The protocol lets clients watch an unknown service until it appears. Here no service appears later.
        let now = move || services.serving(&service).unwrap_or(ServingStatus::ServiceUnknown);
        let looks = IntervalStream::new(tokio::time::interval(LOOK_EVERY)).map(move |_| now());
        let changes = looks.scan(None, |last, status| {
            let changed = last.replace(status) != Some(status);
            std::future::ready(Some(changed.then_some(status)))
        });
        let answers = changes.flat_map(stream::iter).map(|status| Ok(response(status)));
        Ok(Response::new(Box::pin(answers)))
    }
}
