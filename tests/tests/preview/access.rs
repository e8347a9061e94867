//! Landmarks, names and labels of the page.

use marquee_tests::Outcome;
use serde_json::json;

use super::Preview;

/// Each check returns a list of faults. All lists must be empty.
const CHECKS: [(&str, &str); 10] = [
    (
        "one of each landmark",
        "return ['header', 'main', 'aside'].filter((name) => document.querySelectorAll(`body > ${name}`).length !== 1)",
    ),
    (
        "one first heading, no level left out",
        "const levels = [...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1])); \
        return levels.filter((level, at) => (at === 0 ? level !== 1 : level === 1 || level > levels[at - 1] + 1))",
    ),
    (
        "every picture has an alternative",
        "return [...document.images].filter((image) => !image.hasAttribute('alt')).map((image) => image.src)",
    ),
    (
        "the poster at the top names its title",
        "const poster = document.getElementById('billboard-poster'); \
        return poster.alt.includes(document.getElementById('billboard-name').textContent) ? [] : [poster.alt]",
    ),
    (
        "every button has a name",
        "return [...document.querySelectorAll('button:not([aria-hidden])')]\
        .filter((button) => !(button.getAttribute('aria-label') ?? button.textContent).trim()).map((button) => button.className)",
    ),
    (
        "every field has a label",
        "return [...document.querySelectorAll('input, select')].filter((field) => field.labels.length === 0).map((field) => field.id)",
    ),
    (
        "ids are unique",
        "const ids = [...document.querySelectorAll('[id]')].map((it) => it.id); return ids.filter((id, at) => ids.indexOf(id) !== at)",
    ),
    (
        "every reference leads somewhere",
        "return ['aria-labelledby', 'aria-controls', 'aria-describedby', 'aria-activedescendant'].flatMap((name) => \
        [...document.querySelectorAll(`[${name}]`)].map((it) => it.getAttribute(name)).filter((id) => !document.getElementById(id)))",
    ),
    (
        "a row is one stop for Tab",
        "return [...document.querySelectorAll('.strip')]\
        .filter((strip) => strip.querySelectorAll('.card[tabindex=\"0\"]').length !== 1).map((strip) => strip.closest('.row').dataset.row)",
    ),
    (
        "elements hidden from screen readers take no focus",
        "return [...document.querySelectorAll('[aria-hidden=true]')]\
        .filter((it) => it.matches('button:not([tabindex=\"-1\"]), a, input') || it.querySelector('button, a, input')).map((it) => it.className)",
    ),
];

/// Contrast of text against the background of the page, by the formula of WCAG.
const CONTRAST: &str = "const light = (rgb) => { const [r, g, b] = rgb.match(/[\\d.]+/g).map((n) => { const c = n / 255; \
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
    const ground = light(getComputedStyle(document.body).backgroundColor); \
    return ['.row h2', '.card-name', '.card-facts', '.why-button', '#recent-hint', '.panel-total', '.field label'].filter((name) => { \
    const text = light(getComputedStyle(document.querySelector(name)).color); return (text + 0.05) / (ground + 0.05) < 4.5; })";

#[tokio::test(flavor = "multi_thread")]
async fn a_blind_viewer_can_use_the_page() -> Outcome {
    let page = Preview::open().await?;
    page.pick("196").await?;
    page.browser.js("document.querySelector('.row .card').click()").await?;
    page.announced("1 title watched just now").await?;
    for (what, script) in CHECKS {
        assert_eq!(page.browser.js(script).await?, json!([]), "{what}");
    }
    assert_eq!(page.browser.js(CONTRAST).await?, json!([]), "text has enough contrast");
    assert_eq!(page.browser.js("return document.documentElement.lang").await?, "en");
    let live =
        page.browser.js("return document.getElementById('announcer').getAttribute('aria-live')").await?;
    assert_eq!(live, "polite", "a re-rank is announced");
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_moves_when_the_viewer_prefers_reduced_motion() -> Outcome {
    let page = Preview::open().await?;
    page.pick("196").await?;
    page.browser.until("document.getAnimations().length === 0").await?;
    // Counts animations that scripts start; those of style sheets are listed by the document.
    page.browser.js("window.moved = 0; const animate = Element.prototype.animate; \
        Element.prototype.animate = function (...args) { window.moved += 1; return animate.apply(this, args); }").await?;
    page.browser.js("document.querySelector('.row .card').click()").await?;
    page.announced("1 title watched just now").await?;
    page.browser.until("window.moved > 0").await?;
    page.browser.reduce_motion().await?;
    // An update from the first click may still be in progress.
    page.browser.until("document.getAnimations().length === 0").await?;
    page.browser.js("window.moved = 0; document.querySelector('.row .card').click()").await?;
    page.announced("2 titles watched just now").await?;
    assert_eq!(
        page.browser.js("return [window.moved, document.getAnimations().length]").await?,
        json!([0, 0])
    );
    page.close().await
}
