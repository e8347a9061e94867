use super::*;
use crate::transport::http::Style;
use crate::transport::tests::limits;

fn headers(name: &header::HeaderName, values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// Values of the header, and the encoding or a part of the error.
type RequestCase = (&'static [&'static str], Result<Option<Encoding>, &'static str>);

#[test]
fn the_encoding_of_a_request_is_known_or_refused() {
    use Encoding::{Deflate, Gzip, Zstd};
    #[rustfmt::skip]
    let cases: [RequestCase; 13] = [
        (&[],               Ok(None)),
        (&[""],             Ok(None)),
        (&["identity"],     Ok(None)),
        (&["gzip"],         Ok(Some(Gzip))),
        (&["GZip"],         Ok(Some(Gzip))),
        (&["x-gzip"],       Ok(Some(Gzip))),
        (&[" zstd "],       Ok(Some(Zstd))),
        (&["deflate"],      Ok(Some(Deflate))),
        (&["br"],           Err("content-encoding is \"br\": send one of gzip, zstd, deflate, or no content-encoding")),
        (&["gzip, zstd"],   Err("content-encoding is \"gzip, zstd\"")),
        (&["gzip", "zstd"], Err("content-encoding has several values")),
        (&["aws-chunked"],  Err("is \"aws-chunked\"")),
        (&["\u{e9}"],       Err("content-encoding is \"\u{e9}\"")),
    ];
    for (values, expected) in cases {
        let found = Encoding::of_request(&headers(&header::CONTENT_ENCODING, values));
        match expected {
            Ok(expected) => assert_eq!(found.unwrap(), expected, "{values:?}"),
            Err(message) => {
                let problem = found.unwrap_err();
                assert!(problem.detail.contains(message), "{values:?}: {}", problem.detail);
                let reply = problem.reply(Style::Problem, "a").into_response();
                assert_eq!(reply.status(), 415);
                assert_eq!(reply.headers()[header::ACCEPT_ENCODING], NAMES);
            }
        }
    }
}

#[test]
fn a_client_gets_the_encoding_that_it_prefers() {
    use Encoding::{Deflate, Gzip, Zstd};
    #[rustfmt::skip]
    let cases: [(&[&str], Option<Encoding>); 18] = [
        (&[],                                None),
        (&[""],                              None),
        (&["identity"],                      None),
        (&["br"],                            None),
        (&["gzip"],                          Some(Gzip)),
        (&["GZIP"],                          Some(Gzip)),
        (&["deflate"],                       Some(Deflate)),
        (&["gzip, deflate, br, zstd"],       Some(Zstd)),
        (&["gzip", "zstd"],                  Some(Zstd)),
        (&["gzip;q=1.0, zstd;q=0.5"],        Some(Gzip)),
        (&["gzip; q=0.2 , deflate ;q=0.3"],  Some(Deflate)),
        (&["gzip;q=0"],                      None),
        (&["zstd;q=0, *"],                   Some(Gzip)),
        (&["*"],                             Some(Zstd)),
        (&["*;q=0"],                         None),
        (&["identity, *;q=0"],               None),
        (&["gzip;q=often"],                  None),
        (&["gzip;level=3;q=0.001"],          Some(Gzip)),
    ];
    for (values, expected) in cases {
        assert_eq!(Encoding::of_answer(&headers(&header::ACCEPT_ENCODING, values)), expected, "{values:?}");
    }
}

#[tokio::test]
async fn what_is_compressed_reads_back_whole() {
    for n_bytes in [0, 1, 1000, LARGEST_INLINE - 1, LARGEST_INLINE, LARGEST_INLINE + 1, limits().max_body] {
        let body: Vec<u8> = (0..n_bytes).map(|at| (at % 251) as u8).collect();
        for encoding in ALL {
            let encoded = encoding.encode(&body).unwrap();
            let decoded = encoding.decode(encoded.into(), &limits()).await.unwrap();
            assert!(decoded == body, "{encoding:?} of {n_bytes} bytes");
        }
    }
}

#[tokio::test]
async fn a_body_is_bounded_after_decompression() {
    let max_body = limits().max_body;
    for encoding in ALL {
        for n_bytes in [max_body + 1, 64 << 20] {
            let bomb = encoding.encode(&vec![b' '; n_bytes]).unwrap();
            assert!(bomb.len() < max_body, "{encoding:?}: {}", bomb.len());
            let problem = encoding.decode(bomb.into(), &limits()).await.unwrap_err();
            assert_eq!(problem.code, Code::TooLarge, "{encoding:?} of {n_bytes} bytes");
            assert!(problem.detail.contains("over 1048576 bytes after decompression"), "{}", problem.detail);
            assert!(problem.detail.contains("raise --max-body"), "{}", problem.detail);
        }
    }
    // A limit below what is read at once holds too.
    let limits = Limits { max_body: 1000, ..limits() };
    for encoding in ALL {
        for (n_bytes, fits) in [(1000, true), (1001, false)] {
            let encoded = encoding.encode(&vec![b' '; n_bytes]).unwrap();
            assert_eq!(
                encoding.decode(encoded.into(), &limits).await.is_ok(),
                fits,
                "{encoding:?} {n_bytes}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_compressed_as_it_says_is_refused() {
    let whole = Encoding::Gzip.encode(br#"{"viewer":"1"}"#).unwrap();
    // A frame that asks for a window of 128 MiB before it has a byte.
    let wide = b"\x28\xb5\x2f\xfd\x00\x88\x09\x00\x00a";
    #[rustfmt::skip]
    let cases: [(&str, Encoding, &[u8], &str); 7] = [
        ("plain JSON",          Encoding::Gzip,    b"{}",                     "cannot decompress the body as gzip"),
        ("plain JSON",          Encoding::Zstd,    b"{\"viewer\":\"1\"}",     "cannot decompress the body as zstd"),
        ("plain JSON",          Encoding::Deflate, b"{\"viewer\":\"1\"}",     "cannot decompress the body as deflate"),
        ("cut short",           Encoding::Gzip,    &whole[..whole.len() - 4], "cannot decompress the body as gzip"),
        ("something behind it", Encoding::Gzip,    &[&whole[..], b"x"].concat(), "cannot decompress the body as gzip"),
        ("another encoding",    Encoding::Zstd,    &whole,                    "cannot decompress the body as zstd"),
        ("a window too wide",   Encoding::Zstd,    wide,                      "cannot decompress the body as zstd"),
    ];
    for (why, encoding, body, message) in cases {
        let problem = encoding.decode(Bytes::copy_from_slice(body), &limits()).await.unwrap_err();
        assert_eq!(problem.code, Code::Invalid, "{why}");
        assert!(problem.detail.contains(message), "{why}: {}", problem.detail);
    }
}

#[tokio::test]
async fn only_large_answers_are_compressed_and_all_large_ones_vary() {
    let body = |n_bytes| "a".repeat(n_bytes);
    let asked = headers(&header::ACCEPT_ENCODING, &["gzip"]);
    #[rustfmt::skip]
    let cases = [
        // why                      headers           bytes                encoded  vary
        ("small",                   &asked,           LEAST_ANSWER - 1,    false,   false),
        ("large",                   &asked,           LEAST_ANSWER,        true,    true),
        ("very large",              &asked,           LARGEST_INLINE + 1,  true,    true),
        ("large, nothing asked",    &HeaderMap::new(), LEAST_ANSWER,       false,   true),
    ];
    for (why, headers, n_bytes, is_encoded, varies) in cases {
        let reply = compress(Reply::json(body(n_bytes)), headers).await;
        let bytes = reply.body.clone();
        let response = reply.into_response();
        let has = |name| response.headers().contains_key(name);
        assert_eq!((has(header::CONTENT_ENCODING), has(header::VARY)), (is_encoded, varies), "{why}");
        if is_encoded {
            assert_eq!(Encoding::Gzip.decode(bytes, &limits()).await.unwrap(), body(n_bytes), "{why}");
        } else {
            assert_eq!(bytes, body(n_bytes), "{why}");
        }
    }
}
