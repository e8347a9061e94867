//! Names that would be markup are text wherever they stand.

use marquee_tests::{
    Outcome,
    data::{self, MadeTitle},
};
use serde_json::json;

use super::Preview;

const HOSTILE: [(&str, &str); 5] = [
    ("script", "<script>window.hurt = 1</script>"),
    ("picture", "<img src=x onerror=\"window.hurt = 1\">"),
    ("closing", "</title></svg><svg onload='window.hurt = 1'>"),
    ("entity", "&lt;b&gt; & \"quotes\" 'too' ${7*7} {title}"),
    ("odd/../id?#%20&\"<é>", "Strange id, plain name"),
];

const LAYOUT: &str = "
apiVersion: marquee.dev/v1alpha1
kind: RankingModel
metadata: {name: similar}
spec: {surface: hostile, objective: similar, artifact: {uri: 'file:///artifacts/ease'}}
---
apiVersion: marquee.dev/v1alpha1
kind: PageLayout
metadata: {name: hostile}
spec:
  surface: hostile
  catalogue: {uri: 'file:///artifacts/catalogue'}
  candidateRows:
    - {name: because, heading: '<i>Because</i> {title}', source: {becauseYouWatched: {objective: similar}}}
    - {name: popular, heading: '<img src=x onerror=\"window.hurt = 1\">', source: {popular: {}}}
  page: {rows: 2, titlesPerRow: 60}
  deduplicate: Row
";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_text_in_card_heading_chip_and_artwork() -> Outcome {
    let folder = tempfile::tempdir()?;
    let mut titles: Vec<MadeTitle> = HOSTILE
        .iter()
        .map(|(id, name)| MadeTitle { id: (*id).into(), name: (*name).into(), genre: "<b>" })
        .collect();
    titles.extend((0..30).map(|n| MadeTitle {
        id: format!("{n}"),
        name: format!("Plain {n}"),
        genre: "Drama",
    }));
    let (ratings, metadata) = data::made_up(folder.path(), &titles, 40)?;
    data::train("ease", &ratings, &folder.path().join("ease"), &[]).await?;
    data::catalogue(&metadata, &ratings, &folder.path().join("catalogue")).await?;
    let manifests = folder.path().join("manifests");
    std::fs::create_dir(&manifests)?;
    std::fs::write(manifests.join("page.yaml"), LAYOUT)?;

    let page = Preview::of(&manifests, folder.path()).await?;
    for (id, name) in HOSTILE {
        let (id, name) = (json!(id), json!(name));
        let find = format!(
            "[...document.querySelectorAll('[data-row=popular] .card')].find((card) => card.dataset.title === {id})"
        );
        let shown =
            page.browser.js(&format!("return {find}.querySelector('.card-name').textContent")).await?;
        assert_eq!(shown, name, "in the card");
        // The artwork is a whole document that holds the name as text, and no element that it was not drawn with.
        let artwork = format!(
            "return fetch({find}.querySelector('img').src).then((it) => it.text()).then((text) => {{ \
            const drawn = new DOMParser().parseFromString(text, 'image/svg+xml'); \
            const odd = drawn.querySelectorAll('parsererror, script, img, svg svg, b, [onload], [onerror]').length; \
            return [odd, drawn.querySelector('title').textContent]; }})"
        );
        assert_eq!(page.browser.js(&artwork).await?, json!([0, name]), "in the artwork of {id}");
        page.browser.js(&format!("{find}.click()")).await?;
        page.announced("1 title watched just now").await?;
        let heading =
            page.browser.js("return document.querySelector('[data-row=because] h2').textContent").await?;
        assert_eq!(
            heading,
            format!("<i>Because</i> {}", name.as_str().unwrap_or_default()),
            "in the heading"
        );
        assert_eq!(
            page.browser.js("return document.querySelector('.chip span').textContent").await?,
            name,
            "in the chip"
        );
        page.browser.js("document.querySelector('.chip').click()").await?;
        page.announced("0 titles watched just now").await?;
    }
    assert_eq!(page.browser.js("return window.hurt ?? null").await?, json!(null), "nothing ran");
    assert_eq!(
        page.browser.js("return document.querySelectorAll('h2 *, .card-name *').length").await?,
        0,
        "nothing became markup"
    );
    page.browser.picture("hostile-names").await?;
    page.close().await
}
