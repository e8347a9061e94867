//! Credentials of one artifact are asked with for this one alone.

use super::*;

#[tokio::test]
async fn two_secrets_in_one_process_never_mix() {
    let (mine, theirs) = (StoreFixture::new().await, StoreFixture::new().await);
    let cache = tempfile::tempdir().unwrap();
    let fetcher = Fetcher::new(FetchOptions::new(cache.path()));
    let as_tools_name_them = |stage: &StoreFixture| -> Vec<(String, String)> {
        let settings = stage.store.settings().into_iter();
        let named = settings.map(|(key, value)| (key.to_uppercase(), value));
        named.chain([("SOME_OTHER_TOOL".to_owned(), "its own".to_owned())]).collect()
    };
    for stage in [&mine, &theirs] {
        let own = fetcher.with_credentials(as_tools_name_them(stage));
        own.digest(URI).await.unwrap();
    }
    assert_eq!((mine.store.requests().len(), theirs.store.requests().len()), (1, 1), "each at its own store");
    let mut wrong = as_tools_name_them(&mine);
    for (key, value) in wrong.iter_mut().filter(|(key, _)| key.contains("SECRET")) {
        *value = format!("not the secret of {key}");
    }
    let refused = fetcher.with_credentials(wrong).digest(URI).await.unwrap_err();
    assert!(matches!(refused, FetchError::Denied { .. }), "{refused}");
    let own = fetcher.with_credentials(as_tools_name_them(&mine));
    own.digest(URI).await.expect("a rotated secret counts at the next call");
}
