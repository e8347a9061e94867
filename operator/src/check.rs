//! Whether an operator answers: what `helm test` asks, out of the one image that is surely there.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

/// Longest wait for each of connecting, asking and the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// As much of an answer as says how it went.
const STATUS_LINE: usize = 64;

/// Why the check failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Another form than `http://HOST:PORT/PATH`.
    #[error("{0:?} is no address to check: write http://HOST:PORT/PATH")]
    Address(String),
    /// Nobody answers there.
    #[error("nobody answers at {host}")]
    Silent {
        /// Where.
        host: String,
        /// How it was found out.
        source: io::Error,
    },
    /// Somebody answers, and not with 200.
    #[error("{host} answers {status:?}")]
    Refused {
        /// Who.
        host: String,
        /// The first line of the answer.
        status: String,
    },
}

/// Asks `url` once.
///
/// # Errors
/// Anything but an answer with status 200.
pub fn check(url: &str) -> Result<(), Failure> {
    let (host, path) = split(url).ok_or_else(|| Failure::Address(url.into()))?;
    let silent = |source| Failure::Silent { host: host.into(), source };
    let status = status(host, &path).map_err(silent)?;
    let is_fine = status.split(' ').nth(1) == Some("200");
    if is_fine { Ok(()) } else { Err(Failure::Refused { host: host.into(), status }) }
}

/// `HOST:PORT` and the path of an address.
fn split(url: &str) -> Option<(&str, String)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (name, port) = host.rsplit_once(':')?;
    let plain = !name.is_empty() && port.parse::<u16>().is_ok() && !url.contains(char::is_whitespace);
    plain.then(|| (host, format!("/{path}")))
}

/// The first line of the answer.
fn status(host: &str, path: &str) -> io::Result<String> {
    let address = host.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // In one piece: who answers may read but once.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut start = Vec::new();
    stream.take(STATUS_LINE as u64).read_to_end(&mut start)?;
    Ok(String::from_utf8_lossy(&start).lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// Answers one request with `answer`; where.
    fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            let n = stream.read(&mut asked).unwrap();
            assert!(asked[..n].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        format!("http://{address}/readyz")
    }

    #[test]
    fn only_an_answer_of_200_is_fine() {
        let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        assert!(check(&answering(ok)).is_ok());
        #[rustfmt::skip]
        let cases = [
            ("not ready",      answering("HTTP/1.1 503 Service Unavailable\r\n\r\n"), "answers \"HTTP/1.1 503 Service Unavailable\""),
            ("an empty answer", answering(""),                                        "answers \"\""),
            ("no scheme",      "operator:8080/readyz".into(),                         "no address to check"),
            ("no port",        "http://operator/readyz".into(),                       "no address to check"),
            ("two requests",   "http://a:1/x\r\nHost: b".into(),                      "no address to check"),
        ];
        for (why, url, told) in cases {
            let error = check(&url).unwrap_err().to_string();
            assert!(error.contains(told), "{why}: {error}");
        }
    }

    #[test]
    fn nobody_at_home_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(matches!(check(&format!("http://{address}/")), Err(Failure::Silent { .. })));
    }
}
