//! Stores whose certificates an authority of their own signs.

use std::process::{Command, Stdio};

use super::authority::Authority;
use super::*;

const CHILD: &str = "MARQUEE_TEST_TLS_CHILD";

fn secret(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What is said of a store that this authority signs for, and how often it was asked.
async fn refused(store: &Store, credentials: Vec<(String, String)>) -> (FetchError, usize) {
    let cache = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(FetchOptions::new(cache.path())).with_credentials(credentials);
    let before = store.connections();
    let error = fetcher.digest(URI).await.unwrap_err();
    (error, store.connections() - before)
}

#[tokio::test]
async fn an_artifact_comes_over_https_from_a_store_with_an_authority_of_its_own() {
    let authority = Authority::new();
    let store = Store::start_open_tls(authority.server()).await;
    let digest = large(&store.place("models/ease"), 40, 0.5);
    let cache = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(FetchOptions::new(cache.path()));
    let uri = format!("https://{}/models/ease", store.address());
    let trusting = fetcher.with_credentials(secret(&[("ca.crt", &authority.pem)]));
    let (artifact, _lease) = trusting.open(&uri, Some(digest), |_| ()).await.unwrap();
    assert_eq!(artifact.n_titles(), 40);

    let before = store.connections();
    let error = fetcher.digest(&uri).await.unwrap_err();
    let expected = format!(
        "the store of {uri} cannot be used: the certificate of {} is signed by an authority that is not trusted here: put the \
         authority's certificate as PEM into the artifact's Secret under the key ca.crt, or, for a process outside a cluster, into \
         a file that SSL_CERT_FILE names",
        store.address()
    );
    assert_eq!((error.reason(), error.to_string()), ("BadStoreSettings", expected));
    assert!(!error.is_transient());
    assert_eq!(store.connections() - before, 1, "it is asked once, since no retry mends this");
}

#[tokio::test]
async fn an_artifact_comes_from_an_s3_store_with_an_authority_of_its_own() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let stage = StoreFixture::on(Store::start_tls(authority.server()).await);
    let fetcher = Fetcher::new(FetchOptions::new(stage.cache.path()));
    let with = |pem: &str| {
        let mut credentials = stage.store.settings();
        credentials.extend(secret(&[("ca.crt", pem)]));
        credentials
    };
    let bundle = format!("{}{}", stranger.pem, authority.pem);
    let trusting = fetcher.with_credentials(with(&bundle));
    let (artifact, _lease) = trusting.open(URI, Some(stage.digest), |_| ()).await.unwrap();
    assert_eq!(artifact.n_titles(), 400);

    let (error, asked) = refused(&stage.store, stage.store.settings()).await;
    let message = error.to_string();
    assert!(
        message.ends_with("add the authority's certificate to the Secret as PEM, under the key ca.crt"),
        "{message}"
    );
    assert_eq!(asked, 1);
    let (error, _) = refused(&stage.store, with(&stranger.pem)).await;
    let message = error.to_string();
    assert!(
        message.ends_with("the certificates of ca.crt are other authorities': add its own there, as PEM"),
        "{message}"
    );
    let (error, asked) = refused(&stage.store, with("/etc/ssl/ca.pem")).await;
    let message = error.to_string();
    assert!(message.contains("cannot be used: ca.crt contains no certificate"), "{message}");
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_in_words() {
    let authority = Authority::new();
    #[rustfmt::skip]
    let cases = [
        ("expired",            Some(authority.expired()),                        "has expired: renew it, or set this machine's clock"),
        ("other names",        Some(authority.server_for(&["store.example"])),   "is for other names (store.example): address the store by one of them"),
        ("an authority's own", Some(authority.itself()),                         "is that of an authority itself"),
        ("no TLS at all",      None,                                             "does not answer with TLS: correct the port, or write http:// instead"),
    ];
    for (why, tls, expected) in cases {
        let store = match tls {
            Some(tls) => Store::start_tls(tls).await,
            None => Store::start().await,
        };
        let endpoint = format!("https://{}", store.address());
        let credentials = secret(&[
            ("AWS_ENDPOINT", &endpoint),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("ca.crt", &authority.pem),
        ]);
        let (error, asked) = refused(&store, credentials).await;
        assert!(error.to_string().contains(expected), "{why}: {error}");
        assert_eq!((error.reason(), asked), ("BadStoreSettings", 1), "{why}");
    }
}

#[tokio::test]
async fn every_kind_of_store_trusts_the_authority() {
    let authority = Authority::new();
    let store = Store::start_open_tls(authority.server()).await;
    let digest = large(&store.place("models/ease"), 40, 0.5);
    let endpoint = format!("https://{}", store.address());
    let azure = [
        ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
        ("AZURE_STORAGE_ACCOUNT", "a"),
        ("AZURE_SKIP_SIGNATURE", "true"),
    ];
    let cases: [(&str, &[(&str, &str)]); 3] = [
        ("s3", &[("AWS_ENDPOINT", &endpoint), ("AWS_SKIP_SIGNATURE", "true")]),
        ("gs", &[("GOOGLE_BASE_URL", &endpoint), ("GOOGLE_SKIP_SIGNATURE", "true")]),
        ("az", &azure),
    ];
    for (scheme, settings) in cases {
        let cache = tempfile::tempdir().unwrap();
        let fetcher = Fetcher::new(FetchOptions::new(cache.path()));
        let uri = format!("{scheme}://models/ease");
        let untrusting = fetcher.with_credentials(secret(settings));
        let error = untrusting.digest(&uri).await.unwrap_err().to_string();
        assert!(
            error.ends_with("add the authority's certificate to the Secret as PEM, under the key ca.crt"),
            "{error}"
        );
        let trusting =
            fetcher.with_credentials([secret(settings), secret(&[("ca.crt", &authority.pem)])].concat());
        assert_eq!(trusting.digest(&uri).await.expect(scheme), digest);
    }
}

#[tokio::test]
async fn a_redirect_to_plain_http_is_not_followed() {
    let authority = Authority::new();
    let store = Store::start_open_tls(authority.server()).await;
    store.spoil(
        "marquee.json",
        Spoil::Answer(302, ("location", "http://127.0.0.1:9/marquee.json"), ""),
        usize::MAX,
    );
    let cache = tempfile::tempdir().unwrap();
    let trusting =
        Fetcher::new(FetchOptions::new(cache.path())).with_credentials(secret(&[("ca.crt", &authority.pem)]));
    let error = trusting.digest(&format!("https://{}/models/ease", store.address())).await.unwrap_err();
    let message = error.to_string();
    assert!(
        message.ends_with(
            "it leads to plain http, which is not allowed: use the address that answers over https"
        ),
        "{message}"
    );
    assert_eq!(store.requests().len(), 1);
}

/// Runs this very test again in a process with the environment of somebody who uses S3's own tools.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_takes_profile_and_authorities_from_the_environment() {
    if let Ok(wanted) = std::env::var(CHILD) {
        let (cache, digest): (PathBuf, String) = serde_json::from_str(&wanted).unwrap();
        let fetcher = Fetcher::new(FetchOptions::new(cache));
        fetcher.fetch(URI, Some(digest.parse().unwrap()), |_| ()).await.unwrap();
        return;
    }
    let authority = Authority::new();
    let stage = StoreFixture::on(Store::start_tls(authority.server()).await);
    let home = tempfile::tempdir().unwrap();
    let bundle = home.path().join("ca.pem");
    std::fs::write(&bundle, &authority.pem).unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let profile = "[work]\naws_access_key_id = key\naws_secret_access_key = secret\nregion = us-east-1\n";
    std::fs::write(home.path().join(".aws/credentials"), profile).unwrap();
    let child = || {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let test = "fetch::tests::tls::a_process_takes_profile_and_authorities_from_the_environment";
        child.args(["--exact", test]).env_clear().stdout(Stdio::null()).stderr(Stdio::null());
        let wanted = (stage.cache.path(), stage.digest.to_string());
        child.env(CHILD, serde_json::to_string(&wanted).unwrap());
        child.env("HOME", home.path()).env("AWS_PROFILE", "work");
        child.env("AWS_ENDPOINT_URL", format!("https://{}", stage.store.address()));
        child
    };
    let ended = |mut child: Command| tokio::task::spawn_blocking(move || child.status().unwrap().success());
    assert!(!ended(child()).await.unwrap(), "nobody signs for the store");
    let mut trusting = child();
    trusting.env("AWS_CA_BUNDLE", &bundle);
    assert!(ended(trusting).await.unwrap());
    assert!(stage.is_whole());
}

#[tokio::test]
async fn a_role_is_taken_with_a_token_and_its_refusal_is_told() {
    let authority = Authority::new();
    let stage = StoreFixture::on(Store::start_tls(authority.server()).await);
    let token = stage.cache.path().join("token");
    std::fs::write(&token, "a token").unwrap();
    let address = format!("https://{}", stage.store.address());
    let credentials = secret(&[
        ("AWS_ENDPOINT", &address),
        ("AWS_ENDPOINT_URL_STS", &address),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/reader"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("ca.crt", &authority.pem),
    ]);
    const GRANTED: &str = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
        <AccessKeyId>key</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>s</SessionToken>\
        <Expiration>2199-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
    const DENIED: &str = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not this role</Message></Error></ErrorResponse>";
    let header = ("content-type", "text/xml");
    let fetcher = Fetcher::new(FetchOptions::new(stage.cache.path().join("cache")));
    stage.store.spoil("/", Spoil::Answer(200, header, GRANTED), 1);
    fetcher.with_credentials(credentials.clone()).fetch(URI, Some(stage.digest), |_| ()).await.unwrap();
    stage.store.spoil("/", Spoil::Answer(403, header, DENIED), usize::MAX);
    let (error, asked) = refused(&stage.store, credentials).await;
    let told = std::error::Error::source(&error).unwrap().to_string();
    let expected = format!(
        "the token service {} refuses AWS_ROLE_ARN: AccessDenied: not this role",
        stage.store.address()
    );
    assert_eq!((error.reason(), told, asked), ("AccessDenied", expected, 1));
}
