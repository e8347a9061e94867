//! What a store's client says, in one line, each cause once.

use std::error::Error;
use std::io;

/// Longest answer of a store that is repeated. What is longer is a page for people, or names ids of requests.
const LONGEST_ANSWER: usize = 300;

/// Why a store did not do what was asked: one line with each cause once.
///
/// The client's errors contain the text of their causes, so that a chain of six errors says the last one six times. And
/// they contain durations, so that a status with such a message would change at each try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreCause(String);

impl From<&str> for StoreCause {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for StoreCause {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl StoreCause {
    /// The causes of `error`.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let texts: Vec<String> = chain(error).map(ToString::to_string).collect();
        let mut said = String::new();
        for (n, text) in texts.iter().enumerate() {
            let own = texts[n + 1..].iter().find_map(|inner| text.strip_suffix(inner.as_str()));
            let own = plain(own.unwrap_or(text));
            if own.is_empty() || said.contains(&own) {
                continue;
            }
            if !said.is_empty() {
                said.push_str(": ");
            }
            said.push_str(&own);
        }
        // All of it was noise: then that is all there is to say.
        if said.is_empty() { Self(texts.last().cloned().unwrap_or_default()) } else { Self(said) }
    }
}

/// `error` and its causes.
pub(crate) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + 'a {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The first cause of the type `T`, also inside of system errors, which do not name what they wrap as their source.
pub(crate) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| {
        let wrapped = || find(error.downcast_ref::<io::Error>()?.get_ref()? as &(dyn Error + 'static));
        error.downcast_ref::<T>().or_else(wrapped)
    })
}

/// What one error of the chain adds, without the client's phrases.
fn plain(text: &str) -> String {
    let text = text.trim_end_matches(|at: char| at == ':' || at == '-' || at.is_whitespace());
    let is_noise = text.starts_with("Generic ") && text.ends_with(" error")
        || text.starts_with("Object at location ")
        || text.starts_with("The operation lacked ")
        || text.starts_with("client error (")
        || ["HTTP error", "Request error", "error sending request", "Error after 0 retries"].contains(&text);
    if is_noise {
        return String::new();
    }
    if let Some(answer) = text.strip_prefix("Server returned non-2xx status code: ") {
        return match answer.split_once(": ") {
            None => answer.trim_end_matches(':').to_owned(),
            Some((status, body)) => format!("{status}: {}", answer_summary(body)),
        };
    }
    match text.strip_prefix("Error performing ") {
        Some(request) => without_durations(request),
        None => text.to_owned(),
    }
}

/// `GET http://store/file in 3.2s, after 5 retries, max_retries: 5, retry_timeout: 120s` up to the durations.
fn without_durations(request: &str) -> String {
    let (asked, rest) = request.split_once(" in ").unwrap_or((request, ""));
    let tries = rest.split_once(", after ").and_then(|(_, rest)| rest.split_once(" retries"));
    match tries {
        Some((tries, _)) => format!("{asked}, after {tries} retries"),
        None => asked.to_owned(),
    }
}

/// The answer of a store in a few words: code and message of its XML, or the beginning of whatever else it is.
pub(crate) fn answer_summary(body: &str) -> String {
    match (element(body, "Code"), element(body, "Message")) {
        (Some(code), Some(message)) => format!("{code}: {}", short(message)),
        (Some(code), None) => code.to_owned(),
        _ => short(body),
    }
}

fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    match line.char_indices().nth(LONGEST_ANSWER) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// The text in the first element of this name.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match &self.1 {
                Some(inner) => write!(f, "{}{inner}", self.0),
                None => f.write_str(self.0),
            }
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|inner| inner as _)
        }
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let inner = (texts.len() > 1).then(|| Box::new(layers(&texts[1..])));
        Layer(texts[0], inner)
    }

    #[test]
    fn each_cause_is_said_once_and_no_duration() {
        let asked = "Error performing GET http://s/b/x in 3.2s, after 5 retries, max_retries: 5, retry_timeout: 120s  - ";
        let denied = "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>InvalidAccessKeyId</Code>\
                      <Message>no such key</Message><RequestId>17</RequestId></Error>";
        #[rustfmt::skip]
        let cases: [(&str, &[&'static str], &str); 5] = [
            ("six layers",       &["Generic S3 error: ", asked, "HTTP error: ", "error sending request: ", "client error (Connect): ", "connection refused"],
                                 "GET http://s/b/x, after 5 retries: connection refused"),
            ("an answer in XML", &["Generic S3 error: ", "Error performing GET http://s/b/x in 1ms - ", denied],
                                 "GET http://s/b/x: 403 Forbidden: InvalidAccessKeyId: no such key"),
            ("an empty answer",  &["Generic S3 error: ", "Server returned non-2xx status code: 503 Service Unavailable: "], "503 Service Unavailable"),
            ("one layer",        &["the store ended the transfer early"], "the store ended the transfer early"),
            ("only noise",       &["Generic S3 error: ", "error sending request"], "error sending request"),
        ];
        for (why, texts, expected) in cases {
            assert_eq!(StoreCause::of(&layers(texts)).to_string(), expected, "{why}");
        }
        let long =
            format!("Server returned non-2xx status code: 502 Bad Gateway: {}\nmore", "x".repeat(5000));
        let cause = StoreCause::of(&Layer(Box::leak(long.into_boxed_str()), None)).to_string();
        assert!(cause.chars().count() < 400 && cause.ends_with('…'), "{cause}");
    }

    #[test]
    fn what_system_errors_wrap_is_found() {
        let wrapped = io::Error::other(io::Error::other(layers(&["deep"])));
        assert!(find::<Layer>(&wrapped).is_some_and(|layer| layer.0 == "deep"));
        assert!(find::<std::fmt::Error>(&wrapped).is_none());
    }
}
