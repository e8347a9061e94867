//! Picks a viewer, clicks titles and compares the order of the rows.

use marquee_tests::Outcome;

use super::{Preview, examples};

#[tokio::test(flavor = "multi_thread")]
async fn a_click_reranks_the_page_and_taking_it_back_restores_it() -> Outcome {
    let page = Preview::open().await?;
    page.browser.until("document.querySelector('.badge:not([hidden])')").await?;
    page.browser.picture("desktop-new-viewer").await?;

    page.pick("196").await?;
    let before = page.order().await?;
    assert!(before.as_array().is_some_and(|rows| rows.len() >= 8), "{before}");
    page.browser.picture("desktop-viewer").await?;

    let title = page.browser.js("return document.querySelector('.row .card').dataset.title").await?;
    page.browser.js("document.querySelector('.row .card').click()").await?;
    page.announced("1 title watched just now").await?;
    let after = page.order().await?;
    assert_ne!(before, after, "the order changed");
    assert!(!after.to_string().contains(&format!("{title}")), "a watched title is not shown again");
    let because =
        page.browser.js("return document.querySelector('[data-row=because-1] h2').textContent").await?;
    let chip = page.browser.js("return document.querySelector('.chip span').textContent").await?;
    assert_eq!(because, format!("Because you watched {}", chip.as_str().unwrap_or_default()));
    page.browser.picture("desktop-after-a-click").await?;

    page.browser.client.refresh().await?;
    page.announced("1 title watched just now").await?;
    assert_eq!(page.order().await?, after, "a reload keeps the choice");

    page.browser.js("document.querySelector('.chip').click()").await?;
    page.announced("0 titles watched just now").await?;
    assert_eq!(page.order().await?, before, "without the title, the page is as before");
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_viewer_gets_popular_titles_and_a_page_of_their_own_at_the_first_click() -> Outcome {
    let page = Preview::open().await?;
    page.browser
        .until("document.querySelector('[data-row=top-picks] .badge').textContent === 'Popular for now'")
        .await?;
    assert_eq!(
        page.browser.js("return document.querySelector('[data-row=because-1]')").await?,
        serde_json::Value::Null
    );
    page.browser.js("document.querySelector('.row .card').click()").await?;
    page.announced("1 title watched just now").await?;
    page.browser.until("document.querySelector('[data-row=top-picks] .badge').hidden").await?;
    page.browser.until("document.querySelector('[data-row=because-1] h2').textContent.startsWith('Because you watched ')").await?;
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_why_and_where_the_time_went() -> Outcome {
    let page = Preview::open().await?;
    page.pick("405").await?;
    page.browser
        .js("document.querySelector('.why-button').click(); document.getElementById('panel').open = true")
        .await?;
    page.browser
        .until("document.querySelector('.why:not([hidden])').textContent.includes('top-picks')")
        .await?;
    page.browser
        .until("document.querySelector('.why-button').getAttribute('aria-expanded') === 'true'")
        .await?;
    let stages = page
        .browser
        .js("return [...document.querySelectorAll('#panel-stages th')].map((th) => th.textContent)")
        .await?;
    assert!(stages.as_array().is_some_and(|stages| stages.len() >= 3), "{stages}");
    page.browser
        .until("document.getElementById('panel-facts').textContent.includes('Known from training')")
        .await?;
    page.browser.picture("desktop-why-and-timings").await?;
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_it_without_scrolling_sideways() -> Outcome {
    let page = Preview::open().await?;
    page.browser.resize(390, 844, true).await?;
    page.load().await?;
    page.browser.js("document.querySelector('.row .card').click()").await?;
    page.announced("1 title watched just now").await?;
    page.browser.until("document.documentElement.scrollWidth === innerWidth && innerWidth === 390").await?;
    let small = "return [...document.querySelectorAll('button.card, button.chip, button.primary, #viewer, summary')]\
        .filter((it) => it.offsetParent && it.getBoundingClientRect().height < 36).map((it) => it.className || it.id)";
    assert_eq!(page.browser.js(small).await?, serde_json::json!([]), "targets are large enough for a finger");
    page.browser.picture("phone").await?;
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smallest_example_is_a_page_too() -> Outcome {
    let page = Preview::of(&examples().join("minimal"), super::artifacts().await?).await?;
    page.pick("196").await?;
    let order = page.order().await?;
    assert_eq!((&order[0][0], &order[1][0]), (&"top-picks".into(), &"popular".into()));
    page.close().await
}
