//! Compressed bodies: of requests, within the limit for bodies, and of answers, where the client asks for them.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use flate2::{
    Compression,
    read::{MultiGzDecoder, ZlibDecoder},
    write::{GzEncoder, ZlibEncoder},
};
use http::{HeaderMap, HeaderValue, header};
use tokio::task::spawn_blocking;

use super::{problem::Problem, reply::Reply};
use crate::{service::types::ServeError, telemetry::Code, transport::Limits};

/// The encodings that are read and written, as headers name them.
pub(super) const NAMES: &str = "gzip, zstd, deflate";
/// Smaller answers fit into one packet, and compressing them gains nothing.
const LEAST_ANSWER: usize = 1400;
/// More bytes than this take about a millisecond, and are left to a thread that may block.
const LARGEST_INLINE: usize = 128 * 1024;
/// Largest window of a zstd frame, as a power of two: 8 MiB, the bound of RFC 9659 for HTTP.
const LARGEST_ZSTD_WINDOW_LOG: u32 = 23;
/// The fastest levels: an answer must be quick before it is small.
const ZSTD_LEVEL: i32 = 1;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Zstd,
    Deflate,
}

/// The encodings, those first that are used when a client has no preference.
const ALL: [Encoding; 3] = [Encoding::Zstd, Encoding::Gzip, Encoding::Deflate];

impl Encoding {
    /// The encoding of a request's body. `None` if it is not compressed.
    pub(super) fn of_request(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let (Some(value), more) = (values.next(), values.next()) else { return Ok(None) };
        let text = String::from_utf8_lossy(value.as_bytes());
        let name = text.trim();
        match Self::named(name) {
            _ if more.is_some() => Err(unsupported("has several values")),
            Some(encoding) => Ok(Some(encoding)),
            None if name.is_empty() || name.eq_ignore_ascii_case("identity") => Ok(None),
            None => Err(unsupported(&format!("is {name:?}"))),
        }
    }

    /// The encoding that a client prefers for its answer. `None` if it asks for no encoding that the server has.
    fn of_answer(headers: &HeaderMap) -> Option<Self> {
        let mut weights = [None; ALL.len()];
        let mut any = None;
        let values = headers.get_all(header::ACCEPT_ENCODING).iter();
        for item in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight(parameters);
            match Self::named(name.trim()) {
                Some(encoding) => {
                    let idx = ALL.iter().position(|each| *each == encoding);
                    weights[idx.unwrap_or_default()] = Some(weight);
                }
                None if name.trim() == "*" => any = Some(weight),
                None => {}
            }
        }
        let weighted = ALL.into_iter().zip(weights.map(|weight| weight.or(any).unwrap_or(0)));
        // The first of those with the largest weight.
        let best = weighted.rev().max_by_key(|(_, weight)| *weight);
        best.filter(|(_, weight)| *weight > 0).map(|(encoding, _)| encoding)
    }

    fn named(name: &str) -> Option<Self> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        ALL.into_iter().find(|encoding| is(encoding.name())).or(is("x-gzip").then_some(Self::Gzip))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
        }
    }

    /// Decompresses a request's body. A body that becomes larger than the limit is refused before it takes more memory.
    pub(super) async fn decode(self, body: Bytes, limits: &Limits) -> Result<Bytes, Problem> {
        let max_body = limits.max_body;
        let mut decoder = self.decoder(body).map_err(|error| self.malformed(&error))?;
        let mut decoded = Vec::new();
        read(&mut decoder, &mut decoded, LARGEST_INLINE.min(max_body))
            .map_err(|error| self.malformed(&error))?;
        if decoded.len() == LARGEST_INLINE {
            let rest = spawn_blocking(move || {
                let room = max_body.saturating_sub(decoded.len());
                read(&mut decoder, &mut decoded, room).map(|()| (decoder, decoded))
            });
            (decoder, decoded) =
                rest.await.map_err(|_| ServeError::Internal)?.map_err(|error| self.malformed(&error))?;
        }
        // At the limit, one more byte decides.
        match decoder.read(&mut [0]).map_err(|error| self.malformed(&error))? {
            0 => Ok(decoded.into()),
            _ => Err(Problem::too_large(limits, " after decompression")),
        }
    }

    fn decoder(self, body: Bytes) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(body.reader())),
            Self::Deflate => Box::new(ZlibDecoder::new(body.reader())),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body.reader())?;
                decoder.window_log_max(LARGEST_ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
        })
    }

    fn malformed(self, error: &io::Error) -> Problem {
        Problem::invalid(format!("cannot decompress the body as {}: {error}", self.name()))
    }

    fn encode(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let room = Vec::with_capacity(body.len() / 4);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(room, Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(room, Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Zstd => zstd::bulk::compress(body, ZSTD_LEVEL),
        }
    }
}

/// Compresses an answer, if the client asks for it and the answer is large enough.
pub(super) async fn compress(mut reply: Reply, headers: &HeaderMap) -> Reply {
    if reply.body.len() < LEAST_ANSWER {
        return reply;
    }
    reply.header(header::VARY, HeaderValue::from_static("accept-encoding"));
    let Some(encoding) = Encoding::of_answer(headers) else { return reply };
    let body = reply.body.clone();
    let encoded = match body.len() {
        ..=LARGEST_INLINE => encoding.encode(&body),
        _ => spawn_blocking(move || encoding.encode(&body))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error))),
    };
    // Without compression the answer is larger, and still right.
    if let Ok(encoded) = encoded {
        reply.body = encoded.into();
        reply.header(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    reply
}

/// Appends up to `room` bytes.
fn read(decoder: &mut impl Read, decoded: &mut Vec<u8>, room: usize) -> io::Result<()> {
    decoder.take(room as u64).read_to_end(decoded).map(drop)
}

/// The weight in the parameters of an encoding, `q=0.5`, in thousandths. A malformed one counts as 0.
fn weight(parameters: &str) -> u32 {
    let mut values = parameters.split(';').filter_map(|parameter| parameter.trim().strip_prefix(['q', 'Q']));
    let Some(value) = values.find_map(|value| value.trim_start().strip_prefix('=')) else { return 1000 };
    value.trim().parse::<f32>().map_or(0, |weight| (weight.clamp(0.0, 1.0) * 1000.0) as u32)
}

fn unsupported(found: &str) -> Problem {
    let detail = format!("content-encoding {found}: send one of {NAMES}, or no content-encoding");
    // RFC 9110 has this header in the answer for what requests may use.
    let accepted = Some((header::ACCEPT_ENCODING, NAMES));
    Problem { header: accepted, ..Problem::new(Code::UnsupportedMediaType, detail) }
}

#[cfg(test)]
mod tests;
