//! The address of a listener, as people write it: `localhost:8080`, `:8080`, `8080`, `[::1]:8080`.

// `core::net` has addresses and no sockets: this file stays pure.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::{fmt, io, str::FromStr};

/// Linux's number for an address family that the kernel does not have, as with `ipv6.disable=1`.
const NO_SUCH_FAMILY: i32 = 97;

/// Where to listen. Parsing makes no lookup: names other than `localhost` are resolved when the listener opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    /// The part before the port.
    pub host: Host,
    /// The port; 0 means any free port.
    pub port: u16,
}

/// The part of an address before the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// All addresses of the machine, IPv6 and IPv4: nothing before the port, or `[::]`.
    Any,
    /// The loopback addresses of both families: `localhost`.
    Localhost,
    /// One address. `0.0.0.0` means all IPv4 addresses, and no IPv6 address.
    Ip(IpAddr),
    /// A name to resolve.
    Name(String),
}

/// A text that is no address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}: write HOST:PORT, such as localhost:8080, [::1]:8080, or :8080 for all addresses")]
pub struct ListenAddressError {
    problem: String,
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |problem: String| Err(ListenAddressError { problem });
        let text = text.trim();
        if text.is_empty() {
            return error("the address is empty".into());
        }
        if text.contains("://") || text.contains('/') {
            return error("an address to listen on has no scheme and no path".into());
        }
        // Digits alone are a port.
        let (host, port) = match text.rsplit_once(':') {
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => ("", text),
            None => return error("the port is missing".into()),
            // Without brackets, the last part of an IPv6 address would be taken for the port.
            Some(_) if text.parse::<Ipv6Addr>().is_ok() => {
                return error("the port is missing, or the brackets are".into());
            }
            Some((host, _)) if host.contains(':') && !host.starts_with('[') => {
                return error("an IPv6 address needs brackets".into());
            }
            Some((_, "")) => return error("the port is missing".into()),
            Some((host, port)) => (host, port),
        };
        // Unlike `parse`, this refuses a sign.
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let Some(port) = port.parse().ok().filter(|_| digits) else {
            return error(format!("the port {port:?} is not a number up to 65535"));
        };
        match host_of(host) {
            Some(host) => Ok(Self { host, port }),
            None => error(format!("the host {host:?} is neither a name nor an IP address")),
        }
    }
}

fn host_of(host: &str) -> Option<Host> {
    if let Some(inner) = host.strip_prefix('[') {
        let ip: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(if ip.is_unspecified() { Host::Any } else { Host::Ip(ip.into()) });
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    Some(match host {
        "" | "*" => Host::Any,
        _ if host.eq_ignore_ascii_case("localhost") => Host::Localhost,
        _ => match host.parse::<Ipv4Addr>() {
            Ok(ip) => Host::Ip(ip.into()),
            // A name of digits and dots is a mistyped IPv4 address.
            Err(_) if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => return None,
            Err(_) if host.bytes().all(is_name) => Host::Name(host.to_owned()),
            Err(_) => return None,
        },
    })
}

impl ListenAddress {
    /// Whether only this machine can connect.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Any | Host::Name(_) => false,
            Host::Localhost => true,
            Host::Ip(ip) => ip.is_loopback(),
        }
    }

    /// The socket addresses, unless the host is a name to resolve.
    ///
    /// For [`Host::Any`] the second one is for machines without IPv6: Linux listens on both families at `[::]`.
    /// For [`Host::Localhost`] both are for listening.
    pub fn socket_addresses(&self) -> Option<Vec<SocketAddr>> {
        let ips: Vec<IpAddr> = match &self.host {
            Host::Any => vec![Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()],
            Host::Localhost => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Host::Ip(ip) => vec![*ip],
            Host::Name(_) => return None,
        };
        Some(ips.into_iter().map(|ip| SocketAddr::new(ip, self.port)).collect())
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.host {
            Host::Any => write!(f, "[::]:{port}"),
            Host::Localhost => write!(f, "localhost:{port}"),
            Host::Ip(ip) => write!(f, "{}", SocketAddr::new(*ip, port)),
            Host::Name(name) => write!(f, "{name}:{port}"),
        }
    }
}

/// Whether a socket was not opened because the machine has no such address or no such family, so that another address may do.
pub fn lacks_address(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(NO_SUCH_FAMILY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        #[rustfmt::skip]
        let cases: [(&str, &str, bool, &[&str]); 14] = [
            // written              shown                loopback  sockets
            ("8080",                "[::]:8080",         false,    &["[::]:8080", "0.0.0.0:8080"]),
            (":8080",               "[::]:8080",         false,    &["[::]:8080", "0.0.0.0:8080"]),
            ("*:8080",              "[::]:8080",         false,    &["[::]:8080", "0.0.0.0:8080"]),
            ("[::]:8080",           "[::]:8080",         false,    &["[::]:8080", "0.0.0.0:8080"]),
            ("0.0.0.0:8080",        "0.0.0.0:8080",      false,    &["0.0.0.0:8080"]),
            ("127.0.0.1:0",         "127.0.0.1:0",       true,     &["127.0.0.1:0"]),
            ("[::1]:8080",          "[::1]:8080",        true,     &["[::1]:8080"]),
            ("[fd00::17]:65535",    "[fd00::17]:65535",  false,    &["[fd00::17]:65535"]),
            ("localhost:8080",      "localhost:8080",    true,     &["127.0.0.1:8080", "[::1]:8080"]),
            ("LocalHost:8080",      "localhost:8080",    true,     &["127.0.0.1:8080", "[::1]:8080"]),
            (" localhost:8080\n",   "localhost:8080",    true,     &["127.0.0.1:8080", "[::1]:8080"]),
            ("my-host.local:80",    "my-host.local:80",  false,    &[]),
            ("8080.example:80",     "8080.example:80",   false,    &[]),
            ("my_host:80",          "my_host:80",        false,    &[]),
        ];
        for (written, shown, is_loopback, sockets) in cases {
            let address: ListenAddress =
                written.parse().unwrap_or_else(|error| panic!("{written:?}: {error}"));
            assert_eq!((&*address.to_string(), address.is_loopback()), (shown, is_loopback), "{written:?}");
            assert_eq!(shown.parse(), Ok(address.clone()), "{written:?}: what is shown reads back");
            let found = address.socket_addresses().unwrap_or_default();
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), sockets, "{written:?}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        #[rustfmt::skip]
        let cases = [
            ("",                      "the address is empty"),
            ("localhost",             "the port is missing"),
            ("localhost:",            "the port is missing"),
            ("127.0.0.1",             "the port is missing"),
            ("::1",                   "the port is missing, or the brackets are"),
            ("::1:8080",              "the brackets are"),
            ("fd00::17:8080:x",       "an IPv6 address needs brackets"),
            ("[::1]",                 "the port \"1]\" is not a number"),
            ("[::1:8080",             "is neither a name nor an IP address"),
            ("[127.0.0.1]:8080",      "is neither a name nor an IP address"),
            ("127.0.0.256:8080",      "is neither a name nor an IP address"),
            ("1.2.3:8080",            "is neither a name nor an IP address"),
            ("a b:8080",              "is neither a name nor an IP address"),
            ("localhost:http",        "the port \"http\" is not a number up to 65535"),
            ("localhost:65536",       "the port \"65536\" is not a number up to 65535"),
            ("localhost:+80",         "the port \"+80\" is not a number up to 65535"),
            ("localhost:-1",          "the port \"-1\" is not a number up to 65535"),
            ("http://localhost:8080", "an address to listen on has no scheme and no path"),
            ("localhost:8080/v1",     "an address to listen on has no scheme and no path"),
        ];
        for (written, problem) in cases {
            let error = written.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(error.contains(problem), "{written:?}: {error}");
            assert!(
                error.ends_with(
                    "write HOST:PORT, such as localhost:8080, [::1]:8080, or :8080 for all addresses"
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn ipv4_stands_in_only_where_ipv6_is_off() {
        let errors = [io::Error::from_raw_os_error(NO_SUCH_FAMILY), io::ErrorKind::AddrNotAvailable.into()];
        assert!(errors.iter().all(lacks_address));
        let others = [io::ErrorKind::AddrInUse, io::ErrorKind::PermissionDenied].map(io::Error::from);
        assert!(!others.iter().any(lacks_address));
    }
}
