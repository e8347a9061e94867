//! Limits that protect the listeners from clients: size, time, number of connections.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Instant,
};

use crate::world::{PATIENCE, World, parse};

fn connect(world: &World) -> TcpStream {
    let stream = TcpStream::connect(world.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything until the server closes.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

fn cut(reason: &str) -> String {
    format!("{}{{listener=\"http\",reason=\"{reason}\"}}", marquee_crds::metrics::CONNECTIONS_CUT)
}

#[test]
fn a_body_over_the_limit_is_refused_whether_declared_or_not() {
    let world = World::start(&["--max-body", "1000"]);
    let declared =
        world.send("POST /v1/surfaces/home/page", &[("content-type", "application/json")], &[b' '; 1001]);
    assert_eq!(declared.status, 413, "{}", declared.text());
    assert!(declared.text().contains("the body is over 1000 bytes: send fewer titles, or raise --max-body"));

    let mut chunked = connect(&world);
    chunked
        .write_all(
            b"POST /v1/surfaces/home/page HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
              transfer-encoding: chunked\r\n\r\n",
        )
        .unwrap();
    for _ in 0..3 {
        let _ = chunked.write_all(&[b"190\r\n".as_slice(), &[b' '; 0x190], b"\r\n"].concat());
    }
    assert_eq!(parse(&rest(chunked)).unwrap().status, 413);

    let fits = world.send("POST /v1/surfaces/home/page", &[("content-type", "application/json")], b"{}");
    assert_eq!(fits.status, 200, "{}", fits.text());
}

#[test]
fn a_pod_names_the_field_instead_of_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("termination-log").display().to_string();
    let world = World::start(&["--max-body", "1000", "--termination-log", &log]);
    let refused =
        world.send("POST /v1/surfaces/home/page", &[("content-type", "application/json")], &[b' '; 1001]);
    assert_eq!(refused.status, 413, "{}", refused.text());
    assert!(refused.text().contains("or raise spec.maxBody of the PageLayout"), "{}", refused.text());
}

#[test]
fn a_client_that_is_slow_with_its_headers_is_cut() {
    let world = World::start(&["--header-timeout", "300ms"]);
    let cases: [(&str, &[u8]); 4] = [
        ("silent", b""),
        ("the first letter of HTTP/2's preface", b"P"),
        ("half a request line", b"GET /live"),
        ("half of the headers", b"GET /livez HTTP/1.1\r\nhost: a\r\nx-a: "),
    ];
    for (at, (why, bytes)) in cases.into_iter().enumerate() {
        let mut stream = connect(&world);
        let start = Instant::now();
        stream.write_all(bytes).unwrap();
        let answer = rest(stream);
        assert!(start.elapsed() < PATIENCE, "{why}: not cut");
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{why}: answered");
        world.until("counted", || world.metric(&cut("slow_headers")) >= (at + 1) as f64);
    }
}

#[test]
fn a_client_that_is_slow_with_its_body_is_told_so() {
    let world = World::start(&["--body-timeout", "300ms"]);
    let mut stream = connect(&world);
    stream
        .write_all(
            b"POST /v1/surfaces/home/page HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
              content-length: 2\r\n\r\n{",
        )
        .unwrap();
    let answer = parse(&rest(stream)).unwrap();
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert_eq!(answer.json()["code"], "BodyTimeout");
    assert!(answer.text().contains("the body did not arrive within 300ms"), "{}", answer.text());
}

#[test]
fn a_client_that_does_not_take_its_answers_is_cut() {
    let world = World::start(&["--write-timeout", "300ms", "--header-timeout", "60s"]);
    let stream = connect(&world);
    let mut sender = stream.try_clone().unwrap();
    sender.set_write_timeout(Some(PATIENCE)).unwrap();
    // Unread answers fill the buffers of both sides; then the server waits, and at last it cuts the connection.
    let ask = b"GET /v1/openapi.json HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
    let start = Instant::now();
    while sender.write_all(&ask).is_ok() {
        assert!(start.elapsed() < PATIENCE, "not cut");
    }
    world.until("counted", || world.metric(&cut("slow_reader")) >= 1.0);
}

#[test]
fn a_connection_more_than_the_limit_is_closed_and_room_comes_back() {
    let world = World::start(&["--max-connections", "3"]);
    // Connections of the start may still be closing, and hold a place while they do.
    let held = std::cell::RefCell::new(Vec::new());
    world.until("full", || {
        let mut stream = connect(&world);
        let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
        let mut first = [0; 15];
        if stream.read_exact(&mut first).is_ok() {
            held.borrow_mut().push(stream);
        }
        held.borrow().len() == 3
    });
    let mut over = connect(&world);
    let _ = over.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(rest(over).is_empty(), "closed without an answer");
    held.borrow_mut().clear();
    world.until("free again", || {
        let mut stream = connect(&world);
        let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        rest(stream).starts_with(b"HTTP/1.1 200")
    });
    assert!(world.metric(&cut("too_many")) >= 1.0);
}

#[test]
fn a_connection_is_kept_for_many_requests_and_pipelined_ones() {
    let world = World::start(&[]);
    let mut stream = connect(&world);
    let ask = b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n";
    let last = b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream.write_all(&[&ask.repeat(9)[..], last].concat()).unwrap();
    let answers = String::from_utf8(rest(stream)).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 10);
}
