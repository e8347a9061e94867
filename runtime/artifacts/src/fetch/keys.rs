//! What each name among a store's settings means here: a setting, nothing, or a refusal that says what to use instead.

use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;

use super::kind::StoreKind;

/// The key of a Secret with certificates of authorities.
pub(crate) const AUTHORITIES: &str = "ca.crt";

/// Where a setting was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In the environment of the process, where most variables are other programs'.
    Environment,
    /// For this artifact: everything there was meant to count.
    Secret,
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A setting, by the client's name for it.
    Setting(String),
    /// The value is certificates of authorities.
    Authorities,
    /// The value names a file with certificates of authorities.
    AuthoritiesFile,
    /// Whether machines are asked for their role.
    NoMetadata,
    /// Nothing to this kind of store, and rightly so.
    Nothing,
    /// Nobody knows what it is for.
    Unknown,
    /// It would change what is fetched, or from whom, and is not supported. The text has the mend.
    Refused(String),
}

/// What is said of a name that is no setting of the client.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// The client calls it so.
    Is(&'static str),
    AuthoritiesFile,
    NoMetadata,
    /// Read by `profile`, which a pod has no files for.
    Profile,
    /// For other tools.
    Other,
    Refused(&'static str),
    /// Unless it is switched off.
    RefusedIfOn(&'static str),
}

use Rule::{AuthoritiesFile, Is, NoMetadata, Other, Profile, Refused, RefusedIfOn};

#[rustfmt::skip]
const RULES: &[(StoreKind, &str, Rule)] = &[
    (StoreKind::S3, "AWS_CA_BUNDLE",                        AuthoritiesFile),
    (StoreKind::S3, "AWS_PROFILE",                          Profile),
    (StoreKind::S3, "AWS_DEFAULT_PROFILE",                  Profile),
    (StoreKind::S3, "AWS_SHARED_CREDENTIALS_FILE",          Profile),
    (StoreKind::S3, "AWS_CONFIG_FILE",                      Profile),
    (StoreKind::S3, "AWS_EC2_METADATA_DISABLED",            NoMetadata),
    (StoreKind::S3, "AWS_EC2_METADATA_SERVICE_ENDPOINT",    Is("aws_metadata_endpoint")),
    (StoreKind::S3, "AWS_USE_FIPS_ENDPOINT",                RefusedIfOn("set AWS_ENDPOINT=https://s3-fips.REGION.amazonaws.com instead")),
    (StoreKind::S3, "AWS_USE_DUALSTACK_ENDPOINT",           RefusedIfOn("set AWS_ENDPOINT=https://s3.dualstack.REGION.amazonaws.com instead")),
    (StoreKind::S3, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",  RefusedIfOn("remove AWS_ENDPOINT_URL and endpoint_url instead")),
    (StoreKind::S3, "AWS_CONTAINER_AUTHORIZATION_TOKEN",    Refused("put it into a file that AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names")),
    (StoreKind::S3, "AWS_SECURITY_TOKEN",                   Refused("call it AWS_SESSION_TOKEN")),
    (StoreKind::S3, "AWS_ACCESS_KEY",                       Refused("call it AWS_ACCESS_KEY_ID")),
    (StoreKind::S3, "AWS_SECRET_KEY",                       Refused("call it AWS_SECRET_ACCESS_KEY")),
    (StoreKind::S3, "AWS_S3_ENDPOINT",                      Refused("call it AWS_ENDPOINT")),
    (StoreKind::S3, "S3_ENDPOINT",                          Refused("call it AWS_ENDPOINT")),
    (StoreKind::S3, "AWS_SDK_LOAD_CONFIG",                  Other),
    (StoreKind::S3, "AWS_STS_REGIONAL_ENDPOINTS",           Other),
    (StoreKind::S3, "AWS_RETRY_MODE",                       Other),
    (StoreKind::S3, "AWS_MAX_ATTEMPTS",                     Other),
    (StoreKind::S3, "AWS_DEFAULTS_MODE",                    Other),
    (StoreKind::S3, "AWS_PAGER",                            Other),
    (StoreKind::S3, "AWS_DEFAULT_OUTPUT",                   Other),
    (StoreKind::S3, "AWS_EXECUTION_ENV",                    Other),
    (StoreKind::S3, "AWS_ACCOUNT_ID",                       Other),
    (StoreKind::S3, "AWS_CREDENTIAL_EXPIRATION",            Other),
    (StoreKind::S3, "AWS_METADATA_SERVICE_TIMEOUT",         Other),
    (StoreKind::S3, "AWS_METADATA_SERVICE_NUM_ATTEMPTS",    Other),
    (StoreKind::S3, "AWS_REQUEST_CHECKSUM_CALCULATION",     Other),
    (StoreKind::S3, "AWS_RESPONSE_CHECKSUM_VALIDATION",     Other),
    (StoreKind::Gcs, "SERVICE_ACCOUNT",                     Is("google_service_account")),
    (StoreKind::Gcs, "STORAGE_EMULATOR_HOST",               Refused("set GOOGLE_BASE_URL to its address, GOOGLE_ALLOW_HTTP=true and GOOGLE_SKIP_SIGNATURE=true")),
    (StoreKind::Gcs, "GOOGLE_CLOUD_PROJECT",                Other),
    (StoreKind::Gcs, "GOOGLE_CLOUD_QUOTA_PROJECT",          Other),
    (StoreKind::Gcs, "GOOGLE_CLOUD_REGION",                 Other),
    (StoreKind::Azure, "AZURE_STORAGE_ACCOUNT",             Is("azure_storage_account_name")),
    (StoreKind::Azure, "AZURE_STORAGE_KEY",                 Is("azure_storage_account_key")),
    (StoreKind::Azure, "IDENTITY_ENDPOINT",                 Is("azure_msi_endpoint")),
    (StoreKind::Azure, "AZURE_STORAGE_CONNECTION_STRING",   Refused("set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY to its AccountName and AccountKey")),
    (StoreKind::Azure, "AZURE_CLIENT_CERTIFICATE_PATH",     Refused("set AZURE_CLIENT_SECRET, or AZURE_FEDERATED_TOKEN_FILE")),
    (StoreKind::Azure, "AZURE_USERNAME",                    Refused("set AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")),
    (StoreKind::Azure, "AZURE_PASSWORD",                    Refused("set AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")),
    (StoreKind::Azure, "AZURE_SUBSCRIPTION_ID",             Other),
    (StoreKind::Azure, "AZURE_STORAGE_AUTH_MODE",           Other),
    (StoreKind::Azure, "AZURE_CONFIG_DIR",                  Other),
    (StoreKind::Azure, "AZURE_REGIONAL_AUTHORITY_NAME",     Other),
];

/// What people call things that have another name here; letters and digits alone.
#[rustfmt::skip]
const MISNAMED: [(StoreKind, &[&str], &str); 10] = [
    (StoreKind::S3,    &["accesskey", "accesskeyid", "s3accesskey", "s3accesskeyid", "minioaccesskey", "minioroot"], "AWS_ACCESS_KEY_ID"),
    (StoreKind::S3,    &["secretkey", "secretaccesskey", "s3secretkey", "s3secretaccesskey", "miniosecretkey"],      "AWS_SECRET_ACCESS_KEY"),
    (StoreKind::S3,    &["endpointurl", "s3endpoint", "s3endpointurl"],                                              "AWS_ENDPOINT"),
    (StoreKind::S3,    &["sessiontoken"],                                                                            "AWS_SESSION_TOKEN"),
    (StoreKind::S3,    &["s3region"],                                                                                "AWS_REGION"),
    (StoreKind::Gcs,   &["keyjson", "serviceaccountjson", "credentialsjson", "serviceaccountkeyjson", "gcskeyjson"], "GOOGLE_SERVICE_ACCOUNT_KEY"),
    (StoreKind::Azure, &["connectionstring"],                                                                        "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"),
    (StoreKind::Azure, &["azurestorageaccountname", "accountname", "storageaccount", "storageaccountname"],          "AZURE_STORAGE_ACCOUNT_NAME"),
    (StoreKind::Azure, &["azurestorageaccountkey", "accountkey", "storageaccountkey"],                               "AZURE_STORAGE_ACCOUNT_KEY"),
    (StoreKind::Azure, &["sas", "sastoken"],                                                                         "AZURE_STORAGE_SAS_TOKEN"),
];

/// What settings of the process mean in a Secret.
#[rustfmt::skip]
const OF_PROCESS: [(&str, &str); 7] = [
    ("SSL_CERT_FILE",  "put the certificates themselves under the key ca.crt"),
    ("SSL_CERT_DIR",   "put the certificates themselves under the key ca.crt"),
    ("HTTP_PROXY",     "set it in spec.env"),
    ("HTTPS_PROXY",    "set it in spec.env"),
    ("ALL_PROXY",      "set it in spec.env"),
    ("NO_PROXY",       "set it in spec.env"),
    ("AUTHORIZATION",  "no header can be given: use a store with keys (s3://, gs:// or az://)"),
];

/// What `key` means to a store of this kind.
pub(crate) fn word(kind: StoreKind, origin: Origin, key: &str, value: &str) -> Word {
    let upper = key.to_ascii_uppercase();
    if value.is_empty() {
        return Word::Nothing;
    }
    if let Some(rule) = rule(kind, &upper) {
        return of_rule(rule, origin, value);
    }
    match origin {
        Origin::Environment => of_variable(kind, key),
        Origin::Secret => of_key(kind, key, &upper, value),
    }
}

fn rule(kind: StoreKind, upper: &str) -> Option<Rule> {
    RULES.iter().find(|(of, name, _)| *of == kind && *name == upper).map(|(_, _, rule)| *rule)
}

fn of_rule(rule: Rule, origin: Origin, value: &str) -> Word {
    match (rule, origin) {
        (Is(name), _) => Word::Setting(name.to_owned()),
        (AuthoritiesFile, Origin::Environment) => Word::AuthoritiesFile,
        (AuthoritiesFile, Origin::Secret) => Word::Refused(format!(
            "a Secret has no files: put the certificates themselves under the key {AUTHORITIES}"
        )),
        (Profile, Origin::Secret) => Word::Refused(
            "pods have no profile files: put AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY into the Secret"
                .to_owned(),
        ),
        (Profile, Origin::Environment) | (Other, _) => Word::Nothing,
        (NoMetadata, _) => {
            if is_on(value) {
                Word::NoMetadata
            } else {
                Word::Nothing
            }
        }
        (RefusedIfOn(_), _) if !is_on(value) => Word::Nothing,
        (RefusedIfOn(mend) | Refused(mend), _) => Word::Refused(format!("it is not supported: {mend}")),
    }
}

/// A variable counts by its full name only: `TIMEOUT` is somebody else's.
fn of_variable(kind: StoreKind, key: &str) -> Word {
    match kind.prefix() {
        Some(prefix) if key.starts_with(prefix) => canonical(kind, key).map_or(Word::Unknown, Word::Setting),
        _ => Word::Nothing,
    }
}

fn of_key(kind: StoreKind, key: &str, upper: &str, value: &str) -> Word {
    if key == AUTHORITIES {
        return Word::Authorities;
    }
    if let Some(setting) = canonical(kind, key) {
        return Word::Setting(setting);
    }
    if let Some((_, mend)) = OF_PROCESS.iter().find(|(name, _)| *name == upper) {
        return Word::Refused(format!("it does not count in a Secret: {mend}"));
    }
    if is_named_as_certificate(key) {
        return of_certificate(key, value);
    }
    let mut others = StoreKind::ALL.into_iter().filter(|other| *other != kind);
    let is_others = |other: StoreKind| {
        let is_setting =
            other.prefix().is_some_and(|prefix| upper.starts_with(prefix)) && canonical(other, key).is_some();
        is_setting || rule(other, upper).is_some()
    };
    if others.any(is_others) {
        return Word::Nothing;
    }
    if value.contains("-----BEGIN ") {
        return of_certificate(key, value);
    }
    let letters: String =
        key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if let Some((_, _, name)) =
        MISNAMED.iter().find(|(of, names, _)| *of == kind && names.contains(&letters.as_str()))
    {
        return Word::Refused(format!("it is not read by this name: call it {name}"));
    }
    match kind.prefix() {
        Some(prefix) if upper.starts_with(prefix) => {
            Word::Refused(format!("it is no setting of {}: correct its name, or remove it", kind.name()))
        }
        None if ["username", "password", "token", "bearertoken", "user"].contains(&letters.as_str()) => Word::Refused(
            "an https:// artifact is fetched without credentials: use a store with keys (s3://, gs:// or az://), or remove it"
                .to_owned(),
        ),
        _ => Word::Unknown,
    }
}

fn is_named_as_certificate(key: &str) -> bool {
    const ENDS: [&str; 10] = [".crt", ".pem", ".cer", ".cert", ".der", ".p12", ".pfx", ".jks", ".key", ".ca"];
    const PARTS: [&str; 5] = ["cabundle", "cacert", "certificateauthority", "truststore", "rootca"];
    let lower = key.to_ascii_lowercase();
    let letters: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    ENDS.iter().any(|end| lower.ends_with(end)) || PARTS.iter().any(|part| letters.contains(part))
}

/// Certificates and keys of TLS by any name but the right one.
fn of_certificate(key: &str, value: &str) -> Word {
    let lower = key.to_ascii_lowercase();
    let is_clients = lower == "tls.crt" || lower.ends_with(".key") || value.contains("PRIVATE KEY-----");
    Word::Refused(if is_clients {
        "certificates of clients are not supported: remove it, and let the store take keys or tokens"
            .to_owned()
    } else {
        format!("certificates of authorities are read as PEM under the key {AUTHORITIES}: rename it")
    })
}

/// The client's own name for a setting of this kind of store.
pub(crate) fn canonical(kind: StoreKind, key: &str) -> Option<String> {
    let key = key.to_ascii_lowercase();
    match kind {
        StoreKind::S3 => key.parse::<AmazonS3ConfigKey>().ok().map(|key| key.as_ref().to_owned()),
        StoreKind::Gcs => key.parse::<GoogleConfigKey>().ok().map(|key| key.as_ref().to_owned()),
        StoreKind::Azure => key.parse::<AzureConfigKey>().ok().map(|key| key.as_ref().to_owned()),
        StoreKind::Web => key.parse::<ClientConfigKey>().ok().map(|key| key.as_ref().to_owned()),
    }
}

/// Whether a switch is on, as the clients of stores read it.
pub(crate) fn is_on(value: &str) -> bool {
    ["1", "true", "on", "yes", "y"].contains(&value.to_ascii_lowercase().as_str())
}
