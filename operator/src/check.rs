//! Checks that an operator answers. `helm test` runs this, because only the operator's image is certainly present.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

/// Time limit for each of the connection, the request and the answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Number of bytes that contain the status line of an answer.
const STATUS_LINE: usize = 64;

/// Why the check failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The address does not have the form `http://HOST:PORT/PATH`.
    #[error("cannot check {0:?}: write http://HOST:PORT/PATH")]
    Address(String),
    /// There is no answer.
    #[error("no answer from {host}: check that the operator runs, and that the address is right")]
    NoAnswer {
        /// The host.
        host: String,
        /// Why not.
        source: io::Error,
    },
    /// The answer is not 200.
    #[error("{host} answers {status:?}")]
    Refused {
        /// The host.
        host: String,
        /// The first line of the answer.
        status: String,
    },
}

/// Asks `url` once.
///
/// # Errors
/// There is no answer, or its status is not 200.
pub fn check(url: &str) -> Result<(), Failure> {
    let (host, path) = split(url).ok_or_else(|| Failure::Address(url.into()))?;
    let no_answer = |source| Failure::NoAnswer { host: host.into(), source };
    let status = status(host, &path).map_err(no_answer)?;
    let is_ok = status.split(' ').nth(1) == Some("200");
    if is_ok { Ok(()) } else { Err(Failure::Refused { host: host.into(), status }) }
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
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // The request is sent in one piece, because the server may read only once.
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
            ("no scheme",      "operator:8080/readyz".into(),                         "cannot check"),
            ("no port",        "http://operator/readyz".into(),                       "cannot check"),
            ("two requests",   "http://a:1/x\r\nHost: b".into(),                      "cannot check"),
        ];
        for (why, url, message) in cases {
            let error = check(&url).unwrap_err().to_string();
            assert!(error.contains(message), "{why}: {error}");
        }
    }

    #[test]
    fn an_address_where_nothing_listens_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(matches!(check(&format!("http://{address}/")), Err(Failure::NoAnswer { .. })));
    }
}
