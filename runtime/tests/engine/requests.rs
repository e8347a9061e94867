//! Scores and top-k, and requests that are refused.

use std::time::{Duration, Instant};

use marquee_runtime::service::types::{
    PageRequest, Recognised, RequestContext, ScoreRequest, ServeError, TopKRequest,
};

use crate::{
    artifacts::{SMALL, history, row},
    world::{World, context},
};

async fn served() -> World {
    let world = World::new();
    let limits = "  serving:\n    maxTopK: 50\n";
    let model = crate::artifacts::model("top-picks", &world.path("a"), limits);
    world.manifests(&[model, world.layout(&[row("popular", "Popular", "{popular: {}}")], "")]);
    world.engine().await;
    world
}

fn top(viewer: &str, k: usize) -> TopKRequest<&str> {
    TopKRequest { objective: "top-picks", viewer, k, ..TopKRequest::default() }
}

#[tokio::test]
async fn scores_come_in_the_order_of_the_titles_and_agree_with_top_k() {
    let world = served().await;
    let best = world.service.top_k(&top("v3", 5), &context()).await.unwrap();
    assert_eq!((best.recognised, best.titles.len()), (Recognised::Known, 5));
    assert!(best.titles.windows(2).all(|pair| pair[0].1 >= pair[1].1), "best first");
    let mut names: Vec<&str> = best.titles.iter().map(|(id, _)| &**id).collect();
    names.reverse();
    let request = ScoreRequest { objective: "top-picks", viewer: "v3", recent: vec![], titles: names };
    let scores = world.service.score(&request, &context()).await.unwrap();
    let expected: Vec<u32> = best.titles.iter().rev().map(|(_, score)| score.to_bits()).collect();
    let found: Vec<u32> = scores.scores.iter().map(|score| score.to_bits()).collect();
    assert_eq!(found, expected, "scores and top-k give the same bits");
    assert_eq!(scores.model, best.model);
}

#[tokio::test]
async fn top_k_leaves_out_what_was_watched_and_what_is_excluded() {
    let world = served().await;
    let watched: Vec<String> = history(3, SMALL.titles).iter().map(|title| format!("t{title}")).collect();
    let all = world.service.top_k(&top("v3", 50), &context()).await.unwrap();
    assert!(all.titles.iter().all(|(id, _)| !watched.contains(&id.to_string())));
    let first = all.titles[0].0.clone();
    let request = TopKRequest { exclude: vec![&*first, "no-such-title"], ..top("v3", 50) };
    let rest = world.service.top_k(&request, &context()).await.unwrap();
    assert_eq!(rest.titles[0], all.titles[1], "only the excluded title is gone, and the order stays");
    let recent = TopKRequest { recent: vec![&*first], ..top("v3", 50) };
    let folded = world.service.top_k(&recent, &context()).await.unwrap();
    assert!(folded.titles.iter().all(|(id, _)| *id != first), "watched just now");
}

#[tokio::test]
async fn strangers_get_popular_titles_and_the_answer_says_so() {
    let world = served().await;
    let best = world.service.top_k(&top("nobody", 50), &context()).await.unwrap();
    assert_eq!(best.recognised, Recognised::Stranger);
    assert!(best.titles.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    let mut plays = vec![0.0f32; SMALL.titles];
    (0..SMALL.viewers)
        .flat_map(|viewer| history(viewer, SMALL.titles))
        .for_each(|title| plays[title as usize] += 1.0);
    for (id, score) in &best.titles {
        assert_eq!(plays[id[1..].parse::<usize>().unwrap()], *score, "number of viewers that watched {id}");
    }
    let newcomer = TopKRequest { recent: vec!["t5"], ..top("nobody", 5) };
    let folded = world.service.top_k(&newcomer, &context()).await.unwrap();
    assert_eq!(folded.recognised, Recognised::FoldedIn, "one recent title is enough for a fold-in");
}

#[tokio::test]
async fn a_batch_gives_each_viewer_the_scores_of_a_single_request() {
    let world = served().await;
    let request = |viewer: &'static str, recent: Vec<&'static str>, titles: Vec<&'static str>| ScoreRequest {
        objective: "top-picks",
        viewer,
        recent,
        titles,
    };
    let requests = [
        request("v1", vec![], vec!["t1", "t2"]),
        request("v2", vec!["t9"], vec!["t3"]),
        request("", vec![], vec!["t4"]),
    ];
    let together = world.service.score_batch(&requests, &context()).await.unwrap();
    for (request, answer) in requests.iter().zip(&together) {
        assert_eq!(world.service.score(request, &context()).await.unwrap(), *answer);
    }
}

#[tokio::test]
async fn bad_requests_are_refused_with_a_message_that_says_what_to_do() {
    let world = served().await;
    let (service, context) = (&world.service, context());
    let score = async |objective: &str, titles: &[&str]| {
        let request = ScoreRequest { objective, viewer: "v1", recent: vec![], titles: titles.to_vec() };
        service.score(&request, &context).await.map(|_| ())
    };
    let page = async |surface: &str, recent: usize| {
        let request = PageRequest { surface, viewer: "v1", recent: vec!["t1"; recent] };
        service.page(&request, &context).await.map(|_| ())
    };
    #[rustfmt::skip]
    let cases = [
        ("a slip in the objective", score("top-pick", &["t1"]).await,
            ServeError::NotFound("no model answers to the objective \"top-pick\": the nearest is \"top-picks\"".into())),
        ("an unknown title", score("top-picks", &["t1", "x"]).await,
            ServeError::NotFound("titles[1] \"x\" is not among the 120 titles of objective \"top-picks\": leave it out, or serve a model trained with it".into())),
        ("no title", score("top-picks", &[]).await,
            ServeError::Invalid("titles is empty: name 1 to 10000 titles to score".into())),
        ("k is 0", service.top_k(&top("v1", 0), &context).await.map(|_| ()),
            ServeError::Invalid("k is 0, but objective \"top-picks\" answers 1 to 50 titles: ask for at least one".into())),
        ("k over the manifest's limit", service.top_k(&top("v1", 51), &context).await.map(|_| ()),
            ServeError::Invalid("k is 51, but objective \"top-picks\" answers 1 to 50 titles: ask for fewer, or raise serving.maxTopK of its RankingModel".into())),
        ("a slip in the surface", page("hom", 0).await,
            ServeError::NotFound("no page for the surface \"hom\": the nearest is \"home\"".into())),
        ("too much history", page("home", 1001).await,
            ServeError::Invalid("recent has 1001 entries, more than 1000: send the latest ones only".into())),
    ];
    for (why, found, expected) in cases {
        assert_eq!(found, Err(expected), "{why}");
    }
}

#[tokio::test]
async fn a_request_past_its_deadline_gets_an_error_and_is_not_computed() {
    let world = served().await;
    let late = RequestContext { deadline: Some(Instant::now() - Duration::from_millis(1)), ..context() };
    let request = ScoreRequest { objective: "top-picks", viewer: "v1", recent: vec![], titles: vec!["t1"] };
    assert_eq!(world.service.score(&request, &late).await, Err(ServeError::DeadlineExceeded));
    assert_eq!(world.service.top_k(&top("v1", 5), &late).await, Err(ServeError::DeadlineExceeded));
    assert_eq!(world.counts.of("batch top-picks"), 0, "nothing was computed");
}

#[tokio::test]
async fn nothing_is_served_before_the_first_plan() {
    let world = World::new();
    let request = ScoreRequest { objective: "a", viewer: "", recent: vec![], titles: vec!["t1"] };
    let refused = world.service.score(&request, &context()).await;
    let message = "no model answers to the objective \"a\": nothing is served";
    assert_eq!(refused, Err(ServeError::NotFound(message.into())));
    assert!(!world.service.is_ready());
}
