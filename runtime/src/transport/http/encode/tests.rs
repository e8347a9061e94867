use std::{sync::Arc, time::Duration};

use marquee_artifacts::{CatalogueEntry, CatalogueRow};
use marquee_pages::ChosenTitle;

use super::*;
use crate::service::{
    cards::Cards,
    types::{Degraded, PageTitles},
};

fn model() -> ModelInfo {
    ModelInfo { objective: "watch".into(), artifact_digest: "ab".into() }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn scores_are_written_in_as_few_digits_as_read_back_the_same() {
    let scores = vec![1.0, -0.1, 3.25e-9, 16_777_216.0, f32::MAX];
    let written =
        text(super::scores(&ScoreResponse { model: model(), recognised: Recognised::Known, scores }));
    assert_eq!(
        written,
        r#"{"objective":"watch","revision":"ab","recognised":"Known","scores":[1.0,-0.1,3.25e-9,16777216.0,3.4028235e+38]}"#
    );
}

#[test]
fn ids_with_odd_characters_stay_json() {
    let titles = vec![("a\"b\\\n\u{1}".into(), 1.5), ("\u{1F3AC}".into(), 0.5)];
    let written = text(top_k(&TopKResponse { model: model(), recognised: Recognised::FoldedIn, titles }));
    let read: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(read["titles"][0]["id"], "a\"b\\\n\u{1}");
    assert_eq!(read["titles"][1]["id"], "\u{1F3AC}");
    assert_eq!(read["recognised"], "FoldedIn");
}

#[test]
fn a_page_is_written_whole() {
    let cards = Arc::new(Cards::new(vec![CatalogueEntry {
        id: "50".into(),
        name: "Star \"Wars\"".into(),
        year: Some(1977),
        genres: vec!["Action".into()],
        plays: 0,
    }]));
    let chosen = vec![ChosenTitle { catalogue: CatalogueRow(0), score: 2.5 }];
    let row = |name: &str, model: Option<ModelInfo>, degraded: Option<Degraded>| PageRow {
        name: name.into(),
        heading: "For <you>".into(),
        why: "because".into(),
        model,
        degraded,
        titles: PageTitles::new(cards.clone(), chosen.clone()),
    };
    let page = PageResponse {
        surface: "home".into(),
        recognised: Recognised::Stranger,
        rows: vec![row("top", Some(model()), None), row("popular", None, Some(Degraded::DeadlineMissed))],
        degraded: true,
        timings: vec![("score", Duration::from_micros(42))],
    };
    let title = r#"{"id":"50","name":"Star \"Wars\"","year":1977,"genres":["Action"],"score":2.5}"#;
    let expected = format!(
        concat!(
            r#"{{"surface":"home","recognised":"Stranger","degraded":true,"rows":["#,
            r#"{{"name":"top","heading":"For <you>","why":"because","model":{{"objective":"watch","revision":"ab"}},"titles":[{0}]}},"#,
            r#"{{"name":"popular","heading":"For <you>","why":"because","degraded":"DeadlineMissed","titles":[{0}]}}"#,
            r#"],"timings":[{{"stage":"score","micros":42}}]}}"#,
        ),
        title
    );
    assert_eq!(text(super::page(&page)), expected);
}
