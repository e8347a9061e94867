//! Why a reconcile stopped.

use std::time::Duration;

use marquee_crds::conditions::Reason;

/// Result of what may stop a reconcile.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a reconcile stopped. Each message names the object; the cause hangs on `source`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused, or did not answer.
    #[error("cannot {verb} {kind} {name}")]
    Api {
        /// What was asked for.
        verb: &'static str,
        /// Of which kind.
        kind: &'static str,
        /// Of which object.
        name: String,
        /// Why not.
        source: Box<kube::Error>,
    },
    /// It took too long to answer.
    #[error("cannot {verb} {kind} {name}: the API server did not answer within {} s", after.as_secs())]
    Silent {
        /// What was asked for.
        verb: &'static str,
        /// Of which kind.
        kind: &'static str,
        /// Of which object.
        name: String,
        /// How long was waited.
        after: Duration,
    },
    /// An object of that name belongs to somebody else.
    #[error("{kind} {name} exists and belongs to {owner}: rename it, or the resource that needs the name")]
    NotOurs {
        /// Of which kind.
        kind: &'static str,
        /// Of which object.
        name: String,
        /// Whose it is.
        owner: String,
    },
    /// What the API server answered has a form that it should not have.
    #[error("cannot read {kind} {name}")]
    Unreadable {
        /// Of which kind.
        kind: &'static str,
        /// Of which object.
        name: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// A reconcile that stopped.
#[derive(Debug)]
pub struct Stopped {
    /// Why.
    pub error: Error,
    /// Whether it wrote something before, so that the next one has less to do.
    pub further: bool,
}

impl Error {
    /// What the API server said, if it said something.
    pub fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Api { source, .. } => match &**source {
                kube::Error::Api(status) => Some(status),
                _ => None,
            },
            _ => None,
        }
    }

    /// The code of what it said.
    pub fn code(&self) -> Option<u16> {
        self.status().map(|status| status.code)
    }

    /// One word for condition, event and metric.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NotOurs { .. } => Reason::ChildRefused,
            Self::Silent { .. } | Self::Unreadable { .. } => Reason::ApiUnavailable,
            // All of it goes: nobody need act.
            Self::Api { .. } if self.is_of_a_namespace_that_goes() => Reason::ApiUnavailable,
            Self::Api { .. } => match self.code() {
                Some(403) => Reason::Forbidden,
                Some(400 | 413 | 422) => Reason::ChildRefused,
                _ => Reason::ApiUnavailable,
            },
        }
    }

    fn is_of_a_namespace_that_goes(&self) -> bool {
        let details = self.status().and_then(|status| status.details.as_ref());
        details
            .is_some_and(|details| details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating"))
    }

    /// How long to wait at least before it is tried again; none where only an edit mends it.
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

    /// Whether the API server did not take the request, so that the next would fare no better.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Silent { .. } => true,
            Self::Api { .. } => self.status().is_none_or(|status| status.code == 429 || status.code >= 500),
            _ => false,
        }
    }

    /// The message with its causes, for a condition.
    pub fn told(&self) -> String {
        match self.status() {
            Some(status) => format!("{self}: {}", status.message),
            None => {
                let causes = std::iter::successors(std::error::Error::source(self), |cause| cause.source());
                causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
            }
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
    fn what_an_edit_mends_waits_for_the_edit_and_all_else_is_tried_again() {
        let cause = serde_json::json!({"reason": "NamespaceTerminating", "message": "namespace n is being terminated"});
        let terminating =
            of(serde_json::json!({"code": 403, "message": "no", "details": {"causes": [cause]}}));
        #[rustfmt::skip]
        let cases = [
            ("a child that is invalid",          api(422, 0), Reason::ChildRefused,   None,    false),
            ("a role that lacks a verb",         api(403, 0), Reason::Forbidden,      Some(0), false),
            ("a namespace that goes",            terminating, Reason::ApiUnavailable, Some(0), false),
            ("a conflict",                       api(409, 0), Reason::ApiUnavailable, Some(0), false),
            ("too many requests: as it is told", api(429, 7), Reason::ApiUnavailable, Some(7), true),
            ("a server that is broken",          api(500, 0), Reason::ApiUnavailable, Some(0), true),
        ];
        for (why, error, reason, wait, outage) in cases {
            assert_eq!(error.reason(), reason, "{why}");
            assert_eq!(error.retry_after(), wait.map(Duration::from_secs), "{why}");
            assert_eq!(error.is_outage(), outage, "{why}");
        }
    }

    #[test]
    fn the_message_names_the_object_and_the_cause_comes_behind() {
        assert_eq!(api(403, 0).to_string(), "cannot create Service n/m-ranker");
        assert_eq!(api(403, 0).told(), "cannot create Service n/m-ranker: no");
    }
}
