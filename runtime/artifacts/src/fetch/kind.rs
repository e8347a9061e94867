//! The kinds of stores.

/// A kind of store, with names of its own for its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreKind {
    /// S3, and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// Any web server.
    Web,
}

impl StoreKind {
    pub(crate) const ALL: [Self; 4] = [Self::S3, Self::Gcs, Self::Azure, Self::Web];

    /// By the scheme of a uri.
    pub(crate) fn of(scheme: &str) -> Self {
        match scheme {
            "s3" => Self::S3,
            "gs" => Self::Gcs,
            "az" => Self::Azure,
            _ => Self::Web,
        }
    }

    /// How the names of its settings begin.
    pub(crate) fn prefix(self) -> Option<&'static str> {
        match self {
            Self::S3 => Some("AWS_"),
            Self::Gcs => Some("GOOGLE_"),
            Self::Azure => Some("AZURE_"),
            Self::Web => None,
        }
    }

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S3 => "an S3 store",
            Self::Gcs => "Google Cloud Storage",
            Self::Azure => "Azure Blob Storage",
            Self::Web => "a web server",
        }
    }

    /// The setting that allows plain http.
    pub(crate) fn http_switch(self) -> Option<&'static str> {
        match self {
            Self::S3 => Some("AWS_ALLOW_HTTP"),
            Self::Gcs => Some("GOOGLE_ALLOW_HTTP"),
            Self::Azure => Some("AZURE_ALLOW_HTTP"),
            Self::Web => None,
        }
    }

    /// The settings that say who asks.
    pub(crate) fn credentials(self) -> &'static str {
        match self {
            Self::S3 => {
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_SKIP_SIGNATURE=true for a public bucket)"
            }
            Self::Gcs => "GOOGLE_SERVICE_ACCOUNT_KEY (or GOOGLE_SKIP_SIGNATURE=true for a public bucket)",
            Self::Azure => {
                "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN (or AZURE_SKIP_SIGNATURE=true for a public container)"
            }
            Self::Web => "nothing",
        }
    }
}
