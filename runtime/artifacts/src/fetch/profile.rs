//! The profile files of S3's own tools: `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::keys::is_on;

/// One profile, of both files together.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    values: BTreeMap<String, String>,
    /// Settings of the service S3 alone, which the profile refers to.
    service: BTreeMap<String, String>,
}

type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// What a profile calls the settings, and what the client of the store does.
const NAMES: [(&str, &str); 9] = [
    ("aws_access_key_id", "aws_access_key_id"),
    ("aws_secret_access_key", "aws_secret_access_key"),
    ("aws_session_token", "aws_session_token"),
    ("aws_security_token", "aws_session_token"),
    ("region", "aws_region"),
    ("endpoint_url", "aws_endpoint"),
    ("web_identity_token_file", "aws_web_identity_token_file"),
    ("role_arn", "aws_role_arn"),
    ("role_session_name", "aws_role_session_name"),
];

/// Ways to credentials that only S3's own tools know.
const OTHER_WAYS: [&str; 8] = [
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "credential_process",
    "source_profile",
    "credential_source",
    "mfa_serial",
    "login_session",
];

impl Profile {
    /// The profile that the variables choose; `None` if none is chosen and there is no default one.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let chosen =
            ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find_map(|by| Some((by, variable(by)?)));
        let name = chosen.as_ref().map_or("default", |(_, name)| name.as_str()).to_owned();
        let home = variable("HOME").map(PathBuf::from);
        let file = |by: &str, usual: &str| -> Result<(PathBuf, Sections), String> {
            let named = variable(by);
            let usual = || home.as_ref().map(|home| home.join(".aws").join(usual));
            let Some(path) = named.as_ref().map(PathBuf::from).or_else(usual) else {
                return Ok(Default::default());
            };
            match fs::read_to_string(&path) {
                Ok(text) => Ok((path, sections(&text))),
                Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
                    Ok((path, Sections::new()))
                }
                Err(_) if named.is_none() && chosen.is_none() => Ok((path, Sections::new())),
                Err(error) => {
                    let path = path.display();
                    let by = if named.is_some() { format!(", which {by} names,") } else { String::new() };
                    Err(format!("{path}{by} cannot be read ({error}): correct it"))
                }
            }
        };
        let (config_path, config) = file("AWS_CONFIG_FILE", "config")?;
        let (credentials_path, credentials) = file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
        let found = [config.get(&format!("profile {name}")), credentials.get(&name)];
        // Only the default profile stands in the config without the word.
        let plain = config.get(&name).filter(|_| name == "default");
        if found.iter().all(Option::is_none) && plain.is_none() {
            return match chosen {
                None => Ok(None),
                Some((by, name)) => Err(format!(
                    "{by} is `{name}`, and neither {} nor {} has such a profile: correct the name, or add it",
                    credentials_path.display(),
                    config_path.display()
                )),
            };
        }
        let parts = plain.into_iter().chain(found.into_iter().flatten());
        let values: BTreeMap<_, _> =
            parts.flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        let service = values.get("services").and_then(|services| config.get(&format!("services {services}")));
        Ok(Some(Self { name, service: service.cloned().unwrap_or_default(), values }))
    }

    /// What it sets, by the names of the store's client. If `needed`, it must also say who asks, or nothing about it.
    pub(crate) fn settings(&self, needed: bool) -> Result<Vec<(&'static str, String)>, String> {
        let name = &self.name;
        let other_way = OTHER_WAYS.into_iter().find(|way| self.values.contains_key(*way));
        if let (Some(way), true) = (other_way, needed) {
            return Err(format!(
                "profile {name} has {way}, which only the tools of AWS can follow: set the variables that `aws configure \
                 export-credentials --profile {name} --format env` prints"
            ));
        }
        for (key, host) in [("use_fips_endpoint", "s3-fips"), ("use_dualstack_endpoint", "s3.dualstack")] {
            if self.values.get(key).is_some_and(|value| is_on(value)) {
                return Err(format!(
                    "profile {name} has {key}, which is not supported: set AWS_ENDPOINT=https://{host}.REGION.amazonaws.com instead"
                ));
            }
        }
        let own =
            NAMES.into_iter().filter_map(|(key, setting)| Some((setting, self.values.get(key)?.clone())));
        let service =
            self.service.get("s3.endpoint_url").map(|endpoint| ("aws_endpoint_url_s3", endpoint.clone()));
        Ok(own.chain(service).collect())
    }

    /// The file with certificates of authorities.
    pub(crate) fn authorities(&self) -> Option<&str> {
        self.values.get("ca_bundle").map(String::as_str)
    }
}

/// Reads the format of both files: `[section]`, `key = value`, and indented lines below a key without a value, whose keys
/// become `key.inner`. All other lines are ignored, as S3's own tools ignore them.
fn sections(text: &str) -> Sections {
    let mut sections = Sections::new();
    let (mut section, mut outer) = (None, None);
    for line in text.trim_start_matches('\u{feff}').lines() {
        let is_inner = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ").replace(['"', '\''], "");
            sections.entry(name.clone()).or_default();
            (section, outer) = (Some(name), None);
            continue;
        }
        let (Some(at), Some((key, value))) = (&section, line.split_once('=')) else { continue };
        let (key, value) = (key.trim().to_ascii_lowercase(), without_comment(value));
        let key = match (&outer, is_inner) {
            (Some(outer), true) => format!("{outer}.{key}"),
            _ => {
                outer = value.is_empty().then(|| key.clone());
                key
            }
        };
        if !value.is_empty() {
            sections.entry(at.clone()).or_default().insert(key, value.to_owned());
        }
    }
    sections
}

/// A comment at the end of a line has a space before it, since secrets contain `#`.
fn without_comment(value: &str) -> &str {
    let ends = [" #", " ;", "\t#", "\t;"].into_iter().filter_map(|start| value.find(start));
    value[..ends.min().unwrap_or(value.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
        # the company's
[default]
region = eu-central-1
[profile  work]
region=eu-west-1   # Dublin
ca_bundle = /etc/ssl/work.pem
services = on-premises
s3 =
    max_concurrent_requests = 20
[services on-premises]
s3 =
    endpoint_url = https://store.work:9000
sts =
    endpoint_url = https://sts.work
[profile sso]
sso_session = corp
[profile role]
role_arn = arn:aws:iam::1:role/reader
source_profile = work
[profile token]
role_arn = arn:aws:iam::1:role/reader
web_identity_token_file = /var/token
[profile fips]
use_fips_endpoint = true
";
    const CREDENTIALS: &str = "\u{feff}[work]
aws_access_key_id = AKIA
aws_secret_access_key = se#c=ret/+ ; mine
[default]
aws_access_key_id: not a setting
aws_access_key_id=DEFAULT
";

    fn read(dir: &tempfile::TempDir, more: &[(&str, &str)]) -> Result<Option<Profile>, String> {
        let home = dir.path().to_str().unwrap().to_owned();
        let more: Vec<_> = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Profile::read(move |name| {
            let given = more.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            given.or_else(|| (name == "HOME").then(|| home.clone()))
        })
    }

    fn home() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".aws")).unwrap();
        fs::write(dir.path().join(".aws/config"), CONFIG).unwrap();
        fs::write(dir.path().join(".aws/credentials"), CREDENTIALS).unwrap();
        dir
    }

    #[test]
    fn a_profile_is_read_as_the_tools_of_s3_read_it() {
        let dir = home();
        let own = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
        };
        let work = read(&dir, &[("AWS_PROFILE", "work")]).unwrap().unwrap();
        let expected = own(&[
            ("aws_access_key_id", "AKIA"),
            ("aws_secret_access_key", "se#c=ret/+"),
            ("aws_region", "eu-west-1"),
            ("aws_endpoint_url_s3", "https://store.work:9000"),
        ]);
        assert_eq!(work.settings(true).unwrap(), expected);
        assert_eq!(work.authorities(), Some("/etc/ssl/work.pem"));
        let default = read(&dir, &[]).unwrap().unwrap().settings(true).unwrap();
        assert_eq!(default, own(&[("aws_access_key_id", "DEFAULT"), ("aws_region", "eu-central-1")]));
        let token = read(&dir, &[("AWS_DEFAULT_PROFILE", "token")]).unwrap().unwrap().settings(true).unwrap();
        let expected = own(&[
            ("aws_web_identity_token_file", "/var/token"),
            ("aws_role_arn", "arn:aws:iam::1:role/reader"),
        ]);
        assert_eq!(token, expected);
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(read(&elsewhere, &[]).unwrap().is_none(), "no files and none is named");
        let file = dir.path().join(".aws/credentials");
        let there = read(&elsewhere, &[("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap())]).unwrap();
        assert_eq!(there.unwrap().settings(true).unwrap(), own(&[("aws_access_key_id", "DEFAULT")]));
    }

    #[test]
    fn what_a_profile_asks_for_in_vain_is_named() {
        let dir = home();
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
        #[rustfmt::skip]
        let cases: [Case<'_>; 6] = [
            ("a misspelt name",   &[("AWS_PROFILE", "wrok")],                          "AWS_PROFILE is `wrok`, and neither "),
            ("a file elsewhere",  &[("AWS_CONFIG_FILE", "/nowhere/config")],           "/nowhere/config, which AWS_CONFIG_FILE names, cannot be read"),
            ("single sign-on",    &[("AWS_PROFILE", "sso")],                           "profile sso has sso_session, which only the tools of AWS can follow: set the variables that `aws configure export-credentials --profile sso --format env` prints"),
            ("another profile's", &[("AWS_PROFILE", "role")],                          "profile role has source_profile"),
            ("an endpoint",       &[("AWS_PROFILE", "fips")],                          "set AWS_ENDPOINT=https://s3-fips.REGION.amazonaws.com instead"),
            ("a section of the config without the word `profile`", &[("AWS_PROFILE", "services on-premises"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")], "has such a profile"),
        ];
        for (why, variables, expected) in cases {
            let problem =
                read(&dir, variables).and_then(|profile| profile.unwrap().settings(true)).expect_err(why);
            assert!(problem.contains(expected), "{why}: {problem}");
        }
        let sso = read(&dir, &[("AWS_PROFILE", "sso")]).unwrap().unwrap();
        assert_eq!(
            sso.settings(false).unwrap(),
            [],
            "with keys of its own in the environment, the profile need not give any"
        );
    }
}
