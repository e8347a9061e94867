//! W3C trace context: parses `traceparent` headers, continues their traces, and starts new ones.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use marquee_artifacts::{MIX_STEP, mix64};

/// Creates ids from a counter with a random start, mixed. Two requests have the same id only by coincidence, even in two
/// processes.
#[derive(Debug)]
pub struct IdSource(AtomicU64);

impl Default for IdSource {
    /// Starts at a random number from the operating system.
    fn default() -> Self {
        Self(AtomicU64::new(RandomState::new().hash_one(std::process::id())))
    }
}

impl IdSource {
    /// The next id, never 0.
    pub fn next(&self) -> u64 {
        mix64(self.0.fetch_add(MIX_STEP, Ordering::Relaxed)).max(1)
    }
}

/// A request's place in its trace. `Display` writes the `traceparent` for requests that follow from this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Id of the whole trace; never 0.
    pub trace_id: u128,
    /// Id of this request; never 0.
    pub span_id: u64,
    /// Bit 0: sampled.
    pub flags: u8,
}

impl TraceContext {
    /// Continues the trace of a `traceparent` header. Starts a trace if the header is missing or malformed.
    pub fn continue_from(header: Option<&[u8]>, ids: &IdSource) -> Self {
        let (trace_id, flags) = header
            .and_then(parse)
            .unwrap_or_else(|| (u128::from(ids.next()) << 64 | u128::from(ids.next()), 0));
        Self { trace_id, span_id: ids.next(), flags }
    }

    /// The `traceparent` header.
    pub fn header(&self) -> [u8; 55] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut text[3..35], self.trace_id);
        write_hex(&mut text[36..52], u128::from(self.span_id));
        write_hex(&mut text[53..55], u128::from(self.flags));
        text
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.header()).unwrap_or_default())
    }
}

/// Fills `text` with the lowest hexadecimal digits of `value`.
pub(crate) fn write_hex(text: &mut [u8], mut value: u128) {
    for digit in text.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

/// Trace id and flags of a header. A later version may carry more after the flags (W3C Trace Context, 3.2.2.1).
fn parse(header: &[u8]) -> Option<(u128, u8)> {
    let dashes = header.len() >= 55 && header[2] == b'-' && header[35] == b'-' && header[52] == b'-';
    let whole = header.len() == 55 || (header.len() > 55 && header[..2] != *b"00" && header[55] == b'-');
    if !dashes || !whole || header[..2] == *b"ff" {
        return None;
    }
    hex(&header[..2])?;
    let trace_id = hex(&header[3..35]).filter(|id| *id != 0)?;
    hex(&header[36..52]).filter(|id| *id != 0)?;
    Some((trace_id, hex(&header[53..55])? as u8 & 1))
}

/// Parses hexadecimal digits, in lower case only, as the standard requires.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value: u128, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

    #[test]
    fn a_trace_is_continued_only_from_a_well_formed_header() {
        #[rustfmt::skip]
        let cases = [
            // why                                    header                                                          continued
            ("the standard's example",                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",       true),
            ("a later version with more fields",      "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra", true),
            ("version 0 has no more fields",          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra", false),
            ("version ff is forbidden",               "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",       false),
            ("capitals are forbidden",                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",       false),
            ("a trace id of zeros is invalid",              "00-00000000000000000000000000000000-00f067aa0ba902b7-01",       false),
            ("a parent id of zeros is invalid",             "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",       false),
            ("too short",                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",          false),
            ("another text",                  "hello",                                                        false),
            ("empty",                                 "",                                                             false),
        ];
        let ids = IdSource::default();
        for (why, header, continued) in cases {
            let context = TraceContext::continue_from(Some(header.as_bytes()), &ids);
            assert_eq!(context.trace_id == TRACE, continued, "{why}");
            assert_eq!(context.flags == 1, continued, "{why}");
            assert_ne!(context.span_id, 0x00f0_67aa_0ba9_02b7, "{why}: the request has a span of its own");
        }
    }

    #[test]
    fn a_written_header_parses_to_the_same_trace() {
        let ids = IdSource::default();
        let made = TraceContext::continue_from(None, &ids);
        let text = made.to_string();
        assert_eq!(
            TraceContext::continue_from(Some(text.as_bytes()), &ids).trace_id,
            made.trace_id,
            "{text}"
        );
    }

    #[test]
    fn a_million_ids_differ() {
        let ids = IdSource::default();
        let mut seen: Vec<u64> = (0..1_000_000).map(|_| ids.next()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1_000_000);
    }
}
