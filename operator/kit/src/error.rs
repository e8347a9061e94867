//! Why a reconcile stopped.

use std::{fmt, time::Duration};

/// The result of a step that may stop a reconcile.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a reconcile stopped. Each message names the object; the cause hangs on `source`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused, or could not be reached.
    #[error("cannot {verb} {kind} {name}")]
    Api {
        /// The verb of the call.
        verb: &'static str,
        /// The kind of the object.
        kind: &'static str,
        /// The name of the object.
        name: String,
        /// Why not.
        source: Box<kube::Error>,
    },
    /// The answer took too long.
    #[error("cannot {verb} {kind} {name}: the API server did not answer within {} s", after.as_secs())]
    Timeout {
        /// The verb of the call.
        verb: &'static str,
        /// The kind of the object.
        kind: &'static str,
        /// The name of the object.
        name: String,
        /// How long the operator waited.
        after: Duration,
    },
    /// An object of that name belongs to another owner.
    #[error("{kind} {name} exists and belongs to {owner}: rename it, or the resource that needs the name")]
    NotOurs {
        /// The kind of the object.
        kind: &'static str,
        /// The name of the object.
        name: String,
        /// Its owner.
        owner: String,
    },
    /// The API server's answer does not have the form of its kind.
    #[error("cannot read {kind} {name}")]
    Unreadable {
        /// The kind of the object.
        kind: &'static str,
        /// The name of the object.
        name: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// The class of a failure. It has few values, for conditions and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The API server refuses for now, or does not answer.
    ApiUnavailable,
    /// A role lacks a verb.
    Forbidden,
    /// The child is invalid, or its name is taken.
    ChildRefused,
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// An error and its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A reconcile that stopped.
#[derive(Debug)]
pub struct Stopped {
    /// Why.
    pub error: Error,
    /// Whether it wrote something before, so that the next one has less to do.
    pub made_progress: bool,
}

impl Error {
    /// The API server's answer, if there was one.
    pub fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Api { source, .. } => match &**source {
                kube::Error::Api(status) => Some(status),
                _ => None,
            },
            _ => None,
        }
    }

    /// The code of that answer.
    pub fn code(&self) -> Option<u16> {
        self.status().map(|status| status.code)
    }

    /// The class of the failure, for condition, event and log.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NotOurs { .. } => ErrorClass::ChildRefused,
            Self::Timeout { .. } | Self::Unreadable { .. } => ErrorClass::ApiUnavailable,
            // The namespace is being deleted with all its objects, so nobody needs to act.
            Self::Api { .. } if self.is_namespace_terminating() => ErrorClass::ApiUnavailable,
            Self::Api { .. } => match self.code() {
                Some(403) => ErrorClass::Forbidden,
                Some(400 | 413 | 422) => ErrorClass::ChildRefused,
                _ => ErrorClass::ApiUnavailable,
            },
        }
    }

    /// Whether the namespace is being deleted with all that is in it, so that nothing can be created there.
    pub fn is_namespace_terminating(&self) -> bool {
        let details = self.status().and_then(|status| status.details.as_ref());
        details
            .is_some_and(|details| details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating"))
    }

    /// The shortest time until the next attempt; `None` if only an edit resolves the error.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.status() {
            Some(status) if matches!(status.code, 400 | 413 | 422) => None,
            Some(status) => {
                let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                Some(Duration::from_secs(seconds.into()))
            }
            None => Some(Duration::ZERO),
        }
    }

    /// Whether the API server accepts no requests now, so that the next request would fail as well.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Timeout { .. } => true,
            Self::Api { .. } => self.status().is_none_or(|status| status.code == 429 || status.code >= 500),
            _ => false,
        }
    }

    /// The message with its causes, for a condition.
    pub fn with_causes(&self) -> String {
        match self.status() {
            Some(status) => format!("{self}: {}", status.message),
            None => chain(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn api(code: u16, retry_after_seconds: u32) -> Error {
        of(
            serde_json::json!({"code": code, "message": "no", "details": {"retryAfterSeconds": retry_after_seconds}}),
        )
    }

    fn of(status: serde_json::Value) -> Error {
        let status: Status = serde_json::from_value(status).unwrap();
        let source = Box::new(kube::Error::Api(Box::new(status)));
        Error::Api { verb: "create", kind: "Service", name: "n/m-ranker".into(), source }
    }

    #[test]
    fn what_an_edit_resolves_waits_for_the_edit_and_all_else_is_tried_again() {
        let cause = serde_json::json!({"reason": "NamespaceTerminating", "message": "namespace n is being terminated"});
        let terminating =
            of(serde_json::json!({"code": 403, "message": "no", "details": {"causes": [cause]}}));
        #[rustfmt::skip]
        let cases = [
            ("a child that is invalid",          api(422, 0), ErrorClass::ChildRefused,   None,    false),
            ("a role that lacks a verb",         api(403, 0), ErrorClass::Forbidden,      Some(0), false),
            ("a namespace that goes",            terminating, ErrorClass::ApiUnavailable, Some(0), false),
            ("a conflict",                       api(409, 0), ErrorClass::ApiUnavailable, Some(0), false),
            ("too many requests: as it is told", api(429, 7), ErrorClass::ApiUnavailable, Some(7), true),
            ("a server that is broken",          api(500, 0), ErrorClass::ApiUnavailable, Some(0), true),
        ];
        for (why, error, reason, wait, outage) in cases {
            assert_eq!(error.class(), reason, "{why}");
            assert_eq!(error.retry_after(), wait.map(Duration::from_secs), "{why}");
            assert_eq!(error.is_outage(), outage, "{why}");
        }
    }

    #[test]
    fn the_message_names_the_object_and_the_cause_comes_behind() {
        assert_eq!(api(403, 0).to_string(), "cannot create Service n/m-ranker");
        assert_eq!(api(403, 0).with_causes(), "cannot create Service n/m-ranker: no");
    }
}
