//! The socket of the HTTP server.

use std::io;

use marquee_crds::listen_address::{Host, ListenAddress, lacks_address};
use tokio::net::TcpListener;

/// Listens on the first socket address that the machine has. For all addresses of both families, this is only IPv4 if IPv6 is off.
///
/// # Errors
/// The name has no address, or the port is in use.
pub async fn listen(address: &ListenAddress) -> io::Result<TcpListener> {
    if let Host::Name(name) = &address.host {
        return TcpListener::bind((&**name, address.port)).await;
    }
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for socket in address.socket_addresses().unwrap_or_default() {
        match TcpListener::bind(socket).await {
            Err(error) if lacks_address(&error) => last = error,
            bound => return bound,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_loopback_address_is_opened_and_a_port_in_use_is_an_error() {
        let first = listen(&"localhost:0".parse().unwrap()).await.unwrap();
        let taken = first.local_addr().unwrap();
        assert_eq!(taken.ip().to_string(), "127.0.0.1");
        let error = listen(&taken.to_string().parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(listen(&"absent.invalid:0".parse().unwrap()).await.is_err());
    }
}
