//! What a store's answer, or its silence, shows to be wrong with the settings.

use std::error::Error;

use rustls::CertificateError;

use super::cause::{answer_summary, chain, element, find};
use super::kind::StoreKind;

/// A finding that no retry mends. The text has the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misfit {
    /// The settings do not fit the store.
    #[error("{0}")]
    Settings(String),
    /// Nobody knows us there.
    #[error("{0}")]
    Denied(String),
}

/// What is known about a store before it is asked.
#[derive(Debug, Clone)]
pub(crate) struct StoreFacts {
    pub(crate) kind: StoreKind,
    /// Region that requests are signed for.
    pub(crate) region: String,
    /// The endpoint of the settings.
    pub(crate) endpoint: Option<String>,
    /// Where its certificates of authorities came from.
    pub(crate) trusted: Option<&'static str>,
    /// The settings are a Secret's, and none is the environment's.
    pub(crate) from_secret: bool,
    /// The service that tells a machine its identity, if the settings name one.
    pub(crate) metadata: Option<String>,
    /// Machines may be asked by the older protocol, `AWS_IMDSV1_FALLBACK`.
    pub(crate) falls_back: bool,
}

/// What of an answer counts.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// `x-amz-bucket-region`.
    pub(crate) region: Option<&'a str>,
    /// Where it sends the client to, or where the client was sent already.
    pub(crate) redirect: Option<&'a str>,
    pub(crate) body: &'a str,
}

/// Addresses at which clouds tell machines who they are.
const METADATA_HOSTS: [&str; 6] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "[fd00:ec2::254]",
    "[fd00:ec2::23]",
    "metadata.google.internal",
];

impl StoreFacts {
    /// What an answer other than success shows, if anything.
    pub(crate) fn of_answer(&self, host: &str, query: &str, answer: &Answer<'_>) -> Option<Misfit> {
        if query.contains("Action=AssumeRoleWithWebIdentity") && (400..500).contains(&answer.status) {
            let summary = answer_summary(answer.body);
            return Some(Misfit::Denied(format!("the token service {host} refuses AWS_ROLE_ARN: {summary}")));
        }
        if self.tells_identity(host) {
            // The client itself goes on after the 403 of a machine that speaks the older protocol, if it is allowed to.
            let is_final = answer.status != 403 || !self.falls_back;
            return is_final.then(|| self.no_identity());
        }
        if self.kind != StoreKind::S3 || !matches!(answer.status, 300..=303 | 305..=403) {
            return None;
        }
        let of_redirect = answer.redirect.and_then(region_of);
        let of_body =
            element(answer.body, "Region").filter(|_| answer.body.contains("AuthorizationHeaderMalformed"));
        if let Some(region) =
            answer.region.or(of_redirect).or(of_body).filter(|region| *region != self.region)
        {
            return Some(Misfit::Settings(self.wrong_region(region)));
        }
        match (answer.redirect, answer.status) {
            (Some(to), _) => Some(Misfit::Settings(format!(
                "it redirects to {to}, and requests are signed for the address that they are sent to: set AWS_ENDPOINT to the \
                 address there"
            ))),
            (None, 300..=399) => Some(Misfit::Settings(
                "it redirects without an address, as S3 does for a bucket of another region: set AWS_REGION to the region of \
                 the bucket"
                    .to_owned(),
            )),
            _ => None,
        }
    }

    fn wrong_region(&self, region: &str) -> String {
        let ours = &self.region;
        let endpoint = self.endpoint.as_ref().filter(|endpoint| endpoint.contains(".amazonaws.com"));
        let also = endpoint
            .map(|endpoint| format!(", and leave AWS_ENDPOINT out, which is {endpoint}"))
            .unwrap_or_default();
        format!("the bucket is in the region {region}, not in {ours}: set AWS_REGION={region}{also}")
    }

    /// What a request without an answer shows, if anything; and whether another try may help.
    pub(crate) fn of_failure(&self, host: &str, error: &(dyn Error + 'static)) -> Option<(Misfit, bool)> {
        if self.tells_identity(host) {
            return Some((self.no_identity(), true));
        }
        if let Some(tls) = find::<rustls::Error>(error) {
            return of_tls(tls, host, &self.mend_of_trust())
                .map(|problem| (Misfit::Settings(problem), false));
        }
        if chain(error).any(|error| error.to_string().contains("URL scheme is not allowed")) {
            let mend = match self.kind.http_switch() {
                Some(switch) => format!("set {switch}=true if it is meant to be reached unencrypted"),
                None => "use the address that answers over https".to_owned(),
            };
            return Some((
                Misfit::Settings(format!("it leads to plain http, which is not allowed: {mend}")),
                false,
            ));
        }
        None
    }

    fn tells_identity(&self, host: &str) -> bool {
        METADATA_HOSTS.contains(&host) || self.metadata.as_ref().is_some_and(|address| address.contains(host))
    }

    fn no_identity(&self) -> Misfit {
        let place = if self.from_secret {
            " in the Secret"
        } else {
            " in the artifact's Secret, or in the environment"
        };
        let what = self.kind.credentials();
        Misfit::Denied(format!(
            "no credentials were given, and this machine has no identity in the cloud: set {what}{place}"
        ))
    }

    fn mend_of_trust(&self) -> String {
        match (self.trusted, self.from_secret) {
            (Some(given), _) => {
                format!("the certificates of {given} are other authorities': add its own there, as PEM")
            }
            (None, true) => {
                "add the authority's certificate to the Secret as PEM, under the key ca.crt".to_owned()
            }
            (None, false) => {
                let variable = if self.kind == StoreKind::S3 { "AWS_CA_BUNDLE" } else { "SSL_CERT_FILE" };
                format!(
                    "put the authority's certificate as PEM into the artifact's Secret under the key ca.crt, or, for a process \
                     outside a cluster, into a file that {variable} names"
                )
            }
        }
    }
}

/// The region in an address of S3, such as `bucket.s3.eu-west-1.amazonaws.com` or the older `bucket.s3-eu-west-1.amazonaws.com`.
fn region_of(address: &str) -> Option<&str> {
    let host = address.split("://").nth(1)?.split(['/', ':', '?']).next()?;
    let (before, _) = host.split_once(".amazonaws.com")?;
    let start = before.rfind("s3.").or_else(|| before.rfind("s3-"))? + "s3.".len();
    before.get(start..)?.rsplit('.').next().filter(|region| !region.is_empty())
}

/// What is wrong with the certificate, or with the protocol; `None` for what may pass by itself.
fn of_tls(error: &rustls::Error, host: &str, mend_of_trust: &str) -> Option<String> {
    use rustls::Error as Tls;
    let problem = match error {
        Tls::InvalidCertificate(problem) => of_certificate(problem, host, mend_of_trust),
        Tls::InvalidMessage(_) => format!(
            "{host} does not answer with TLS: correct the port, or write http:// instead of https:// if it is meant to be reached \
             unencrypted"
        ),
        Tls::AlertReceived(rustls::AlertDescription::CertificateRequired) => {
            format!(
                "{host} asks for a certificate of the client, and such are not supported: let it take keys or tokens"
            )
        }
        Tls::AlertReceived(rustls::AlertDescription::ProtocolVersion) | Tls::PeerIncompatible(_) => {
            format!("{host} does not speak TLS 1.2 or 1.3 with a common cipher: update it ({error})")
        }
        _ => return None,
    };
    Some(problem)
}

fn of_certificate(problem: &CertificateError, host: &str, mend_of_trust: &str) -> String {
    match problem {
        // Of the right name with another key, as an authority has that was made anew: a bad signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            format!(
                "the certificate of {host} is signed by an authority that is not trusted here: {mend_of_trust}"
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate of {host} has expired: renew it, or set this machine's clock")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {host} is not valid yet: set this machine's clock, or the store's")
        }
        CertificateError::NotValidForName => {
            format!(
                "the certificate of {host} is for other names: address the store by one of them, or renew the certificate"
            )
        }
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "the certificate of {host} is for other names ({}): address the store by one of them, or renew the certificate",
            presented.iter().map(|name| plain_name(name)).collect::<Vec<_>>().join(", ")
        ),
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => format!(
            "the certificate of {host} is that of an authority itself, and no server may use it: give the server one that the \
             authority signs"
        ),
        other => format!("the certificate of {host} is not accepted ({other}): renew it"),
    }
}

/// `DnsName("store")` or `IpAddress(10.0.0.1)` without its kind.
fn plain_name(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(presented).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_read_from_addresses_of_s3() {
        #[rustfmt::skip]
        let cases = [
            ("https://s3.eu-west-1.amazonaws.com/b/x",            Some("eu-west-1")),
            ("https://b.s3.eu-west-1.amazonaws.com/x?y",          Some("eu-west-1")),
            ("https://b.s3-eu-west-1.amazonaws.com/x",            Some("eu-west-1")),
            ("https://b.s3.dualstack.eu-west-1.amazonaws.com/x",  Some("eu-west-1")),
            ("https://s3-fips.us-gov-west-1.amazonaws.com/b",     Some("us-gov-west-1")),
            ("https://my-s3.b.s3.cn-north-1.amazonaws.com.cn/x",  Some("cn-north-1")),
            ("https://s3.amazonaws.com/b",                        None),
            ("https://b.s3.amazonaws.com/b",                      None),
            ("https://store.example/b",                           None),
            ("/elsewhere",                                        None),
        ];
        for (address, region) in cases {
            assert_eq!(region_of(address), region, "{address}");
        }
    }

    #[test]
    fn an_address_of_another_region_is_left_out_with_the_mend() {
        let facts = StoreFacts {
            kind: StoreKind::S3,
            region: "us-east-1".into(),
            endpoint: Some("https://s3.us-east-1.amazonaws.com".into()),
            trusted: None,
            from_secret: false,
            metadata: None,
            falls_back: false,
        };
        let to = "https://b.s3.eu-west-1.amazonaws.com/x";
        let answer = Answer { status: 403, region: None, redirect: Some(to), body: "" };
        let expected = "the bucket is in the region eu-west-1, not in us-east-1: set AWS_REGION=eu-west-1, and leave AWS_ENDPOINT \
                        out, which is https://s3.us-east-1.amazonaws.com";
        assert_eq!(facts.of_answer("s3", "", &answer), Some(Misfit::Settings(expected.to_owned())));
        let machine = Answer { status: 403, region: None, redirect: None, body: "" };
        let of_machine = |falls_back| {
            StoreFacts { falls_back, ..facts.clone() }.of_answer("169.254.169.254", "", &machine)
        };
        assert!(
            matches!(of_machine(false), Some(Misfit::Denied(_))),
            "a machine that says nothing of itself"
        );
        assert_eq!(of_machine(true), None, "it may still answer the older protocol");
        let other = StoreFacts { kind: StoreKind::Web, ..facts };
        assert_eq!(other.of_answer("s3", "", &answer), None, "a web server may send anybody anywhere");
    }
}
