//! TLS on both listeners.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::world::{PATIENCE, World, parse};

/// A self-signed certificate for `localhost`.
fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(dir.join("key.pem"))
        .arg("-out")
        .arg(dir.join("cert.pem"))
        .output()
        .expect("openssl is installed: run `make setup`");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// `GET /livez` by a client that trusts the certificate in `dir`.
fn live(dir: &Path, address: SocketAddr) -> std::io::Result<u16> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.join("cert.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let session =
        ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let mut stream = StreamOwned::new(session, tcp);
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    Ok(parse(&bytes).unwrap().status)
}

#[tokio::test]
async fn both_listeners_use_tls_and_reload_the_files() {
    let dir = tempfile::tempdir().unwrap();
    certificate(dir.path());
    let path = |name: &str| dir.path().join(name).display().to_string();
    let world = World::start(&["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")]);
    world.until("live", || live(dir.path(), world.http).is_ok_and(|status| status == 200));

    let authority = Certificate::from_pem(fs::read(path("cert.pem")).unwrap());
    let tls = ClientTlsConfig::new().ca_certificate(authority).domain_name("localhost");
    let endpoint = Channel::from_shared(format!("https://{}", world.grpc)).unwrap().tls_config(tls).unwrap();
    let mut health = HealthClient::new(endpoint.connect().await.unwrap());
    health.check(HealthCheckRequest::default()).await.unwrap();

    let plain = world.raw_bytes(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(!plain.starts_with(b"HTTP/1.1 200"), "plain HTTP gets no answer");

    certificate(dir.path());
    world.until("following the new certificate", || {
        live(dir.path(), world.http).is_ok_and(|status| status == 200)
    });
}

#[test]
fn files_that_do_not_match_are_named() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    certificate(one.path());
    certificate(other.path());
    let load = |cert: &Path, key: &Path| {
        marquee_runtime::transport::tls::Tls::load(cert, key).expect_err("it is refused").to_string()
    };
    let (cert, key) = (one.path().join("cert.pem"), other.path().join("key.pem"));
    let message = load(&cert, &key);
    assert_eq!(
        message,
        format!("the key in {} does not match the certificate in {}", key.display(), cert.display())
    );
    let absent = one.path().join("absent.pem");
    let message = load(&absent, &key);
    assert_eq!(message, format!("cannot read {}: expected a certificate chain in PEM", absent.display()));
    let empty = one.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    assert!(load(&empty, &key).contains("contains no certificate"));
}
