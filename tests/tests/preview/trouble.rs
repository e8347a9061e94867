//! The page while the server cannot be reached.

use marquee_tests::Outcome;

use super::Preview;

#[tokio::test(flavor = "multi_thread")]
async fn offline_the_page_stays_says_so_and_tries_again() -> Outcome {
    let page = Preview::open().await?;
    page.pick("196").await?;
    let before = page.order().await?;
    page.browser.set_offline(true).await?;
    page.browser.js("document.querySelector('.row .card').click()").await?;
    page.browser.until("!document.getElementById('notice').hidden").await?;
    page.browser
        .until(
            "document.getElementById('notice-text').textContent.startsWith('The server cannot be reached.')",
        )
        .await?;
    assert_eq!(page.order().await?, before, "the rows stay");
    page.browser.picture("desktop-offline").await?;

    page.browser.set_offline(false).await?;
    page.announced("1 title watched just now").await?;
    page.browser.until("document.getElementById('notice').hidden").await?;
    assert_ne!(page.order().await?, before, "the choice made offline is kept");
    let seen = page.browser.seen().await?;
    let other: Vec<&String> =
        seen.complaints.iter().filter(|text| !text.contains("ERR_INTERNET_DISCONNECTED")).collect();
    assert_eq!(other, Vec::<&String>::new());
    page.browser.stop().await?;
    page.runtime.stop().await
}
