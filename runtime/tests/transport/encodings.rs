//! Compression over HTTP and gRPC: requests are decompressed up to a limit, and answers are compressed only if the client asks.

use std::io::{Read, Write};

use flate2::{
    Compression,
    read::GzDecoder,
    write::{GzEncoder, ZlibEncoder},
};
use marquee_runtime::transport::grpc::contract::marquee::v1::{ScoreRequest, ranker_client::RankerClient};
use serde_json::{Value, json};
use tonic::{Code, codec::CompressionEncoding, transport::Channel};

use crate::world::World;

const PAGE: &str = "POST /v1/surfaces/home/page";
const JSON: (&str, &str) = ("content-type", "application/json");

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(body, 3).unwrap()
}

#[test]
fn compressed_requests_are_read_and_bounded() {
    let world = World::start(&["--max-body", "10000"]);
    let plain = br#"{"viewer":"1"}"#;
    let bomb = vec![b' '; 8 << 20];
    #[rustfmt::skip]
    let cases = [
        // why                  content-encoding  body             status  detail holds
        ("plain",               "identity",       plain.to_vec(),  200,    ""),
        ("gzip",                "gzip",           gzip(plain),     200,    ""),
        ("zstd",                "zstd",           zstd(plain),     200,    ""),
        ("deflate",             "deflate",        deflate(plain),  200,    ""),
        ("not gzip",            "gzip",           plain.to_vec(),  400,    "cannot decompress the body as gzip"),
        ("not said",            "identity",       gzip(plain),     400,    "the body is not UTF-8"),
        ("a bomb of gzip",      "gzip",           gzip(&bomb),     413,    "over 10000 bytes after decompression: send fewer titles, or raise --max-body"),
        ("a bomb of zstd",      "zstd",           zstd(&bomb),     413,    "over 10000 bytes after decompression"),
        ("a bomb of deflate",   "deflate",        deflate(&bomb),  413,    "over 10000 bytes after decompression"),
        ("not read",            "br",             plain.to_vec(),  415,    "content-encoding is \"br\": send one of gzip, zstd, deflate"),
    ];
    for (why, encoding, body, status, detail) in cases {
        let answer = world.send(PAGE, &[JSON, ("content-encoding", encoding)], &body);
        assert_eq!(answer.status, status, "{why}: {}", answer.text());
        if status == 200 {
            assert_eq!(answer.json()["recognised"], "Known", "{why}");
        } else {
            assert!(answer.json()["detail"].as_str().unwrap().contains(detail), "{why}: {}", answer.text());
        }
        if status == 415 {
            assert_eq!(answer.headers["accept-encoding"], "gzip, zstd, deflate", "{why}");
        }
    }
}

#[test]
fn answers_are_compressed_where_a_client_asks() {
    let world = World::start(&[]);
    let path = "GET /v1/openapi.json";
    let plain = world.send(path, &[], b"");
    assert_eq!((plain.headers.get("content-encoding"), &*plain.headers["vary"]), (None, "accept-encoding"));
    let inflate = |encoding: &str, body: &[u8]| match encoding {
        "gzip" => {
            let mut read = Vec::new();
            GzDecoder::new(body).read_to_end(&mut read).unwrap();
            read
        }
        _ => zstd::bulk::decompress(body, 1 << 20).unwrap(),
    };
    for (asked, encoding) in
        [("gzip, deflate, br, zstd", "zstd"), ("gzip", "gzip"), ("zstd;q=0.1, gzip", "gzip")]
    {
        let answer = world.send(path, &[("accept-encoding", asked)], b"");
        assert_eq!(answer.headers["content-encoding"], encoding, "{asked}");
        assert_eq!(answer.headers["vary"], "accept-encoding", "{asked}");
        assert!(answer.body.len() * 2 < plain.body.len(), "{asked}: {} bytes", answer.body.len());
        assert_eq!(answer.headers["content-length"], answer.body.len().to_string(), "{asked}");
        assert_eq!(inflate(encoding, &answer.body), plain.body, "{asked}");
    }
    let small = world.send(PAGE, &[JSON, ("accept-encoding", "gzip")], b"{}");
    assert!(
        small.headers["content-length"].parse::<usize>().unwrap() < 1400
            || small.headers.contains_key("content-encoding")
    );
    let live = world.send("GET /livez", &[("accept-encoding", "gzip")], b"");
    assert_eq!((live.text(), live.headers.get("content-encoding")), ("alive\n".to_owned(), None));
}

fn score(n_titles: usize) -> ScoreRequest {
    let titles = vec!["10".to_owned(); n_titles];
    ScoreRequest { objective: "watch".into(), viewer: "1".into(), titles, ..Default::default() }
}

#[tokio::test]
async fn grpc_messages_are_compressed_both_ways_and_bounded() {
    let world = World::start(&["--max-body", "2000"]);
    let channel = Channel::from_shared(format!("http://{}", world.grpc)).unwrap().connect().await.unwrap();
    let plain = RankerClient::new(channel.clone()).score(score(2)).await.unwrap().into_inner();
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Deflate, CompressionEncoding::Zstd] {
        let mut ranker =
            RankerClient::new(channel.clone()).send_compressed(encoding).accept_compressed(encoding);
        let answer = ranker.score(score(2)).await.unwrap();
        assert_eq!(answer.metadata().get("grpc-encoding").unwrap(), &*encoding.to_string());
        assert_eq!(answer.into_inner(), plain, "{encoding}");
        // 4,000 bytes that compress to fewer than 100.
        let status = ranker.score(score(1000)).await.unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange, "{encoding}: {status}");
        let message = "the message is over 2000 bytes: send fewer titles, or raise --max-body";
        assert_eq!(status.message(), message, "{encoding}");
    }
    // Clients that accept compression but do not use it get plain messages.
    let mut ranker = RankerClient::new(channel).accept_compressed(CompressionEncoding::Gzip);
    assert_eq!(ranker.score(score(2)).await.unwrap().into_inner(), plain);
}

#[test]
fn four_mebibytes_are_read_by_default() {
    let world = World::start(&[]);
    // Spaces count too. Other servers of this protocol accept 4 MiB.
    let padded = |n_bytes: usize| [&br#"{"viewer":"1"}"#[..], &vec![b' '; n_bytes - 14][..]].concat();
    assert_eq!(world.send(PAGE, &[JSON], &padded(4 << 20)).status, 200);
    let over = world.send(PAGE, &[JSON], &padded((4 << 20) + 1));
    let detail: Value = over.json()["detail"].clone();
    assert_eq!(
        (over.status, detail),
        (413, json!("the body is over 4194304 bytes: send fewer titles, or raise --max-body"))
    );
}
