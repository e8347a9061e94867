//! Old connections close: clients open new ones, and no request is lost.

use std::{
    convert::Infallible,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{body::Frame, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use marquee_runtime::transport::grpc::contract::marquee::v1::{GetPageRequest, pages_client::PagesClient};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Code, transport::Channel};

use crate::world::{PATIENCE, World, parse};

const YOUNG: [&str; 2] = ["--max-connection-age", "200ms"];
/// Longer than the largest age with jitter.
const OLD: Duration = Duration::from_millis(250);

#[test]
fn an_old_http_1_connection_closes_with_an_answer() {
    let world = World::start(&YOUNG);
    let mut stream = TcpStream::connect(world.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let start = Instant::now();
    let mut n_kept = 0;
    loop {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"alive\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            bytes.extend(byte);
        }
        let answer = parse(&bytes).unwrap();
        assert_eq!(answer.status, 200);
        match answer.headers.get("connection") {
            None => n_kept += 1,
            Some(value) => {
                assert_eq!(value, "close");
                break;
            }
        }
        assert!(start.elapsed() < PATIENCE, "the connection is kept for ever");
    }
    assert!(n_kept > 0, "a young connection is kept");
    assert!(start.elapsed() > Duration::from_millis(150), "closed after {:?}", start.elapsed());
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "closed after the answer");
}

type Sender = http2::SendRequest<BoxBody<Bytes, Infallible>>;

/// An HTTP/2 connection, and the task that ends when it closes.
async fn connect(address: SocketAddr) -> (Sender, JoinHandle<hyper::Result<()>>) {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    (sender, tokio::spawn(connection))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_http_2_connection_finishes_its_requests_and_goes() {
    let world = World::start(&[YOUNG[0], YOUNG[1], "--body-timeout", "60s"]);
    let (mut sender, connection) = connect(world.http).await;
    let (body, frames) = mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
    let request = Request::post(format!("http://{}/v1/surfaces/home/page", world.http))
        .header("content-type", "application/json")
        .body(BodyExt::boxed(StreamBody::new(ReceiverStream::new(frames))))
        .unwrap();
    let answer = tokio::spawn(sender.send_request(request));
    body.send(Ok(Frame::data(Bytes::from_static(b"{")))).await.unwrap();
    // The server tells the client that the connection accepts no more requests.
    let start = Instant::now();
    loop {
        let live = Request::get(format!("http://{}/livez", world.http));
        let live = live.body(BodyExt::boxed(http_body_util::Empty::new())).unwrap();
        match timeout(PATIENCE, sender.send_request(live)).await.unwrap() {
            Ok(answer) => assert_eq!(answer.status(), 200),
            Err(_) => break,
        }
        assert!(start.elapsed() < PATIENCE, "the client may use the connection for ever");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!answer.is_finished(), "the request is in flight");
    body.send(Ok(Frame::data(Bytes::from_static(b"}")))).await.unwrap();
    drop(body);
    let answer: Response<_> = timeout(PATIENCE, answer).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let page = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(serde_json::from_slice::<serde_json::Value>(&page).unwrap()["rows"].is_array());
    timeout(PATIENCE, connection).await.expect("the connection ends").unwrap().unwrap();
    // The scrape itself uses a connection.
    let open = format!("{}{{listener=\"http\"}}", marquee_crds::metrics::CONNECTIONS);
    world.until("closed", || world.metric(&open) < 1.5);
}

#[tokio::test]
async fn an_old_grpc_connection_goes_and_its_client_connects_again() {
    let world = World::start(&YOUNG);
    let (_sender, connection) = connect(world.grpc).await;
    timeout(PATIENCE, connection).await.expect("an idle connection ends").unwrap().unwrap();

    let channel = Channel::from_shared(format!("http://{}", world.grpc)).unwrap().connect().await.unwrap();
    let mut pages = PagesClient::new(channel);
    let start = Instant::now();
    while start.elapsed() < 4 * OLD {
        let request = GetPageRequest { surface: "home".into(), ..Default::default() };
        // tonic reports a request as cancelled that it has not sent because the connection closed at that moment. Other
        // clients of gRPC send it again by themselves.
        let page = match pages.get_page(request.clone()).await {
            Err(status) if status.code() == Code::Cancelled => pages.get_page(request).await,
            answer => answer,
        };
        let page = page.unwrap().into_inner();
        assert_eq!(page.rows.len(), 2);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The server does not cut a long stream.
    let channel = Channel::from_shared(format!("http://{}", world.grpc)).unwrap().connect().await.unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let mut watch = health.watch(tonic_health::pb::HealthCheckRequest::default()).await.unwrap().into_inner();
    assert!(watch.next().await.unwrap().is_ok());
    assert!(timeout(2 * OLD, watch.next()).await.is_err(), "the stream goes on, with nothing new");
}
