//! Calls that no handler sees, because tonic refuses them: unknown methods, and messages over the limit.
//!
//! They get the headers of every answer, are counted and logged, and say what to do.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use http::{HeaderMap, Request, Response, Uri};
use hyper::{body::Incoming, service::Service};
use hyper_util::service::TowerToHyperService;
use tonic::{Code as GrpcCode, Status, body::Body, service::Routes};

use super::{
    SERVICES,
    contract::marquee::v1::{pages_server, ranker_server},
};
use crate::{
    telemetry::{Code, Method},
    transport::{
        Limits,
        call::{REQUEST_ID, Shared, TRACEPARENT},
        oip::{self, Unsupported},
    },
};

/// The services of the gRPC port, with explanations of what tonic refuses.
#[derive(Clone)]
pub(in crate::transport) struct Explained {
    pub(super) routes: TowerToHyperService<Routes>,
    pub(super) shared: Arc<Shared>,
}

impl Service<Request<Incoming>> for Explained {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let uri = request.uri().clone();
        let ids = [REQUEST_ID, TRACEPARENT].map(|name| request.headers().get(&name).cloned());
        let (answer, shared) = (self.routes.call(request), self.shared.clone());
        Box::pin(async move {
            let mut response = answer.await?;
            // Handlers put the id into each of their answers. Health and reflection have their own errors.
            if response.headers().contains_key(REQUEST_ID) {
                return Ok(response);
            }
            let Some(status) = Status::from_header_map(response.headers()) else { return Ok(response) };
            let Some((code, status)) = explained(&status, &uri, &shared.limits) else {
                return Ok(response);
            };
            let mut headers = HeaderMap::new();
            for (name, value) in [REQUEST_ID, TRACEPARENT].into_iter().zip(ids) {
                headers.extend(value.map(|value| (name, value)));
            }
            let call = shared.begin(method(uri.path()), &headers);
            shared.end(&call, code, Some(status.message()));
            response = status.into_http();
            call.sign(response.headers_mut());
            Ok(response)
        })
    }
}

/// What a refusal of tonic should say, and the code under which it counts. `None` for what is clear enough.
fn explained(status: &Status, uri: &Uri, limits: &Limits) -> Option<(Code, Status)> {
    match status.code() {
        // The message is empty for an unknown method, and names an unknown compression.
        GrpcCode::Unimplemented if status.message().is_empty() => {
            Some((Code::Unsupported, Status::unimplemented(unknown_method(uri.path()))))
        }
        GrpcCode::Unimplemented => Some((Code::Unsupported, status.clone())),
        // Before and after decompression.
        GrpcCode::OutOfRange | GrpcCode::ResourceExhausted => {
            let Limits { max_body, max_body_setting, .. } = limits;
            let message = format!(
                "the message is over {max_body} bytes: send fewer titles, or raise {max_body_setting}"
            );
            Some((Code::TooLarge, Status::out_of_range(message)))
        }
        GrpcCode::Internal => Some((Code::Invalid, status.clone())),
        _ => None,
    }
}

/// Why there is no such method, and what to use instead.
fn unknown_method(path: &str) -> String {
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
    if service == oip::SERVICE
        && let Some(unsupported) = Unsupported::of_grpc(method)
    {
        return unsupported.to_string();
    }
    if SERVICES.contains(&service) {
        return format!(
            "service {service:?} has no method {method:?}: `grpcurl ADDRESS list {service}` lists its methods"
        );
    }
    format!("service {service:?} does not exist: the services are {}", SERVICES.join(", "))
}

/// The label of a call that was refused.
fn method(path: &str) -> Method {
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    match (service, method) {
        (ranker_server::SERVICE_NAME, "Score") => Method::GrpcScore,
        (ranker_server::SERVICE_NAME, "TopK") => Method::GrpcTopK,
        (ranker_server::SERVICE_NAME, "Query") => Method::GrpcQuery,
        (ranker_server::SERVICE_NAME, "KeepSlices") => Method::GrpcKeepSlices,
        (pages_server::SERVICE_NAME, "GetPage") => Method::GrpcPage,
        (oip::SERVICE, "ModelInfer") => Method::GrpcInfer,
        _ => Method::GrpcUnknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::limits;

    #[test]
    fn a_refusal_says_what_to_use_instead() {
        let limits = Limits { max_body: 1000, ..limits() };
        let big = "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes";
        #[rustfmt::skip]
        let cases = [
            // path                                                  status of tonic                            code               message holds
            ("/marquee.v1.Ranker/Score",                             Status::out_of_range(big),                 Code::TooLarge,    "over 1000 bytes: send fewer titles, or raise --max-body"),
            ("/marquee.v1.Ranker/Score",                             Status::resource_exhausted("a bomb"),      Code::TooLarge,    "over 1000 bytes"),
            ("/marquee.v1.Ranker/Score",                             Status::unimplemented("compressed with br"), Code::Unsupported, "compressed with br"),
            ("/marquee.v1.Ranker/Scores",                            Status::unimplemented(""),                 Code::Unsupported, "\"marquee.v1.Ranker\" has no method \"Scores\""),
            ("/tensorflow.serving.PredictionService/Predict",        Status::unimplemented(""),                 Code::Unsupported, "the services are marquee.v1.Ranker, marquee.v1.Pages, inference.GRPCInferenceService"),
            ("/",                                                    Status::unimplemented(""),                 Code::Unsupported, "the services are"),
            ("/inference.GRPCInferenceService/RepositoryIndex",      Status::unimplemented(""),                 Code::Unsupported, "GET /status"),
            ("/inference.GRPCInferenceService/ModelStatistics",      Status::unimplemented(""),                 Code::Unsupported, "GET /metrics"),
            ("/inference.GRPCInferenceService/ModelStreamInfer",     Status::unimplemented(""),                 Code::Unsupported, "ModelInfer"),
            ("/inference.GRPCInferenceService/CudaSharedMemoryStatus", Status::unimplemented(""),               Code::Unsupported, "shared memory"),
            ("/inference.GRPCInferenceService/Nothing",              Status::unimplemented(""),                 Code::Unsupported, "has no method \"Nothing\""),
        ];
        for (path, status, code, message) in cases {
            let (found, status) = explained(&status, &path.parse().unwrap(), &limits).unwrap();
            assert_eq!(found, code, "{path}");
            assert!(status.message().contains(message), "{path}: {}", status.message());
        }
    }
}
