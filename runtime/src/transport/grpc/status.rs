//! Start, end and errors of a gRPC call.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use prost::Message;
use tonic::{Code as GrpcCode, Request, Response, Status, metadata::MetadataMap};

use super::GrpcServices;
use crate::{
    service::types::{RequestContext, ServeError},
    telemetry::{Code, Method},
    transport::{call::Call, http::code},
};

/// `google.rpc.Status`, the content of the trailer `grpc-status-details-bin`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Span>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Span {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

impl GrpcServices {
    /// Answers one call: makes its context, counts and logs its end, adds the common headers to its answer.
    pub(super) async fn answer<Q, A, F>(
        &self,
        method: Method,
        request: Request<Q>,
        work: impl FnOnce(Q, RequestContext) -> F,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<A, ServeError>>,
    {
        let (metadata, _, message) = request.into_parts();
        // Clients accept compressed answers without being asked (all that build on gRPC's C core). Compression costs time,
        // so an answer is compressed only if its request was.
        let is_compressed = metadata.get("grpc-encoding").is_some_and(|encoding| encoding != "identity");
        let call = self.0.begin(method, metadata.as_ref());
        let result = match call.context() {
            Err(error) => Err(ServeError::Invalid(error.to_string())),
            // A panic ends one call, not its connection.
            Ok(context) => AssertUnwindSafe(work(message, context))
                .catch_unwind()
                .await
                .unwrap_or(Err(ServeError::Internal)),
        };
        match result {
            Ok(answer) => {
                self.0.end(&call, Code::Ok, None);
                let mut response = Response::new(answer);
                if !is_compressed {
                    response.disable_compression();
                }
                sign(&call, response.metadata_mut());
                Ok(response)
            }
            Err(error) => {
                let mut status = status(&error);
                self.0.end(&call, code(&error), Some(status.message()));
                sign(&call, status.metadata_mut());
                Err(status)
            }
        }
    }
}

fn sign(call: &Call, metadata: &mut MetadataMap) {
    let mut headers = std::mem::take(metadata).into_headers();
    call.sign(&mut headers);
    *metadata = MetadataMap::from_headers(headers);
}

/// The status of each error of the service.
fn status(error: &ServeError) -> Status {
    let message = error.to_string();
    match error {
        ServeError::Invalid(_) => Status::invalid_argument(message),
        ServeError::NotFound(_) => Status::not_found(message),
        ServeError::Shed { retry_after, .. } => shed(message, *retry_after),
        ServeError::DeadlineExceeded => Status::deadline_exceeded(message),
        ServeError::Changed(_) => Status::failed_precondition(message),
        ServeError::NotReady(_) => Status::unavailable(message),
        ServeError::Internal => Status::internal(message),
    }
}

/// RESOURCE_EXHAUSTED with the time after which the caller may try again.
fn shed(message: String, retry_after: Duration) -> Status {
    let span = Span { seconds: retry_after.as_secs() as i64, nanos: retry_after.subsec_nanos() as i32 };
    let info = RetryInfo { retry_delay: Some(span) };
    let details = RpcStatus {
        code: GrpcCode::ResourceExhausted as i32,
        message: message.clone(),
        details: vec![Any { type_url: RETRY_INFO.into(), value: info.encode_to_vec() }],
    };
    Status::with_details(GrpcCode::ResourceExhausted, message, details.encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_status() {
        #[rustfmt::skip]
        let cases = [
            (ServeError::Invalid("k is 0".into()),            GrpcCode::InvalidArgument),
            (ServeError::NotFound("no such model".into()),    GrpcCode::NotFound),
            (ServeError::DeadlineExceeded,                    GrpcCode::DeadlineExceeded),
            (ServeError::Changed("a newer one".into()),       GrpcCode::FailedPrecondition),
            (ServeError::NotReady("still loading".into()),    GrpcCode::Unavailable),
            (ServeError::Internal,                            GrpcCode::Internal),
        ];
        for (error, code) in cases {
            assert_eq!(status(&error).code(), code, "{error}");
            assert_eq!(status(&error).message(), error.to_string());
        }
    }

    #[test]
    fn what_is_shed_says_when_to_try_again() {
        let error = ServeError::Shed { in_flight: 64, retry_after: Duration::from_millis(1250) };
        let status = status(&error);
        assert_eq!(status.code(), GrpcCode::ResourceExhausted);
        let details = RpcStatus::decode(status.details()).unwrap();
        assert_eq!(details.details[0].type_url, RETRY_INFO);
        let info = RetryInfo::decode(&*details.details[0].value).unwrap();
        assert_eq!(info.retry_delay, Some(Span { seconds: 1, nanos: 250_000_000 }));
    }
}
