//! The HTTP listener. It matches routes by hand and answers from one buffer, without layers in between.

mod body;
mod encode;
mod encoding;
mod infer;
mod input;
mod operations;
mod problem;
mod ranking;
mod reply;
mod routes;

use std::{convert::Infallible, future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use futures::FutureExt;
use http::{Request, Response, request::Parts};
use hyper::{body::Incoming, service::Service};
use tower::ServiceExt;

pub(in crate::transport) use self::problem::code;
pub use self::{
    problem::{Problem, Style},
    reply::Body,
    routes::ROUTES,
};
use self::{
    reply::Reply,
    routes::{Found, Route},
};
use super::call::{Call, Shared};
use crate::telemetry::{Code, Method};

/// Answers every HTTP request. Cloning is cheap.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
    preview: Option<axum::Router>,
}

impl Service<Request<Incoming>> for Http {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        if let Some(preview) = self.preview.as_ref().filter(|_| routes::is_preview(request.uri().path())) {
            return Box::pin(show(self.shared.clone(), preview.clone(), request));
        }
        let shared = self.shared.clone();
        Box::pin(async move { Ok(answer(&shared, request).await) })
    }
}

impl Http {
    /// Answers requests with the state in `shared`. `preview` answers below `/preview`.
    pub fn new(shared: Arc<Shared>, preview: Option<axum::Router>) -> Self {
        Self { shared, preview }
    }
}

/// Answers one request.
async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let found = routes::find(&parts.method, parts.uri.path());
    let call = shared.begin(found.method(), &parts.headers);
    let asked = Asked { shared, call: &call, parts: &parts };
    // A panic ends one request, not its connection.
    let result = AssertUnwindSafe(asked.answer(&found, body)).catch_unwind().await.unwrap_or_else(|_| {
        Err(Problem::new(Code::Internal, crate::service::types::ServeError::Internal.to_string()))
    });
    let (reply, problem) = match result {
        Ok(reply) => (reply, None),
        Err(problem) => {
            (problem.reply(found.style(), call.request_id.to_str().unwrap_or_default()), Some(problem))
        }
    };
    let mut response = encoding::compress(reply, &parts.headers).await.into_response();
    match problem {
        None => shared.end(&call, Code::Ok, None),
        Some(problem) => shared.end(&call, problem.code, Some(&problem.detail)),
    }
    call.sign(response.headers_mut());
    response
}

/// A request in progress.
struct Asked<'a> {
    shared: &'a Shared,
    call: &'a Call,
    parts: &'a Parts,
}

impl Asked<'_> {
    async fn answer(&self, found: &Found<'_>, body: Incoming) -> Result<Reply, Problem> {
        let route = match found {
            Found::Route(route) => route,
            Found::Options(allow) => return Ok(operations::options(allow)),
            _ => return Err(routes::missing(found)),
        };
        match route {
            Route::Infer(model, version) => self.infer(model, version.as_deref(), body).await,
            Route::Score(objective) => self.score(objective, body).await,
            Route::TopK(objective) => self.top_k(objective, body).await,
            Route::Page(surface) => self.page(surface, body).await,
            Route::OpenApi => Ok(operations::open_api()),
            Route::Live => Ok(operations::live()),
            Route::Ready => Ok(operations::ready(&self.shared.service)),
            Route::Status => operations::status(&self.shared.service),
            Route::Metrics => operations::metrics(&self.shared.metrics),
            Route::Server => Ok(infer::server()),
            Route::ServerLive => Ok(infer::server_live()),
            Route::ServerReady => Ok(infer::server_ready(&self.shared.service)),
            Route::Model(model, version) => infer::model(&self.shared.service, model, version.as_deref()),
            Route::ModelReady(model, version) => {
                infer::model_ready(&self.shared.service, model, version.as_deref())
            }
        }
    }
}

/// Answers from the preview's axum router; counts and traces the request like all others.
async fn show(
    shared: Arc<Shared>,
    preview: axum::Router,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let call = shared.begin(Method::HttpPreview, request.headers());
    let response = preview.oneshot(request.map(axum::body::Body::new)).await?;
    let code = match response.status().as_u16() {
        ..400 => Code::Ok,
        404 => Code::NotFound,
        405 => Code::MethodNotAllowed,
        400..500 => Code::Invalid,
        _ => Code::Internal,
    };
    shared.end(&call, code, None);
    let mut response = response.map(Body::Streamed);
    call.sign(response.headers_mut());
    Ok(response)
}
