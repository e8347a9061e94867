//! How the listeners close: readiness ends, then no new connections, then requests in flight are answered, then the process ends.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::ExitStatus,
    time::Instant,
};

use crate::world::{PATIENCE, World, parse};

/// Waits for the process to end.
fn ended(world: &mut World) -> ExitStatus {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = world.child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < end, "the process does not end");
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
}

/// A request whose last byte is not sent yet.
fn begun(world: &World) -> TcpStream {
    let mut stream = TcpStream::connect(world.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(
            b"POST /v1/surfaces/home/page HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
              content-length: 2\r\nexpect: 100-continue\r\n\r\n",
        )
        .unwrap();
    // The server requests the body when it has started the request.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[test]
fn what_is_in_flight_is_answered_before_the_end() {
    let mut world = World::start(&["--body-timeout", "60s"]);
    let mut stream = begun(&world);
    world.terminate();
    world.until("closed", || TcpStream::connect(world.http).is_err());
    stream.write_all(b"{}").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let answer = parse(&bytes).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers["connection"], "close");
    assert!(ended(&mut world).success());
}

#[test]
fn readiness_ends_first() {
    let mut world = World::start(&["--drain-delay", "3s"]);
    world.terminate();
    world.until("not ready", || world.get("/readyz").status == 503);
    let page = world.post("/v1/surfaces/home/page", &serde_json::json!({}));
    assert_eq!(page.status, 200, "requests are answered while load balancers take notice");
    assert_eq!(world.get("/livez").status, 200);
    assert!(ended(&mut world).success());
}

#[test]
fn what_does_not_end_is_cut() {
    let mut world = World::start(&["--drain-timeout", "300ms", "--body-timeout", "60s"]);
    let mut stream = begun(&world);
    world.terminate();
    assert!(ended(&mut world).success());
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.is_empty(), "cut without an answer");
}
