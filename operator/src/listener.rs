//! The socket of the HTTP server.

use std::io;

use marquee_crds::listen_address::{Host, ListenAddress};
use tokio::net::TcpListener;

/// Linux's number for an address family that the kernel does not have, as with `ipv6.disable=1`.
const NO_SUCH_FAMILY: i32 = 97;

/// Listens on the first address that the machine has: on all addresses of both families, that is IPv4 alone where IPv6 is off.
///
/// # Errors
/// When the name has no address, or the port is in use.
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

/// Whether the machine has no such address or no such family, so that another address may do.
fn lacks_address(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(NO_SUCH_FAMILY)
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

    #[test]
    fn ipv4_stands_in_only_where_ipv6_is_off() {
        let errors = [io::Error::from_raw_os_error(NO_SUCH_FAMILY), io::ErrorKind::AddrNotAvailable.into()];
        assert!(errors.iter().all(lacks_address));
        let others = [io::ErrorKind::AddrInUse, io::ErrorKind::PermissionDenied].map(io::Error::from);
        assert!(!others.iter().any(lacks_address));
    }
}
