//! The client of a store, which says what answers and failures show to be wrong with the settings.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{Certificate, ClientOptions};
use tower_http::follow_redirect::RequestUri;

use super::misfit::{Answer, Misfit, StoreFacts};

/// Makes clients that trust certain authorities beside the system's.
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    pub(crate) facts: Arc<StoreFacts>,
    pub(crate) authorities: Arc<Vec<Certificate>>,
}

impl fmt::Debug for GuardedConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedConnector").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl HttpConnector for GuardedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let trusting = |options: ClientOptions, authority: &Certificate| {
            options.with_root_certificate(authority.clone())
        };
        let options = self.authorities.iter().fold(options.clone(), trusting);
        let client = ReqwestConnector::default().connect(&options)?;
        Ok(HttpClient::new(Guard { client, facts: self.facts.clone() }))
    }
}

#[derive(Debug)]
struct Guard {
    client: HttpClient,
    facts: Arc<StoreFacts>,
}

impl HttpService for Guard {
    fn call<'guard, 'call>(
        &'guard self,
        request: HttpRequest,
    ) -> BoxFuture<'call, Result<HttpResponse, HttpError>>
    where
        'guard: 'call,
        Self: 'call,
    {
        Box::pin(self.ask(request))
    }
}

impl Guard {
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = request.uri().clone();
        let host = asked.authority().map(ToString::to_string).unwrap_or_default();
        match self.client.execute(request).await {
            Ok(response) if matches!(response.status().as_u16(), 300..=303 | 305..=404) => {
                let (parts, body) = response.into_parts();
                let body = body.bytes().await?;
                let header = |name: &str| parts.headers.get(name)?.to_str().ok();
                let followed = parts.extensions.get::<RequestUri>().map(|uri| &uri.0);
                let followed =
                    followed.filter(|uri| uri.authority() != asked.authority()).map(ToString::to_string);
                let answer = Answer {
                    status: parts.status.as_u16(),
                    region: header("x-amz-bucket-region"),
                    redirect: header("location").or(followed.as_deref()),
                    body: &String::from_utf8_lossy(&body),
                };
                match self.facts.of_answer(&host, asked.query().unwrap_or_default(), &answer) {
                    // Of a kind that is not tried again.
                    Some(misfit) => Err(HttpError::new(HttpErrorKind::Unknown, misfit)),
                    None => Ok(HttpResponse::from_parts(parts, body.into())),
                }
            }
            Ok(response) => Ok(response),
            Err(error) => Err(self.explained(&host, error)),
        }
    }

    fn explained(&self, host: &str, error: HttpError) -> HttpError {
        match self.facts.of_failure(host, &error) {
            Some((misfit, true)) => HttpError::new(error.kind(), misfit),
            Some((misfit, false)) => HttpError::new(HttpErrorKind::Unknown, misfit),
            None => error,
        }
    }
}

/// What the guard found, anywhere in the causes of `error`.
pub(crate) fn misfit(error: &object_store::Error) -> Option<&Misfit> {
    super::cause::find(error)
}
