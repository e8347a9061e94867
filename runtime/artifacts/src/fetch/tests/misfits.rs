//! Settings that do not fit the store: said once, with the mend, and not tried again.

use std::error::Error;

use super::*;

/// The error of a fetch with these settings over those of `stage`.
async fn error_with(stage: &StoreFixture, more: &[(&str, &str)]) -> FetchError {
    let mut credentials = stage.store.settings();
    for (key, value) in more {
        credentials.retain(|(known, _)| known != key);
        credentials.push(((*key).to_owned(), (*value).to_owned()));
    }
    let options = FetchOptions { max_retries: 1, ..FetchOptions::new(stage.cache.path()) };
    Fetcher::new(options).with_credentials(credentials).digest(URI).await.unwrap_err()
}

#[tokio::test]
async fn plain_http_is_refused_until_it_is_meant() {
    let stage = StoreFixture::new().await;
    let error = error_with(&stage, &[("aws_allow_http", "false")]).await;
    let expected = format!(
        "the store of {URI} cannot be used: aws_endpoint is http://{}, which is not encrypted: set AWS_ALLOW_HTTP=true beside it if \
         that is meant, or write https://",
        stage.store.address()
    );
    assert_eq!((error.reason(), error.to_string()), ("BadStoreSettings", expected));
    assert!(!error.is_transient());
    assert_eq!(stage.store.connections(), 0);
}

#[tokio::test]
async fn a_bucket_of_another_region_is_named_with_its_region() {
    let stage = StoreFixture::new().await;
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting 'eu-west-1'</Message>\
                     <Region>eu-west-1</Region></Error>";
    let none = ("content-type", "text/xml");
    let mend = "the bucket is in the region eu-west-1, not in us-east-1: set AWS_REGION=eu-west-1";
    #[rustfmt::skip]
    let cases = [
        ("a redirect without an address", Spoil::Answer(301, ("x-amz-bucket-region", "eu-west-1"), ""), mend),
        ("a temporary one",               Spoil::Answer(307, ("x-amz-bucket-region", "eu-west-1"), ""), mend),
        ("a signature for another",       Spoil::Answer(400, none, malformed), mend),
        ("refused, with the region",      Spoil::Answer(403, ("x-amz-bucket-region", "eu-west-1"), ""), mend),
        ("no region is told",             Spoil::Answer(301, none, ""), "it redirects without an address, as S3 does for a bucket of another region: set AWS_REGION to the region of the bucket"),
    ];
    for (why, answer, expected) in cases {
        stage.store.spoil("marquee.json", answer, usize::MAX);
        let before = stage.store.requests().len();
        let error = error_with(&stage, &[]).await;
        assert_eq!(error.to_string(), format!("the store of {URI} cannot be used: {expected}"), "{why}");
        assert_eq!(stage.store.requests().len() - before, 1, "{why}: asked once");
    }
    stage.store.spoil(
        "marquee.json",
        Spoil::Answer(403, ("x-amz-bucket-region", "us-east-1"), ""),
        usize::MAX,
    );
    assert!(
        matches!(error_with(&stage, &[]).await, FetchError::Denied { .. }),
        "the region is right, so the keys are not"
    );
    let url: &'static str =
        Box::leak(format!("http://localhost:{}/elsewhere", stage.store.address().port()).into_boxed_str());
    stage.store.spoil("marquee.json", Spoil::Answer(307, ("location", url), ""), usize::MAX);
    let error = error_with(&stage, &[]).await.to_string();
    assert!(
        error.contains(&format!("it redirects to {url}")) && error.contains("set AWS_ENDPOINT"),
        "{error}"
    );
}

#[tokio::test]
async fn who_has_no_credentials_is_told_which_to_set() {
    let stage = StoreFixture::new().await;
    let credentials: Vec<(String, String)> =
        stage.store.settings().into_iter().filter(|(key, _)| !key.contains("key")).collect();
    // No process listens on this port.
    let nobody = ("AWS_EC2_METADATA_SERVICE_ENDPOINT".to_owned(), "http://127.0.0.1:9".to_owned());
    let options = FetchOptions { max_retries: 0, ..FetchOptions::new(stage.cache.path()) };
    let fetcher = Fetcher::new(options).with_credentials(credentials.into_iter().chain([nobody]).collect());
    let error = fetcher.digest(URI).await.unwrap_err();
    let cause = error.source().unwrap().to_string();
    let expected = "no credentials were given, and this machine has no identity in the cloud: set AWS_ACCESS_KEY_ID and \
                    AWS_SECRET_ACCESS_KEY (or AWS_SKIP_SIGNATURE=true for a public bucket) in the Secret";
    assert_eq!((error.reason(), cause.as_str()), ("AccessDenied", expected));
}

#[tokio::test]
async fn each_cause_is_said_once() {
    let stage = StoreFixture::new().await;
    let error = error_with(&stage, &[("aws_endpoint", "http://127.0.0.1:9")]).await;
    let cause = error.source().unwrap();
    assert!(cause.source().is_none(), "{cause:?}");
    assert_eq!(
        cause.to_string(),
        "GET http://127.0.0.1:9/models/ease/marquee.json, after 1 retries: tcp connect error: Connection refused (os error 111)"
    );
    let error = error_with(&stage, &[("aws_secret_access_key", "wrong")]).await;
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause.matches("SignatureDoesNotMatch").count(), 1, "{cause}");
    assert!(!cause.contains('<'), "{cause}");
}
