//! The page without a pointer.

use marquee_tests::Outcome;
use serde_json::json;

use super::Preview;

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const END: char = '\u{e010}';
const HOME: char = '\u{e011}';
const LEFT: char = '\u{e012}';
const RIGHT: char = '\u{e014}';
const DOWN: char = '\u{e015}';
const UP: char = '\u{e013}';
const ESCAPE: char = '\u{e00c}';

impl Preview {
    /// `[row, place in the row]` of the card that has the focus.
    async fn focus(&self) -> Outcome<serde_json::Value> {
        let script = "const card = document.activeElement.closest('.card'); if (!card) return document.activeElement.id; \
            const strip = card.closest('.strip'); \
            return [[...document.querySelectorAll('.strip')].indexOf(strip), [...strip.querySelectorAll('.card')].indexOf(card)]";
        self.browser.js(script).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_skip_link_comes_first_and_leads_to_the_rows() -> Outcome {
    let page = Preview::open().await?;
    page.browser.press([TAB]).await?;
    assert_eq!(page.browser.js("return document.activeElement.className").await?, "skip");
    page.browser.press([ENTER]).await?;
    page.browser.until("document.activeElement.id === 'rows'").await?;
    page.browser.press([TAB, TAB]).await?;
    assert_eq!(page.focus().await?, json!([0, 0]), "after the row's own button, Tab reaches its first card");
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn arrows_walk_the_rows_and_a_row_is_one_stop_for_tab() -> Outcome {
    let page = Preview::open().await?;
    page.pick("196").await?;
    page.browser.js("document.querySelector('.row .card').focus()").await?;
    #[rustfmt::skip]
    let steps = [
        ("right",                        RIGHT, json!([0, 1])),
        ("right again",                  RIGHT, json!([0, 2])),
        ("left",                         LEFT,  json!([0, 1])),
        ("down keeps the column",        DOWN,  json!([1, 1])),
        ("up",                           UP,    json!([0, 1])),
        ("up at the top stays",          UP,    json!([0, 1])),
        ("the row's beginning",          HOME,  json!([0, 0])),
        ("left at the beginning stays",  LEFT,  json!([0, 0])),
        ("the row's end",                END,   json!([0, 19])),
        ("right at the end stays",       RIGHT, json!([0, 19])),
    ];
    for (why, key, expected) in steps {
        page.browser.press([key]).await?;
        assert_eq!(page.focus().await?, expected, "{why}");
    }
    page.browser.press([TAB, TAB]).await?;
    assert_eq!(
        page.focus().await?,
        json!([1, 1]),
        "Tab goes on to the next row's button, then to the card last visited in it"
    );
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn focus_stays_at_its_place_when_the_card_under_it_is_watched() -> Outcome {
    let page = Preview::open().await?;
    page.pick("196").await?;
    page.browser.js("document.querySelectorAll('.row .card')[2].focus()").await?;
    page.browser.press([ENTER]).await?;
    page.announced("1 title watched just now").await?;
    assert_eq!(page.focus().await?, json!([0, 2]));
    page.browser.js("document.querySelector('.chip').focus()").await?;
    page.browser.press([ENTER]).await?;
    page.announced("0 titles watched just now").await?;
    assert_eq!(page.focus().await?, "viewer", "the last chip was removed, and the focus is not lost");
    page.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picker_is_a_combobox() -> Outcome {
    let page = Preview::open().await?;
    page.browser.js("document.getElementById('viewer').focus()").await?;
    page.browser.press([DOWN]).await?;
    page.browser.until("document.getElementById('viewer').getAttribute('aria-expanded') === 'true'").await?;
    page.browser.press([DOWN]).await?;
    let active =
        "document.getElementById(document.getElementById('viewer').getAttribute('aria-activedescendant'))";
    page.browser.until(&format!("{active}?.getAttribute('role') === 'option'")).await?;
    page.browser.press([ESCAPE]).await?;
    page.browser.until("document.getElementById('viewer-list').hidden").await?;
    assert_eq!(
        page.browser.js("return document.getElementById('viewer').value").await?,
        "A new viewer",
        "escape keeps the choice"
    );
    page.browser.js("document.getElementById('viewer').select()").await?;
    page.browser.press("somebody new".chars().chain([ENTER])).await?;
    page.announced("viewer somebody new ").await?;
    page.close().await
}
