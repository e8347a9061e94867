//! The settings of one artifact's store: gathered, checked, and with a word about each name that does not count.

use std::collections::BTreeMap;
use std::fs;

use object_store::Certificate;
use reqwest::Url;

use super::keys::{self, AUTHORITIES, Origin, Word, is_on};
use super::kind::StoreKind;
use super::misfit::StoreFacts;
use super::profile::Profile;
use super::trust;

/// Settings of a store, ready for its client.
#[derive(Debug)]
pub(crate) struct Settings {
    /// By the client's names.
    values: BTreeMap<String, Value>,
    pub(crate) authorities: Vec<Certificate>,
    trusted: Option<&'static str>,
    no_metadata: bool,
    kind: StoreKind,
}

#[derive(Clone)]
struct Value {
    /// The name by which it was given.
    given_as: String,
    origin: Origin,
    text: String,
}

/// Names alone: values may be secret.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.given_as)
    }
}

/// Settings that name a file.
const FILES: [&str; 5] = [
    "google_service_account",
    "google_application_credentials",
    "aws_web_identity_token_file",
    "aws_container_authorization_token_file",
    "azure_federated_token_file",
];

/// Settings of S3 that say who asks.
const WHO: [&str; 6] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_web_identity_token_file",
    "aws_role_arn",
    "aws_role_session_name",
];

impl Settings {
    /// Gathers the settings of a store from what was given for this artifact and, if it counts, from the environment. The
    /// problem has the mend, and no value that may be secret.
    pub(crate) fn gather(
        kind: StoreKind,
        own: &[(String, String)],
        environment: Option<&[(String, String)]>,
    ) -> Result<Self, String> {
        let mut settings = Self {
            values: BTreeMap::new(),
            authorities: Vec::new(),
            trusted: None,
            no_metadata: false,
            kind,
        };
        for (key, value) in environment.unwrap_or_default() {
            settings.take(Origin::Environment, key, value)?;
        }
        if let (StoreKind::S3, Some(environment)) = (kind, environment) {
            settings.take_profile(environment)?;
        }
        for (key, value) in own {
            settings.take(Origin::Secret, key, value)?;
        }
        if kind == StoreKind::Gcs {
            // The client allows it unasked. One rule for all stores.
            let off =
                Value { given_as: String::new(), origin: Origin::Environment, text: "false".to_owned() };
            settings.values.entry("allow_http".to_owned()).or_insert(off);
        }
        settings.check_files()?;
        settings.check_endpoint()?;
        if kind == StoreKind::S3 {
            settings.check_identity()?;
        }
        let has_account = settings.has("azure_storage_account_name")
            || settings.is_switched_on("azure_storage_use_emulator");
        if kind == StoreKind::Azure && !has_account {
            return Err("no account is named: set AZURE_STORAGE_ACCOUNT_NAME".to_owned());
        }
        Ok(settings)
    }

    fn take(&mut self, origin: Origin, key: &str, value: &str) -> Result<(), String> {
        let given_as = key.to_owned();
        match keys::word(self.kind, origin, key, value) {
            Word::Setting(name) => {
                self.values.insert(name, Value { given_as, origin, text: value.to_owned() });
            }
            Word::Authorities => {
                self.trust(AUTHORITIES, value).map_err(|problem| format!("{key} {problem}"))?
            }
            Word::AuthoritiesFile => {
                let pem = fs::read_to_string(value);
                let pem = pem.map_err(|error| {
                    format!("{key} names {value}, which cannot be read ({error}): correct it")
                })?;
                self.trust("AWS_CA_BUNDLE", &pem)
                    .map_err(|problem| format!("{key} names {value}, which {problem}"))?;
            }
            Word::NoMetadata => self.no_metadata = true,
            Word::Nothing => tracing::debug!(key, "nothing to this kind of store"),
            Word::Unknown => tracing::warn!(key, "not a setting of this kind of store: it does not count"),
            Word::Refused(problem) => {
                let place = if origin == Origin::Secret {
                    "among the artifact's credentials"
                } else {
                    "in the environment"
                };
                return Err(format!("{key} stands {place}, and {problem}"));
            }
        }
        Ok(())
    }

    fn trust(&mut self, given: &'static str, pem: &str) -> Result<(), String> {
        self.authorities.extend(trust::authorities(pem)?);
        self.trusted = Some(given);
        Ok(())
    }

    /// What the environment leaves open comes from the profile.
    fn take_profile(&mut self, environment: &[(String, String)]) -> Result<(), String> {
        let variable = |name: &str| {
            let found = environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            found.filter(|value| !value.is_empty())
        };
        let Some(profile) = Profile::read(variable)? else { return Ok(()) };
        let knows_who =
            self.has("aws_access_key_id") || self.has_token() || self.is_switched_on("aws_skip_signature");
        for (name, text) in profile.settings(!knows_who)? {
            let is_known = if name == "aws_region" {
                self.has("aws_default_region")
            } else {
                knows_who && WHO.contains(&name)
            };
            let given_as = format!("{name} of profile {}", profile.name);
            if !is_known {
                let value = Value { given_as, origin: Origin::Environment, text };
                self.values.entry(name.to_owned()).or_insert(value);
            }
        }
        if let (Some(bundle), true) = (profile.authorities(), self.authorities.is_empty()) {
            self.take(Origin::Environment, "AWS_CA_BUNDLE", bundle)?;
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), String> {
        for value in FILES.iter().filter_map(|name| self.values.get(*name)) {
            // The client would repeat the value in its error, as the name of a file that does not exist.
            if value.text.starts_with('{') || value.text.contains('\n') {
                let key = &value.given_as;
                let mend = match self.kind {
                    StoreKind::Gcs => "call it GOOGLE_SERVICE_ACCOUNT_KEY",
                    _ => "give the file's name",
                };
                return Err(format!("{key} is to name a file, and its value is the content of one: {mend}"));
            }
        }
        match self.values.get("google_service_account_key") {
            Some(value) if !value.text.trim_start().starts_with('{') => {
                let key = &value.given_as;
                Err(format!(
                    "{key} is to be the content of a key file (JSON), and its value is not: give the content itself"
                ))
            }
            _ => Ok(()),
        }
    }

    fn endpoint(&self) -> Option<&Value> {
        let names: &[&str] = match self.kind {
            StoreKind::S3 => &["aws_endpoint_url_s3", "aws_endpoint"],
            StoreKind::Gcs => &["google_base_url"],
            StoreKind::Azure => &["azure_storage_endpoint"],
            StoreKind::Web => &[],
        };
        names.iter().find_map(|name| self.values.get(*name))
    }

    fn check_endpoint(&self) -> Result<(), String> {
        let Some(Value { given_as: key, text, .. }) = self.endpoint() else { return Ok(()) };
        let url = Url::parse(text).ok().filter(Url::has_host);
        let Some(url) = url.filter(|url| ["http", "https"].contains(&url.scheme())) else {
            return Err(format!("{key} is `{text}`, which is no address: write it as in https://{text}"));
        };
        if !url.username().is_empty() || url.password().is_some() {
            let credentials = self.kind.credentials();
            return Err(format!("{key} has a user or password in it: remove them, and set {credentials}"));
        }
        match self.kind.http_switch() {
            Some(switch) if url.scheme() == "http" && !self.is_switched_on("allow_http") => Err(format!(
                "{key} is {text}, which is not encrypted: set {switch}=true beside it if that is meant, or write https://"
            )),
            _ => Ok(()),
        }
    }

    /// Where the client would pass over half of what was given, and ask as somebody else.
    fn check_identity(&self) -> Result<(), String> {
        let half = |one: &str, other: &str| self.has(one) && !self.has(other);
        let missing =
            |one: &str, other: &str| Err(format!("{one} is set and {other} is not: set both, or neither"));
        if half("aws_access_key_id", "aws_secret_access_key") {
            return missing("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        }
        if half("aws_secret_access_key", "aws_access_key_id") {
            return missing("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID");
        }
        let sts = self.values.get("aws_endpoint_url_sts").filter(|value| value.text.starts_with("http://"));
        if let (Some(value), true) = (sts, self.has_token()) {
            let key = &value.given_as;
            return Err(format!("{key} is not encrypted, and no token is sent there: write https://"));
        }
        if self.has("aws_access_key_id") {
            let role = self.values.get("aws_role_arn").filter(|role| role.origin == Origin::Secret);
            return match role {
                Some(_) => Err("AWS_ROLE_ARN stands beside keys, and a role is taken with AWS_WEB_IDENTITY_TOKEN_FILE only: \
                                remove the role or the keys"
                    .to_owned()),
                None => Ok(()),
            };
        }
        if self.is_switched_on("aws_skip_signature") {
            return Ok(());
        }
        if half("aws_web_identity_token_file", "aws_role_arn") {
            return missing("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN");
        }
        if half("aws_role_arn", "aws_web_identity_token_file") {
            return Err("AWS_ROLE_ARN is set and AWS_WEB_IDENTITY_TOKEN_FILE is not, and a role is taken with a token only: set \
                        both, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                .to_owned());
        }
        let is_task = self.has("aws_container_credentials_relative_uri");
        if !is_task && half("aws_container_credentials_full_uri", "aws_container_authorization_token_file") {
            return missing("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        }
        let knows_who = self.has_token() || is_task || self.has("aws_container_credentials_full_uri");
        if self.no_metadata && !knows_who {
            let credentials = self.kind.credentials();
            return Err(format!(
                "no credentials were given, and AWS_EC2_METADATA_DISABLED forbids asking the machine for its role: set {credentials}"
            ));
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    fn has_token(&self) -> bool {
        self.has("aws_web_identity_token_file") && self.has("aws_role_arn")
    }

    fn is_switched_on(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| is_on(&value.text))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str())
    }

    /// For the client, by its names.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.text.as_str()))
    }

    /// The name under which a value was given that the client quotes in its complaint.
    pub(crate) fn complained_of(&self, complaint: &str) -> Option<&str> {
        let is_quoted = |value: &&Value| complaint.contains(&format!("\"{}\"", value.text));
        self.values.values().find(is_quoted).map(|value| value.given_as.as_str())
    }

    /// What answers of the store are compared with.
    pub(crate) fn facts(&self, from_secret: bool) -> StoreFacts {
        let region = self.text("aws_region").or_else(|| self.text("aws_default_region"));
        StoreFacts {
            kind: self.kind,
            region: region.unwrap_or("us-east-1").to_owned(),
            endpoint: self.endpoint().map(|value| value.text.clone()),
            trusted: self.trusted,
            from_secret,
            metadata: self.text("aws_metadata_endpoint").map(ToOwned::to_owned),
            falls_back: self.is_switched_on("aws_imdsv1_fallback"),
        }
    }
}

#[cfg(test)]
mod tests;
