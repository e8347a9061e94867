//! Certificates of authorities that sign for stores.

use object_store::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Reads every certificate of `pem`. The problem names none of the text, which may be a private key by mistake.
pub(crate) fn authorities(pem: &str) -> Result<Vec<Certificate>, String> {
    if pem.contains("PRIVATE KEY-----") {
        return Err("contains a private key: put the certificates of the authority there, and nothing else"
            .to_owned());
    }
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let refused = |problem: String| {
            format!("is no PEM of certificates ({problem}): correct number {}", found.len() + 1)
        };
        let certificate = certificate.map_err(|error| refused(error.to_string()))?;
        // Otherwise the client refuses it later, and does not say which it is.
        RootCertStore::empty().add(certificate.clone()).map_err(|error| refused(error.to_string()))?;
        found.push(Certificate::from_der(&certificate).map_err(|error| refused(error.to_string()))?);
    }
    if found.is_empty() {
        return Err(
            "contains no certificate: give those of the authority as PEM (-----BEGIN CERTIFICATE-----)"
                .to_owned(),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_or_refused_in_words() {
        let authority = |name: &str| {
            let key = rcgen::KeyPair::generate().unwrap();
            rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap().pem()
        };
        let (one, two) = (authority("one"), authority("two"));
        assert_eq!(authorities(&one).unwrap().len(), 1);
        assert_eq!(authorities(&format!("# a bundle\n{one}\n{two}")).unwrap().len(), 2);
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        #[rustfmt::skip]
        let cases = [
            ("nothing",         String::new(),                                                   "contains no certificate"),
            ("a path",          "/etc/ssl/ca.pem".to_owned(),                                    "contains no certificate"),
            ("a private key",   rcgen::KeyPair::generate().unwrap().serialize_pem(),             "contains a private key"),
            ("no certificate",  broken.to_owned(),                                               "correct number 1"),
            ("one of two",      format!("{one}{broken}"),                                        "correct number 2"),
            ("cut off",         one[..one.len() - 30].to_owned(),                                "correct number 1"),
        ];
        for (why, pem, expected) in cases {
            let problem = authorities(&pem).expect_err(why);
            assert!(problem.contains(expected), "{why}: {problem}");
        }
    }
}
