use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::convert;
use crate::{
    PageLayout, RankingModel,
    page_layout::{
        BecauseYouWatchedSource, CandidateRow, GenreSource, ModelSource, PopularSource, RowSource,
    },
    pod_config::{Problem, Severity, Source},
};

/// With everything that may be left out left to its default.
fn model(name: &str, surface: &str, objective: &str) -> RankingModel {
    let artifact = json!({ "uri": "file:///artifacts/a" });
    let spec = json!({ "surface": surface, "objective": objective, "artifact": artifact });
    RankingModel::new(name, serde_json::from_value(spec).unwrap())
}

fn layout(name: &str, surface: &str, rows: &[CandidateRow]) -> PageLayout {
    let catalogue = json!({ "uri": "file:///artifacts/a" });
    let spec = json!({ "surface": surface, "catalogue": catalogue, "candidateRows": rows });
    PageLayout::new(name, serde_json::from_value(spec).unwrap())
}

fn row(name: &str, source: RowSource) -> CandidateRow {
    CandidateRow { name: name.into(), heading: "Heading".into(), source }
}

fn by_model(objective: &str) -> RowSource {
    RowSource { model: Some(ModelSource { objective: objective.into() }), ..Default::default() }
}

fn created(mut model: RankingModel, second: i64) -> RankingModel {
    model.metadata.creation_timestamp = Some(Time(Timestamp::from_second(second).unwrap()));
    model
}

#[test]
fn a_page_and_its_model_are_taken_over_field_by_field() {
    let rows = vec![
        row("top", by_model("top-picks")),
        row(
            "drama",
            RowSource {
                genre: Some(GenreSource { name: "Drama".into(), objective: None }),
                ..Default::default()
            },
        ),
        row(
            "near",
            RowSource {
                because_you_watched: Some(BecauseYouWatchedSource { objective: "top-picks".into() }),
                ..Default::default()
            },
        ),
        row("popular", RowSource { popular: Some(PopularSource {}), ..Default::default() }),
    ];
    let (config, problems) = convert(&[model("ease", "home", "top-picks")], &[layout("home", "home", &rows)]);
    assert_eq!(problems, []);
    let ranker = &config.rankers[0];
    assert_eq!((ranker.resource.as_str(), ranker.max_batch, ranker.max_top_k), ("default/ease", 32, 500));
    let page = &config.pages[0];
    assert_eq!((page.resource.as_str(), page.rows_shown, page.titles_per_row), ("default/home", 10, 20));
    let sources: Vec<&Source> = page.rows.iter().map(|row| &row.source).collect();
    let expected = [
        &Source::Model { objective: "top-picks".into() },
        &Source::Genre { name: "Drama".into(), objective: None },
        &Source::BecauseYouWatched { objective: "top-picks".into() },
        &Source::Popular,
    ];
    assert_eq!(sources, expected);
}

#[test]
fn of_two_claims_the_older_holds_then_the_first_by_name() {
    let other = |mut model: RankingModel| {
        model.metadata.namespace = Some("kids".into());
        model
    };
    #[rustfmt::skip]
    let cases = [
        // why                                   one                                     another                                  holds
        ("by name, when neither has a date",     model("b", "home", "top"),              model("a", "home", "top"),               "default/a"),
        ("by namespace before name",             other(model("a", "home", "top")),       model("b", "home", "top"),               "default/b"),
        ("the older, whatever its name",         created(model("a", "home", "top"), 20), created(model("b", "home", "top"), 10),  "default/b"),
        ("what has a date before what has none", model("a", "home", "top"),              created(model("b", "home", "top"), 10),  "default/b"),
        ("across surfaces too",                  model("a", "home", "top"),              model("b", "kids", "top"),               "default/a"),
    ];
    for (why, one, another, holds) in cases {
        let (config, problems) = convert(&[one.clone(), another.clone()], &[]);
        let served: Vec<&str> = config.rankers.iter().map(|ranker| ranker.resource.as_str()).collect();
        assert_eq!(served, [holds], "{why}");
        let refused: Vec<Severity> = problems.iter().map(Problem::severity).collect();
        assert_eq!(refused, [Severity::Refused], "{why}");
        assert_eq!(convert(&[another, one], &[]), (config, problems), "{why}, in the other order");
    }
}

#[test]
fn a_message_names_the_resource_and_the_mend() {
    let models =
        [model("ease", "home", "top-picks"), model("als", "home", "for-you"), model("bpr", "kids", "funny")];
    let asks = |objective| vec![row("popular", RowSource::default()), row("top", by_model(objective))];
    #[rustfmt::skip]
    let cases = [
        ("a slip of the pen", models.to_vec(), vec![layout("home", "home", &asks("top-pick"))],
         r#"row "top" of PageLayout default/home asks for the objective "top-pick", which no RankingModel of the surface "home" serves: did you mean "top-picks"?"#),
        ("nothing like it", models.to_vec(), vec![layout("home", "home", &asks("trending"))],
         r#"row "top" of PageLayout default/home asks for the objective "trending", which no RankingModel of the surface "home" serves; known are for-you, top-picks"#),
        ("another surface's", models.to_vec(), vec![layout("home", "home", &asks("funny"))],
         r#"row "top" of PageLayout default/home asks for the objective "funny", which RankingModel default/bpr serves for the surface "kids", not for "home": name an objective of this surface; known are for-you, top-picks"#),
        ("no model at all", vec![], vec![layout("home", "home", &asks("top-picks"))],
         r#"row "top" of PageLayout default/home asks for the objective "top-picks", but the surface "home" has no RankingModel: add one with this objective"#),
        ("two models", vec![model("b", "home", "top"), model("a", "home", "top")], vec![],
         r#"RankingModel default/b claims the objective "top", which RankingModel default/a already serves: give it another objective, or remove one of them"#),
        ("two layouts", vec![], vec![layout("b", "home", &[]), layout("a", "home", &[])],
         r#"PageLayout default/b claims the surface "home", which PageLayout default/a already serves: give it another surface, or remove one of them"#),
    ];
    for (why, models, layouts, message) in cases {
        let (_, problems) = convert(&models, &layouts);
        let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(messages, [message], "{why}");
    }
}

#[test]
fn a_dangling_row_stays_and_says_where_it_stands() {
    let rows = vec![
        row("popular", RowSource { popular: Some(PopularSource {}), ..Default::default() }),
        row("top", by_model("gone")),
    ];
    let (config, problems) = convert(&[], &[layout("home", "home", &rows)]);
    assert_eq!(config.pages[0].rows.len(), 2);
    let problem = &problems[0];
    assert_eq!(problem.severity(), Severity::Degraded);
    assert_eq!(problem.reason(), "ObjectiveNotFound");
    assert_eq!((problem.kind(), problem.resource().to_string()), ("PageLayout", "default/home".to_owned()));
    assert_eq!(problem.field(), "spec.candidateRows[1].source.model.objective");
}

fn any_row() -> impl Strategy<Value = CandidateRow> {
    let objective = prop::sample::select(vec!["a", "b", "c", ""]);
    (0u8..5, objective).prop_map(|(kind, objective)| {
        let objective = objective.to_owned();
        let mut source = RowSource::default();
        match kind {
            0 => source.model = Some(ModelSource { objective }),
            1 => source.genre = Some(GenreSource { name: "Drama".into(), objective: Some(objective) }),
            2 => source.because_you_watched = Some(BecauseYouWatchedSource { objective }),
            3 => source.popular = Some(PopularSource {}),
            _ => {}
        }
        row("row", source)
    })
}

fn any_model() -> impl Strategy<Value = RankingModel> {
    let word = || prop::sample::select(vec!["a", "b", "c", ""]);
    (word(), word(), word(), any::<u32>(), prop::option::of(0i64..4)).prop_map(
        |(name, surface, objective, batch, second)| {
            let mut model = model(name, surface, objective);
            model.spec.serving.batching.max_batch = batch;
            match second {
                Some(second) => created(model, second),
                None => model,
            }
        },
    )
}

fn any_layout() -> impl Strategy<Value = PageLayout> {
    let word = || prop::sample::select(vec!["a", "b", "c", ""]);
    (word(), word(), prop::collection::vec(any_row(), 0..4))
        .prop_map(|(name, surface, rows)| layout(name, surface, &rows))
}

proptest! {
    #[test]
    fn any_resources_give_one_config_whatever_their_order(
        models in prop::collection::vec(any_model(), 0..6),
        layouts in prop::collection::vec(any_layout(), 0..6),
        turn in 0usize..6,
    ) {
        let (config, problems) = convert(&models, &layouts);
        let (mut turned_models, mut turned_layouts) = (models.clone(), layouts.clone());
        turned_models.reverse();
        turned_layouts.rotate_left(turn.min(layouts.len()));
        prop_assert_eq!(&convert(&turned_models, &turned_layouts), &(config.clone(), problems.clone()));

        let refused = problems.iter().filter(|problem| problem.severity() == Severity::Refused).count();
        prop_assert_eq!(config.rankers.len() + config.pages.len() + refused, models.len() + layouts.len(), "none is lost");
        prop_assert!(config.rankers.is_sorted_by(|a, b| a.objective < b.objective), "one model an objective");
        prop_assert!(config.pages.is_sorted_by(|a, b| a.surface < b.surface), "one page a surface");
        prop_assert!(config.rankers.iter().all(|ranker| ranker.max_batch >= 1));
    }
}
