//! axe-core finds no violation in any state of the page.

use marquee_tests::{Outcome, browser::Browser};

use super::{Preview, artifacts, examples};

/// Fails with every violation in the state `state`.
async fn no_violation(browser: &Browser, state: &str) -> Outcome {
    let violations = browser.violations().await?;
    assert!(violations.is_empty(), "{state}:\n{}", violations.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_state_of_the_page_violates_a_rule() -> Outcome {
    let page = Preview::open().await?;
    let browser = &page.browser;
    // The models know nothing about a new viewer, so their rows are degraded.
    browser.until("document.querySelector('.badge:not([hidden])')").await?;
    no_violation(browser, "a new viewer").await?;

    page.pick("196").await?;
    no_violation(browser, "a viewer").await?;

    browser.js("document.querySelector('.row .card').click()").await?;
    page.announced("1 title watched just now").await?;
    browser.js("document.querySelectorAll('.row .card')[1].click()").await?;
    page.announced("2 titles watched just now").await?;
    no_violation(browser, "after two clicks").await?;

    browser.js("document.querySelector('.row .card').focus()").await?;
    no_violation(browser, "a card has the focus").await?;

    let open = "document.querySelector('.why-button').click(); document.getElementById('panel').open = true";
    browser.js(open).await?;
    browser.until("document.querySelector('.why:not([hidden])')").await?;
    no_violation(browser, "explanations are open").await?;

    browser
        .js("document.getElementById('viewer').click(); document.getElementById('viewer').focus()")
        .await?;
    browser.until("document.querySelectorAll('[role=option]').length > 1").await?;
    no_violation(browser, "the list of viewers is open").await?;
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_and_a_page_without_a_server_violate_no_rule() -> Outcome {
    let page = Preview::open().await?;
    page.browser.resize(390, 844, true).await?;
    page.load().await?;
    no_violation(&page.browser, "on a phone").await?;

    page.browser.set_offline(true).await?;
    page.browser.js("document.querySelector('.row .card').click()").await?;
    page.browser.until("!document.getElementById('notice').hidden").await?;
    no_violation(&page.browser, "offline").await?;
    page.browser.stop().await?;
    page.runtime.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_whose_name_lacks_its_words_is_found() -> Outcome {
    let page = Preview::of(&examples().join("minimal"), artifacts().await?).await?;
    let rename =
        "document.getElementById('billboard-watch').setAttribute('aria-label', 'I watched Star Wars')";
    page.browser.js(rename).await?;
    let violations = page.browser.violations().await?;
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].starts_with("label-content-name-mismatch (serious)"), "{violations:?}");
    page.close().await
}
