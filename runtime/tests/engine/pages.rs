//! Pages: what stands in the rows, and what replaces a model that does not answer.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use marquee_runtime::service::types::{Degraded, PageRequest, Recognised, RequestContext, TopKRequest};

use crate::{
    artifacts::{self, GENRES, HEAVY, SMALL, genre_rows, history, row},
    world::{World, context, titles},
};

const RANKED: &str = "{model: {objective: top-picks}}";
const POPULAR: &str = "{popular: {}}";
const NEAR: &str = "{becauseYouWatched: {objective: top-picks}}";

fn rows() -> Vec<String> {
    let mut rows = vec![
        row("top-picks", "Top picks", RANKED),
        row("near-1", "Because you watched {title}", NEAR),
        row("near-2", "Because you watched {title}", NEAR),
        row("popular", "Popular", POPULAR),
    ];
    rows.extend(genre_rows("top-picks"));
    rows
}

async fn served(rest: &str) -> World {
    let world = World::new();
    world.manifests(&[world.top_picks("a"), world.layout(&rows(), rest)]);
    world.engine().await;
    world
}

const SIZE: &str = "  page: {rows: 14, titlesPerRow: 4}\n";

#[tokio::test]
async fn a_page_holds_the_models_ranking_once_each_and_nothing_watched() {
    let world = served(SIZE).await;
    let page = world.page("v3", &[]).await;
    assert_eq!((page.recognised, page.degraded), (Recognised::Known, false));
    let request = TopKRequest { objective: "top-picks", viewer: "v3", k: 4, ..TopKRequest::default() };
    let best = world.service.top_k(&request, &context()).await.unwrap();
    let best: Vec<&str> = best.titles.iter().map(|(id, _)| &**id).collect();
    assert_eq!(titles(&page, "top-picks"), best, "the first row is the model's top");
    let all: Vec<&str> =
        page.rows.iter().flat_map(|row| row.titles.iter().map(|title| &*title.title.id)).collect();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "a title stands once");
    let watched: HashSet<String> = history(3, SMALL.titles).iter().map(|title| format!("t{title}")).collect();
    assert!(all.iter().all(|id| !watched.contains(*id)), "nothing watched is shown");
    for genre in GENRES {
        let row = page.rows.iter().find(|row| &*row.heading == genre).unwrap();
        assert!(
            row.titles.iter().all(|title| title.title.genres.iter().any(|found| found == genre)),
            "{genre}"
        );
        assert!(row.titles.iter().is_sorted_by(|a, b| a.score >= b.score));
        assert_eq!(row.model.as_ref().map(|model| &*model.objective), Some("top-picks"));
        assert_eq!(*row.why, format!("{genre}, ranked for this viewer by top-picks."));
    }
    let stages: Vec<&str> = page.timings.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(stages, ["recognise", "score", "assemble"]);
}

#[tokio::test]
async fn a_click_ranks_the_page_anew() {
    let world = served(SIZE).await;
    let (before, after) = (world.page("v3", &[]).await, world.page("v3", &["t77", "t21"]).await);
    assert_ne!(titles(&before, "top-picks"), titles(&after, "top-picks"));
    let near: Vec<&str> =
        after.rows.iter().filter(|row| row.name.starts_with("near")).map(|row| &*row.heading).collect();
    assert_eq!(near, ["Because you watched Title 77", "Because you watched Title 21"], "the latest first");
    assert!(
        after
            .rows
            .iter()
            .all(|row| row.titles.iter().all(|title| !["t77", "t21"].contains(&&*title.title.id)))
    );
    let old: Vec<_> =
        before.rows.iter().filter(|row| row.name.starts_with("near")).map(|row| &row.heading).collect();
    assert_eq!(old.len(), 2, "without recent titles the history gives the seeds");
    assert_ne!(old[0], old[1], "each row another");
}

#[tokio::test]
async fn a_stranger_gets_popular_titles_marked_so() {
    let world = served(SIZE).await;
    let page = world.page("nobody", &[]).await;
    assert_eq!((page.recognised, page.degraded), (Recognised::Stranger, true));
    // The catalogue counts most plays for the last titles, two of which no model knows.
    assert_eq!(titles(&page, "top-picks"), ["t121", "t120", "t119", "t118"]);
    let marked = |name: &str| page.rows.iter().find(|row| &*row.name == name).unwrap().degraded;
    assert_eq!((marked("top-picks"), marked("popular")), (Some(Degraded::ViewerUnknown), None));
    assert!(page.rows.iter().all(|row| !row.name.starts_with("near")), "nothing was watched");
    let drama = page.rows.iter().find(|row| &*row.heading == "Drama").unwrap();
    assert!(drama.titles.iter().all(|title| title.title.genres.iter().any(|genre| genre == "Drama")));
    assert!(world.counts.of("degraded home ViewerUnknown") >= 10);
    let newcomer = world.page("nobody", &["t5"]).await;
    assert_eq!(
        (newcomer.recognised, newcomer.degraded),
        (Recognised::FoldedIn, false),
        "one click and the page is theirs"
    );
}

#[tokio::test]
async fn what_misses_the_deadline_is_replaced_as_declared_and_marked() {
    let world = World::new();
    artifacts::mf(&world.path("heavy"), HEAVY, 3);
    let manifests = |deadline: &str, fallback: &str| {
        let rest = format!("{SIZE}  deadline: {deadline}\n  fallback: {fallback}\n");
        world.manifests(&[world.top_picks("heavy"), world.layout(&rows(), &rest)]);
    };
    manifests("1ms", "Popular");
    let mut engine = world.engine().await;
    let page = world.page("v3", &["t77"]).await;
    let first = &page.rows[0];
    assert_eq!(
        (first.degraded, first.model.as_ref(), page.degraded),
        (Some(Degraded::DeadlineMissed), None, true)
    );
    assert_eq!(titles(&page, "top-picks"), ["t121", "t120", "t119", "t118"]);
    assert_eq!(&*first.why, "The model did not answer in time: the most watched titles.");
    let near = page.rows.iter().find(|row| &*row.name == "near-1").unwrap();
    assert_eq!(&*near.heading, "Because you watched Title 77");
    assert!(
        near.titles.iter().all(|title| title.title.genres.iter().any(|genre| genre == "War")),
        "Title 77 is War"
    );
    assert!(world.counts.of("degraded home DeadlineMissed") > 0);

    manifests("1ms", "OmitRow");
    engine.reload().await;
    let page = world.page("v3", &[]).await;
    let names: Vec<&str> = page.rows.iter().map(|row| &*row.name).collect();
    assert_eq!((names, page.degraded), (vec!["popular"], true));

    manifests("10s", "LastGood");
    engine.reload().await;
    let good = world.page("v3", &[]).await;
    assert!(!good.degraded);
    assert!(
        !titles(&good, "top-picks").is_empty(),
        "of a million titles the catalogue has a few, and they are found"
    );
    manifests("1ms", "LastGood");
    engine.reload().await;
    let late = world.page("v3", &[]).await;
    assert_eq!(late.rows[0].degraded, Some(Degraded::DeadlineMissed));
    assert_eq!(
        titles(&late, "top-picks"),
        titles(&good, "top-picks"),
        "kept over the reload: the rows are the same"
    );
    assert_eq!(&*late.rows[0].why, "The model did not answer in time: what was shown here before.");
    let other = world.page("v4", &[]).await;
    assert_eq!(titles(&other, "top-picks")[0], "t121", "a viewer without one gets popular titles");
}

#[tokio::test]
async fn a_callers_deadline_binds_the_page_as_well() {
    let world = World::new();
    artifacts::mf(&world.path("heavy"), HEAVY, 3);
    world.manifests(&[world.top_picks("heavy"), world.layout(&rows(), "  deadline: 10s\n")]);
    world.engine().await;
    let request = PageRequest { surface: "home", viewer: "v3", recent: vec![] };
    let hurried = RequestContext { deadline: Some(Instant::now() + Duration::from_millis(1)), ..context() };
    let page = world.service.page(&request, &hurried).await.unwrap();
    assert_eq!(page.rows[0].degraded, Some(Degraded::DeadlineMissed));
}

#[tokio::test]
async fn a_model_that_is_not_loaded_is_replaced_and_the_page_lives() {
    let world = World::new();
    let missing = artifacts::model("other", &world.path("nowhere"), "");
    let rows = [row("other", "Other", "{model: {objective: other}}"), row("top-picks", "Top", RANKED)];
    world.manifests(&[world.top_picks("a"), missing, world.layout(&rows, SIZE)]);
    world.engine().await;
    let page = world.page("v3", &[]).await;
    let marks: Vec<_> = page.rows.iter().map(|row| row.degraded).collect();
    assert_eq!(marks, [Some(Degraded::ModelNotReady), None]);
    assert_eq!(page.recognised, Recognised::Known);
    assert!(!world.service.is_ready(), "not all that should be served is");
    let status = world.service.status();
    let objectives = &status.pages[0].objectives;
    let fallback: Vec<_> = objectives.iter().map(|of| (of.objective.as_str(), of.fallback_percent)).collect();
    assert_eq!(fallback, [("other", 100), ("top-picks", 0)], "what fills the rows, as the page has them");
    assert!(
        status.reasons[0].starts_with("RankingModel default/other is not served: "),
        "{:?}",
        status.reasons
    );
}

#[tokio::test]
async fn what_can_never_be_shown_is_told_with_the_nearest_name() {
    let world = World::new();
    let rows = [row("drama", "Drama", "{genre: {name: Darma}}"), row("popular", "Popular", POPULAR)];
    world.manifests(&[world.top_picks("a"), world.layout(&rows, SIZE)]);
    world.engine().await;
    let warnings = &world.service.status().pages[0].warnings;
    assert_eq!(
        *warnings,
        [
            "row \"drama\" is never shown: no title of the catalogue has the genre \"Darma\"; correct source.genre.name (the nearest is \"Drama\")"
        ]
    );
}
