use super::*;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What is gathered, or the problem.
fn of(kind: StoreKind, own: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Settings, String> {
    Settings::gather(kind, &pairs(own), Some(&pairs(environment)))
}

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
const KEY: &str = "-----BEGIN PRIVATE KEY-----";

/// What becomes of a name.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It is this setting of the client.
    Counts(&'static str),
    /// It is certificates, a file of them, or forbids asking the machine.
    IsRead,
    /// It is refused, with this mend.
    Refused(&'static str),
    /// It is not this store's, and nothing is said.
    Nothing,
    /// It is not known, and a warning says so.
    Warned,
}

use Fate::{Counts, IsRead, Nothing, Refused, Warned};

fn fate(word: &Word, wanted: Fate) -> bool {
    match (word, wanted) {
        (Word::Setting(name), Counts(wanted)) => name == wanted,
        (Word::Authorities | Word::AuthoritiesFile | Word::NoMetadata, IsRead) => true,
        (Word::Refused(problem), Refused(mend)) => problem.contains(mend),
        (Word::Nothing, Nothing) | (Word::Unknown, Warned) => true,
        _ => false,
    }
}

#[test]
fn each_variable_counts_or_is_refused_by_name() {
    let (s3, gcs, azure, web) = (StoreKind::S3, StoreKind::Gcs, StoreKind::Azure, StoreKind::Web);
    #[rustfmt::skip]
    let cases = [
        (s3, "AWS_ACCESS_KEY_ID",                      "k",     Counts("aws_access_key_id")),
        (s3, "AWS_SECRET_ACCESS_KEY",                  "s",     Counts("aws_secret_access_key")),
        (s3, "AWS_SESSION_TOKEN",                      "t",     Counts("aws_session_token")),
        (s3, "AWS_REGION",                             "r",     Counts("aws_region")),
        (s3, "AWS_DEFAULT_REGION",                     "r",     Counts("aws_default_region")),
        (s3, "AWS_ENDPOINT",                           "e",     Counts("aws_endpoint")),
        (s3, "AWS_ENDPOINT_URL",                       "e",     Counts("aws_endpoint")),
        (s3, "AWS_ENDPOINT_URL_S3",                    "e",     Counts("aws_endpoint_url_s3")),
        (s3, "AWS_ENDPOINT_URL_STS",                   "e",     Counts("aws_endpoint_url_sts")),
        (s3, "AWS_ALLOW_HTTP",                         "true",  Counts("allow_http")),
        (s3, "AWS_SKIP_SIGNATURE",                     "true",  Counts("aws_skip_signature")),
        (s3, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",       "true",  Counts("aws_virtual_hosted_style_request")),
        (s3, "AWS_REQUEST_PAYER",                      "true",  Counts("aws_request_payer")),
        (s3, "AWS_WEB_IDENTITY_TOKEN_FILE",            "f",     Counts("aws_web_identity_token_file")),
        (s3, "AWS_ROLE_ARN",                           "a",     Counts("aws_role_arn")),
        (s3, "AWS_ROLE_SESSION_NAME",                  "n",     Counts("aws_role_session_name")),
        (s3, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/u",    Counts("aws_container_credentials_relative_uri")),
        (s3, "AWS_CONTAINER_CREDENTIALS_FULL_URI",     "u",     Counts("aws_container_credentials_full_uri")),
        (s3, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "f",     Counts("aws_container_authorization_token_file")),
        (s3, "AWS_CONTAINER_AUTHORIZATION_TOKEN",      "t",     Refused("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")),
        (s3, "AWS_EC2_METADATA_SERVICE_ENDPOINT",      "e",     Counts("aws_metadata_endpoint")),
        (s3, "AWS_EC2_METADATA_DISABLED",              "true",  IsRead),
        (s3, "AWS_EC2_METADATA_DISABLED",              "false", Nothing),
        (s3, "AWS_CA_BUNDLE",                          "/f",    IsRead),
        (s3, "AWS_PROFILE",                            "p",     Nothing),
        (s3, "AWS_SHARED_CREDENTIALS_FILE",            "/f",    Nothing),
        (s3, "AWS_CONFIG_FILE",                        "/f",    Nothing),
        (s3, "AWS_USE_FIPS_ENDPOINT",                  "true",  Refused("AWS_ENDPOINT=https://s3-fips.REGION.amazonaws.com")),
        (s3, "AWS_USE_FIPS_ENDPOINT",                  "false", Nothing),
        (s3, "AWS_USE_DUALSTACK_ENDPOINT",             "TRUE",  Refused("AWS_ENDPOINT=https://s3.dualstack.REGION.amazonaws.com")),
        (s3, "AWS_SECURITY_TOKEN",                     "t",     Refused("AWS_SESSION_TOKEN")),
        (s3, "AWS_ACCESS_KEY",                         "k",     Refused("AWS_ACCESS_KEY_ID")),
        (s3, "AWS_SECRET_KEY",                         "s",     Refused("AWS_SECRET_ACCESS_KEY")),
        (s3, "AWS_S3_ENDPOINT",                        "e",     Refused("AWS_ENDPOINT")),
        (s3, "AWS_STS_REGIONAL_ENDPOINTS",             "r",     Nothing),
        (s3, "AWS_PAGER",                              "less",  Nothing),
        (s3, "AWS_WHATEVER",                           "x",     Warned),
        (s3, "AWS_ENDPOINT",                           "",      Nothing),
        (s3, "GOOGLE_BASE_URL",                        "e",     Nothing),
        (s3, "TIMEOUT",                                "1",     Nothing),
        (s3, "TOKEN",                                  "t",     Nothing),
        (gcs, "GOOGLE_SERVICE_ACCOUNT",                "/f",    Counts("google_service_account")),
        (gcs, "SERVICE_ACCOUNT",                       "/f",    Counts("google_service_account")),
        (gcs, "GOOGLE_SERVICE_ACCOUNT_KEY",            "{",     Counts("google_service_account_key")),
        (gcs, "GOOGLE_APPLICATION_CREDENTIALS",        "/f",    Counts("google_application_credentials")),
        (gcs, "GOOGLE_BASE_URL",                       "e",     Counts("google_base_url")),
        (gcs, "GOOGLE_ALLOW_HTTP",                     "true",  Counts("allow_http")),
        (gcs, "GOOGLE_SKIP_SIGNATURE",                 "true",  Counts("google_skip_signature")),
        (gcs, "GOOGLE_BEARER_TOKEN",                   "t",     Counts("google_bearer_token")),
        (gcs, "GOOGLE_CLOUD_PROJECT",                  "p",     Nothing),
        (gcs, "STORAGE_EMULATOR_HOST",                 "h",     Refused("GOOGLE_BASE_URL")),
        (gcs, "GOOGLE_API_KEY",                        "k",     Warned),
        (azure, "AZURE_STORAGE_ACCOUNT_NAME",          "n",     Counts("azure_storage_account_name")),
        (azure, "AZURE_STORAGE_ACCOUNT",               "n",     Counts("azure_storage_account_name")),
        (azure, "AZURE_STORAGE_ACCOUNT_KEY",           "k",     Counts("azure_storage_account_key")),
        (azure, "AZURE_STORAGE_KEY",                   "k",     Counts("azure_storage_account_key")),
        (azure, "AZURE_STORAGE_SAS_TOKEN",             "t",     Counts("azure_storage_sas_key")),
        (azure, "AZURE_STORAGE_ENDPOINT",              "e",     Counts("azure_storage_endpoint")),
        (azure, "AZURE_ALLOW_HTTP",                    "true",  Counts("allow_http")),
        (azure, "AZURE_CLIENT_ID",                     "i",     Counts("azure_storage_client_id")),
        (azure, "AZURE_CLIENT_SECRET",                 "s",     Counts("azure_storage_client_secret")),
        (azure, "AZURE_TENANT_ID",                     "t",     Counts("azure_storage_tenant_id")),
        (azure, "AZURE_AUTHORITY_HOST",                "h",     Counts("azure_storage_authority_host")),
        (azure, "AZURE_FEDERATED_TOKEN_FILE",          "/f",    Counts("azure_federated_token_file")),
        (azure, "IDENTITY_ENDPOINT",                   "e",     Counts("azure_msi_endpoint")),
        (azure, "AZURE_STORAGE_CONNECTION_STRING",     "c",     Refused("AZURE_STORAGE_ACCOUNT_KEY")),
        (azure, "AZURE_CLIENT_CERTIFICATE_PATH",       "/f",    Refused("AZURE_CLIENT_SECRET")),
        (azure, "AZURE_USERNAME",                      "u",     Refused("AZURE_CLIENT_ID")),
        (azure, "AZURE_SUBSCRIPTION_ID",               "i",     Nothing),
        (web, "AWS_ACCESS_KEY_ID",                     "k",     Nothing),
        (web, "timeout",                               "1 s",   Nothing),
    ];
    for (kind, key, value, wanted) in cases {
        let word = keys::word(kind, Origin::Environment, key, value);
        assert!(fate(&word, wanted), "{key}={value}: {word:?}, not {wanted:?}");
    }
}

#[test]
fn each_key_of_a_secret_counts_or_is_refused_by_name() {
    let (s3, gcs, azure, web) = (StoreKind::S3, StoreKind::Gcs, StoreKind::Azure, StoreKind::Web);
    let clients = "certificates of clients are not supported";
    let rename = "are read as PEM under the key ca.crt: rename it";
    #[rustfmt::skip]
    let cases = [
        (s3, "ca.crt",                         CERTIFICATE, IsRead),
        (gcs, "ca.crt",                        CERTIFICATE, IsRead),
        (azure, "ca.crt",                      CERTIFICATE, IsRead),
        (web, "ca.crt",                        CERTIFICATE, IsRead),
        (s3, "ca.pem",                         CERTIFICATE, Refused(rename)),
        (s3, "CA_BUNDLE",                      CERTIFICATE, Refused(rename)),
        (s3, "ca-bundle.crt",                  CERTIFICATE, Refused(rename)),
        (s3, "cacert",                         "x",         Refused(rename)),
        (s3, "service-ca.crt",                 CERTIFICATE, Refused(rename)),
        (s3, "company",                        CERTIFICATE, Refused(rename)),
        (s3, "CA.CRT",                         CERTIFICATE, Refused(rename)),
        (s3, "truststore.jks",                 "x",         Refused(rename)),
        (s3, "tls.crt",                        CERTIFICATE, Refused(clients)),
        (s3, "tls.key",                        KEY,         Refused(clients)),
        (web, "client",                        KEY,         Refused(clients)),
        (s3, "AWS_CA_BUNDLE",                  "/f",        Refused("put the certificates themselves under the key ca.crt")),
        (web, "AWS_CA_BUNDLE",                 "/f",        Refused(rename)),
        (s3, "SSL_CERT_FILE",                  "/f",        Refused("under the key ca.crt")),
        (s3, "HTTPS_PROXY",                    "http://p",  Refused("spec.env")),
        (s3, "AWS_PROFILE",                    "p",         Refused("put AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY into the Secret")),
        (s3, "AWS_ACCESS_KEY_ID",              "k",         Counts("aws_access_key_id")),
        (s3, "aws_access_key_id",              "k",         Counts("aws_access_key_id")),
        (s3, "region",                         "r",         Counts("aws_region")),
        (s3, "accessKey",                      "k",         Refused("call it AWS_ACCESS_KEY_ID")),
        (s3, "secret-key",                     "s",         Refused("call it AWS_SECRET_ACCESS_KEY")),
        (s3, "AWS_ACCES_KEY_ID",               "k",         Refused("it is no setting of an S3 store: correct its name, or remove it")),
        (s3, "AZURE_STORAGE_ACCOUNT_KEY",      "k",         Nothing),
        (s3, "GOOGLE_SERVICE_ACCOUNT_KEY",     KEY,         Nothing),
        (s3, "SOME_OTHER_TOOL",                "x",         Warned),
        (s3, "AWS_REGION",                     "",          Nothing),
        (gcs, "key.json",                      "{",         Refused("call it GOOGLE_SERVICE_ACCOUNT_KEY")),
        (gcs, "GOOGLE_SERVICE_ACCOUNT_KEY",    KEY,         Counts("google_service_account_key")),
        (azure, "accountKey",                  "k",         Refused("call it AZURE_STORAGE_ACCOUNT_KEY")),
        (azure, "connection-string",           "c",         Refused("AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY")),
        (web, "timeout",                       "10 s",      Counts("timeout")),
        (web, "token",                         "t",         Refused("without credentials")),
        (web, "Authorization",                 "Bearer t",  Refused("no header can be given")),
        (web, "password",                      "p",         Refused("without credentials")),
        (web, "AWS_ACCESS_KEY_ID",             "k",         Nothing),
    ];
    for (kind, key, value, wanted) in cases {
        let word = keys::word(kind, Origin::Secret, key, value);
        assert!(fate(&word, wanted), "{kind:?} {key}={value}: {word:?}, not {wanted:?}");
    }
}

#[test]
fn settings_that_do_not_fit_each_other_are_refused_with_the_mend() {
    let (s3, gcs, azure) = (StoreKind::S3, StoreKind::Gcs, StoreKind::Azure);
    let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let json = "{\"private_key\": \"secret\"}";
    type Case<'a> = (StoreKind, &'a [(&'a str, &'a str)], &'a str);
    #[rustfmt::skip]
    let cases: [Case<'_>; 17] = [
        (s3,    &[("AWS_ENDPOINT", "http://s:9000")],                     "AWS_ENDPOINT is http://s:9000, which is not encrypted: set AWS_ALLOW_HTTP=true beside it"),
        (s3,    &[("AWS_ENDPOINT_URL_S3", "http://s:9000")],              "AWS_ENDPOINT_URL_S3 is http://s:9000, which is not encrypted: set AWS_ALLOW_HTTP=true"),
        (gcs,   &[("GOOGLE_BASE_URL", "http://s:9000")],                  "set GOOGLE_ALLOW_HTTP=true"),
        (azure, &[("AZURE_STORAGE_ENDPOINT", "http://s:9000")],           "set AZURE_ALLOW_HTTP=true"),
        (s3,    &[("AWS_ENDPOINT", "s:9000")],                            "AWS_ENDPOINT is `s:9000`, which is no address: write it as in https://s:9000"),
        (s3,    &[("AWS_ENDPOINT", "https://u:p@s")],                     "AWS_ENDPOINT has a user or password in it"),
        (s3,    &keys[..1],                                               "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not"),
        (s3,    &keys[1..],                                               "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not"),
        (s3,    &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/f")],                 "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not"),
        (s3,    &[("AWS_ROLE_ARN", "a")],                                 "a role is taken with a token only"),
        (s3,    &[("AWS_ROLE_ARN", "a"), keys[0], keys[1]],               "remove the role or the keys"),
        (s3,    &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://h")],    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is not"),
        (s3,    &[("AWS_EC2_METADATA_DISABLED", "true")],                 "AWS_EC2_METADATA_DISABLED forbids asking"),
        (azure, &[("AZURE_STORAGE_ACCOUNT_KEY", "k")],                    "no account is named: set AZURE_STORAGE_ACCOUNT_NAME"),
        (gcs,   &[("GOOGLE_APPLICATION_CREDENTIALS", json)],              "call it GOOGLE_SERVICE_ACCOUNT_KEY"),
        (gcs,   &[("GOOGLE_SERVICE_ACCOUNT_KEY", "/etc/key.json")],       "is to be the content of a key file"),
        (s3,    &[("AWS_PROFILE", "p")],                                  "AWS_PROFILE stands among the artifact's credentials, and pods have no profile files"),
    ];
    for (kind, own, expected) in cases {
        let problem = Settings::gather(kind, &pairs(own), None).expect_err(expected);
        assert!(problem.contains(expected), "{problem}");
        assert!(!problem.contains("secret\""), "no value is repeated: {problem}");
    }
    #[rustfmt::skip]
    let whole: [Case<'_>; 5] = [
        (s3,    &[("AWS_ENDPOINT", "http://s:9000"), ("AWS_ALLOW_HTTP", "yes")],           "plain http that is meant"),
        (azure, &[("AZURE_STORAGE_ENDPOINT", "http://s"), ("AZURE_ALLOW_HTTP", "1"), ("AZURE_STORAGE_ACCOUNT", "a")],      "plain http that is meant"),
        (s3,    &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/f"), ("AWS_ROLE_ARN", "a"), ("AWS_EC2_METADATA_DISABLED", "true")], "a token"),
        (s3,    &[("AWS_SKIP_SIGNATURE", "true"), ("AWS_EC2_METADATA_DISABLED", "true")],  "a public bucket"),
        (s3,    &[],                                                                       "nothing: the machine's role"),
    ];
    for (kind, own, why) in whole {
        assert!(Settings::gather(kind, &pairs(own), None).is_ok(), "{why}");
    }
}

#[test]
fn a_profile_fills_what_the_environment_leaves_open() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("credentials");
    let text = "[p]\naws_access_key_id=profile\naws_secret_access_key=s\nregion=eu-west-1\nendpoint_url=https://profile\n";
    fs::write(&file, text).unwrap();
    let at = [("AWS_PROFILE", "p"), ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap())];
    let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let region = [("AWS_DEFAULT_REGION", "us-west-2")];
    let own = [("AWS_ENDPOINT", "https://own")];
    #[rustfmt::skip]
    let cases = [
        ("all of it",                    of(StoreKind::S3, &[], &at),                              "profile", "eu-west-1", "https://profile"),
        ("keys of the environment",      of(StoreKind::S3, &[], &[&at[..], &keys].concat()),       "k",       "eu-west-1", "https://profile"),
        ("its region",                   of(StoreKind::S3, &[], &[&at[..], &region].concat()),     "profile", "us-west-2", "https://profile"),
        ("what is given for one alone",  of(StoreKind::S3, &own, &at),                             "profile", "eu-west-1", "https://own"),
    ];
    for (why, settings, key, region, endpoint) in cases {
        let settings = settings.unwrap();
        let facts = settings.facts(false);
        let found = (settings.text("aws_access_key_id"), facts.region.as_str(), facts.endpoint.as_deref());
        assert_eq!(found, (Some(key), region, Some(endpoint)), "{why}");
    }
}

#[test]
fn every_name_of_the_client_is_one_that_it_reads() {
    for key in ["AWS_ALLOW_HTTP", "AWS_ENDPOINT_URL_S3", "AWS_SSE_KMS_KEY_ID", "AWS_TIMEOUT", "AWS_PROXY_URL"]
    {
        let name = keys::canonical(StoreKind::S3, key).unwrap();
        assert_eq!(keys::canonical(StoreKind::S3, &name), Some(name.clone()), "{key}");
    }
}
