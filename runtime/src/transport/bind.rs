//! Opens the sockets of a listener: one for each address that its name has.

use std::{io, net::SocketAddr};

use marquee_crds::listen_address::{Host, ListenAddress, lacks_address};
use tokio::net::{TcpListener, lookup_host};

/// Opens the sockets of an address, at least one. With port 0, all of them have the port of the first where it is free.
///
/// # Errors
/// When the name has no address, or a socket cannot be opened.
pub(super) async fn bind(address: &ListenAddress) -> io::Result<Vec<TcpListener>> {
    let addresses = match (address.socket_addresses(), &address.host) {
        (Some(addresses), _) => addresses,
        (None, Host::Name(name)) => lookup_host((&**name, address.port)).await?.collect(),
        (None, _) => Vec::new(),
    };
    let mut sockets: Vec<TcpListener> = Vec::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for wanted in addresses {
        let port = match sockets.first() {
            Some(first) => first.local_addr()?.port(),
            None => wanted.port(),
        };
        match TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await {
            Ok(socket) => sockets.push(socket),
            // A port that the kernel chose may be in use in the other family.
            Err(_) if wanted.port() == 0 && !sockets.is_empty() => {}
            Err(error) if lacks_address(&error) => last = error,
            Err(error) => return Err(error),
        }
        // `[::]` is for both families, and IPv4 alone only where IPv6 is off.
        if address.host == Host::Any && !sockets.is_empty() {
            break;
        }
    }
    if sockets.is_empty() { Err(last) } else { Ok(sockets) }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bound(address: &str) -> Vec<TcpListener> {
        bind(&address.parse().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn localhost_is_both_families() {
        let has_ipv6 = TcpListener::bind("[::1]:0").await.is_ok();
        let sockets = bound("localhost:0").await;
        let ips: Vec<String> =
            sockets.iter().map(|socket| socket.local_addr().unwrap().ip().to_string()).collect();
        let expected: &[&str] = if has_ipv6 { &["127.0.0.1", "::1"] } else { &["127.0.0.1"] };
        assert_eq!(ips, expected);
        let ports: Vec<u16> = sockets.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error_and_no_reason_for_the_other_family() {
        let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = held.local_addr().unwrap().port();
        for host in ["localhost", "127.0.0.1"] {
            let error = bind(&format!("{host}:{port}").parse().unwrap()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{host}");
        }
    }

    #[tokio::test]
    async fn an_address_of_another_machine_and_a_name_without_one_are_errors() {
        // TEST-NET-1 is nobody's address.
        assert!(bind(&"192.0.2.1:0".parse().unwrap()).await.is_err());
        assert!(bind(&"absent.invalid:0".parse().unwrap()).await.is_err());
    }
}
