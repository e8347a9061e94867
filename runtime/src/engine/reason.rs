//! The reason why an artifact is not served: one word for conditions, events, metrics and the termination message.

use std::{error::Error, io};

use marquee_artifacts::{ArtifactError, Fault, FetchError};
use marquee_crds::conditions::Reason;

use super::{credentials::CredentialsError, load::LoadError};

impl LoadError {
    /// The reason as one word.
    pub fn reason(&self) -> Reason {
        // A lack of memory or disk space comes first, because it causes the other failures.
        if let Some(lacking) = lacking(self) {
            return lacking;
        }
        match self {
            Self::Sha256 { .. } => Reason::ConfigInvalid,
            Self::Credentials { source, .. } => match source {
                CredentialsError::NoFolder { .. } => Reason::ConfigInvalid,
                CredentialsError::Io { .. } | CredentialsError::Value { .. } => Reason::SecretNotFound,
            },
            Self::Open { source, .. } => of_fetch(source),
            Self::Model { .. } | Self::NoGolden { .. } | Self::WrongKind { .. } => Reason::ArtifactInvalid,
            Self::Golden { .. } => Reason::GoldenMismatch,
            Self::Stopped { .. } => Reason::PodCrashed,
        }
    }
}

fn of_fetch(error: &FetchError) -> Reason {
    match error {
        FetchError::Uri { .. } | FetchError::Unpinned { .. } => Reason::ConfigInvalid,
        FetchError::Settings { .. } => Reason::StoreMisconfigured,
        FetchError::NotFound { .. } => Reason::ArtifactNotFound,
        FetchError::Denied { .. } => Reason::AccessDenied,
        FetchError::Unavailable { .. } => Reason::StoreUnreachable,
        FetchError::TooLarge { .. } => Reason::ArtifactInvalid,
        FetchError::CacheFull { .. } => Reason::DiskFull,
        FetchError::Cache { .. } => Reason::ConfigInvalid,
        FetchError::Artifact(error) => of_artifact(error),
    }
}

fn of_artifact(error: &ArtifactError) -> Reason {
    let Some(fault) = error.fault() else {
        return match io_error(error).map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => Reason::ArtifactNotFound,
            Some(io::ErrorKind::PermissionDenied) => Reason::AccessDenied,
            _ => Reason::StoreUnreachable,
        };
    };
    match fault {
        Fault::NoManifest => Reason::ArtifactNotFound,
        Fault::Checksum => Reason::ChecksumMismatch,
        Fault::NotFinite => Reason::NotFinite,
        Fault::UnknownArchitecture | Fault::NewerFormat => Reason::ArtifactUnsupported,
        _ => Reason::ArtifactInvalid,
    }
}

/// The resource that the machine lacks, if that is the cause.
fn lacking(error: &(dyn Error + 'static)) -> Option<Reason> {
    match io_error(error)?.kind() {
        io::ErrorKind::OutOfMemory => Some(Reason::OutOfMemory),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Reason::DiskFull),
        _ => None,
    }
}

/// The system error in the causes of `error`.
fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(source: FetchError) -> LoadError {
        LoadError::Open { uri: "s3://b/m".into(), source: Box::new(source) }
    }

    fn cache(kind: io::ErrorKind) -> LoadError {
        open(FetchError::Cache { verb: "write", path: "blob".into(), source: kind.into() })
    }

    fn in_place(kind: io::ErrorKind) -> LoadError {
        open(ArtifactError::Io { verb: "open", path: "m".into(), source: kind.into() }.into())
    }

    #[test]
    fn each_failure_has_the_word_that_says_who_can_mend_it() {
        let unavailable = FetchError::Unavailable {
            object: "s3://b/m".into(),
            bytes: 0,
            source: "no route to host".into(),
        };
        #[rustfmt::skip]
        let cases = [
            ("the disk is full",          cache(io::ErrorKind::StorageFull),         Reason::DiskFull),
            ("the quota is used up",      cache(io::ErrorKind::QuotaExceeded),       Reason::DiskFull),
            ("the cache is read-only",    cache(io::ErrorKind::ReadOnlyFilesystem),  Reason::ConfigInvalid),
            ("no memory to map it",       in_place(io::ErrorKind::OutOfMemory),      Reason::OutOfMemory),
            ("not on the volume",         in_place(io::ErrorKind::NotFound),         Reason::ArtifactNotFound),
            ("no permission to read",     in_place(io::ErrorKind::PermissionDenied), Reason::AccessDenied),
            ("the volume does not answer", in_place(io::ErrorKind::TimedOut),        Reason::StoreUnreachable),
            ("the store does not answer", open(unavailable),                         Reason::StoreUnreachable),
            ("plain http",                open(FetchError::Settings { uri: "s3://b/m".into(), problem: "plain http".into() }), Reason::StoreMisconfigured),
            ("no digest",                 open(FetchError::Unpinned { uri: "s3://b/m".into() }), Reason::ConfigInvalid),
            ("no golden outputs",         LoadError::NoGolden { uri: "m".into() },   Reason::ArtifactInvalid),
        ];
        for (why, error, expected) in cases {
            assert_eq!(error.reason(), expected, "{why}");
        }
    }
}
