//! gRPC: the same answers as HTTP, health, reflection.

use marquee_runtime::transport::grpc::contract::marquee::v1::{
    Degraded, GetPageRequest, Recognised, ScoreRequest, TopKRequest, pages_client::PagesClient,
    ranker_client::RankerClient,
};
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tonic::{Code, Request, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::world::World;

/// A score as JSON writes it, with the digits of an f32.
fn written(score: f32) -> Value {
    serde_json::from_str(&serde_json::to_string(&score).unwrap()).unwrap()
}

async fn channel(world: &World) -> Channel {
    Channel::from_shared(format!("http://{}", world.grpc)).unwrap().connect().await.unwrap()
}

#[tokio::test]
async fn grpc_and_http_answer_alike() {
    let world = World::start(&[]);
    let channel = channel(&world).await;
    let mut ranker = RankerClient::new(channel.clone());
    let titles = vec!["10".to_owned(), "17".to_owned()];
    let request =
        ScoreRequest { objective: "watch".into(), viewer: "2".into(), titles, ..Default::default() };
    let scores = ranker.score(request).await.unwrap().into_inner();
    let http =
        world.post("/v1/objectives/watch/score", &json!({ "viewer": "2", "titles": ["10", "17"] })).json();
    let written_scores: Vec<Value> = scores.scores.iter().copied().map(written).collect();
    assert_eq!(json!(written_scores), http["scores"]);
    assert_eq!(json!(scores.model.as_ref().unwrap().revision), http["revision"]);
    assert_eq!(scores.recognised(), Recognised::Known);

    let exclude = vec!["14".to_owned()];
    let request = TopKRequest { objective: "watch".into(), k: 4, exclude, ..Default::default() };
    let best = ranker.top_k(request).await.unwrap().into_inner();
    let http = world.post("/v1/objectives/watch/top-k", &json!({ "k": 4, "exclude": ["14"] })).json();
    let titles: Vec<_> =
        best.titles.iter().map(|title| json!({ "id": title.id, "score": written(title.score) })).collect();
    assert_eq!(json!(titles), http["titles"]);
    assert_eq!((best.recognised(), &http["recognised"]), (Recognised::Stranger, &json!("Stranger")));

    let mut pages = PagesClient::new(channel);
    let request = GetPageRequest { surface: "home".into(), viewer: "1".into(), recent: vec!["12".into()] };
    let page = pages.get_page(request).await.unwrap().into_inner();
    let http = world.post("/v1/surfaces/home/page", &json!({ "viewer": "1", "recent": ["12"] })).json();
    assert_eq!(page.rows.len(), http["rows"].as_array().unwrap().len());
    for (row, expected) in page.rows.iter().zip(http["rows"].as_array().unwrap()) {
        assert_eq!(
            (json!(row.name), json!(row.heading), json!(row.why)),
            (expected["name"].clone(), expected["heading"].clone(), expected["why"].clone())
        );
        assert_eq!(row.degraded(), Degraded::Unspecified);
        for (title, expected) in row.titles.iter().zip(expected["titles"].as_array().unwrap()) {
            assert_eq!(
                (json!(title.id), json!(title.name)),
                (expected["id"].clone(), expected["name"].clone())
            );
            assert_eq!(title.year.map_or(json!(null), |year| json!(year)), expected["year"]);
            assert_eq!(written(title.score), expected["score"]);
        }
    }
}

#[tokio::test]
async fn a_call_is_signed_and_its_size_bounded() {
    let world = World::start(&["--max-body", "2000"]);
    let mut ranker = RankerClient::new(channel(&world).await);
    let mut request = Request::new(TopKRequest { objective: "watch".into(), k: 1, ..Default::default() });
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    request.metadata_mut().insert("x-request-id", "order-66".parse().unwrap());
    let answer = ranker.top_k(request).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "order-66");
    let passed_on = answer.metadata().get("traceparent").unwrap().to_str().unwrap();
    assert!(passed_on.starts_with(&parent[..36]) && passed_on != parent, "{passed_on}");

    let titles = vec!["10".to_owned(); 1000];
    let large = ScoreRequest { objective: "watch".into(), titles, ..Default::default() };
    let status = ranker.score(large).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    let message = "the message is over 2000 bytes: send fewer titles, or raise --max-body";
    assert_eq!(status.message(), message);
    assert!(status.metadata().contains_key("x-request-id"), "{status:?}");
    let refused = format!("{}{{code=\"TooLarge\",method=\"grpc/score\"}}", marquee_crds::metrics::REQUESTS);
    assert!((world.metric(&refused) - 1.0).abs() < f64::EPSILON, "it is counted");
}

#[tokio::test]
async fn an_unknown_method_says_what_to_use_instead() {
    let world = World::start(&[]);
    let channel = channel(&world).await;
    #[rustfmt::skip]
    let cases = [
        ("/inference.GRPCInferenceService/RepositoryIndex", "the model repository index is not supported: GET /status lists the models of this process"),
        ("/marquee.v1.Pages/GetPages",                      "service \"marquee.v1.Pages\" has no method \"GetPages\""),
        ("/tensorflow.serving.PredictionService/Predict",   "service \"tensorflow.serving.PredictionService\" does not exist: the services are marquee.v1.Ranker"),
    ];
    for (path, message) in cases {
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<GetPageRequest, GetPageRequest>::default();
        let mut request = Request::new(GetPageRequest::default());
        request.metadata_mut().insert("x-request-id", "order-66".parse().unwrap());
        let status = client.unary(request, path.parse().unwrap(), codec).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
        assert!(status.message().contains(message), "{path}: {}", status.message());
        assert_eq!(status.metadata().get("x-request-id").unwrap(), "order-66", "{path}");
    }
}

#[tokio::test]
async fn health_follows_readiness() {
    let world = World::start(&["--drain-delay", "3s"]);
    let mut health = HealthClient::new(channel(&world).await);
    for service in ["", "marquee.v1.Ranker", "marquee.v1.Pages", "inference.GRPCInferenceService"] {
        let request = HealthCheckRequest { service: service.into() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    let unknown = health.check(HealthCheckRequest { service: "marquee.v2".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::Serving);
    world.terminate();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn reflection_describes_every_service() {
    let world = World::start(&[]);
    let mut reflection = ServerReflectionClient::new(channel(&world).await);
    let ask = |message| ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    let asked = vec![
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("marquee.v1.Pages".into())),
        ask(MessageRequest::FileContainingSymbol("inference.ModelInferRequest".into())),
    ];
    let mut answers =
        reflection.server_reflection_info(tokio_stream::iter(asked)).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.next().await.unwrap().unwrap().message_response
    else {
        panic!("no list");
    };
    let names: Vec<&str> = list.service.iter().map(|service| &*service.name).collect();
    let expected =
        ["marquee.v1.Ranker", "marquee.v1.Pages", "inference.GRPCInferenceService", "grpc.health.v1.Health"];
    for name in expected {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    for _ in 0..2 {
        let answer = answers.next().await.unwrap().unwrap().message_response;
        assert!(matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))), "{answer:?}");
    }
}
