//! Certificates, tokens and kubeconfigs. openssl creates them for each cluster, and they are valid for some days.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::Outcome;

const OPENSSL_CONFIG: &str = "[req]\ndistinguished_name = subject\n[subject]\n";
/// Users with a token from the start: name, user, groups.
const USERS: [(&str, &str, &str); 5] = [
    ("admin", "admin", "system:masters"),
    ("node", "system:node:node-1", "system:nodes"),
    ("controller-manager", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("proxy", "system:kube-proxy", ""),
];

/// The keys of one cluster.
#[derive(Debug)]
pub struct Keys {
    folder: PathBuf,
    server: String,
}

impl Keys {
    /// Creates all keys in `folder`. `server` is the URL of the API server, `addresses` are the addresses that its certificate must name.
    pub fn new(folder: PathBuf, server: String, addresses: &[&str]) -> Outcome<Self> {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("openssl.cnf"), OPENSSL_CONFIG)?;
        let keys = Self { folder, server };
        for authority in ["ca", "front-ca"] {
            keys.certificate(
                authority,
                &format!("/CN={authority}"),
                &["basicConstraints=critical,CA:TRUE"],
                None,
            )?;
        }
        let names: Vec<_> = addresses.iter().map(|address| format!("IP:{address}")).collect();
        let names = format!("subjectAltName={},DNS:localhost,DNS:kubernetes.default.svc", names.join(","));
        keys.certificate("api", "/CN=kube-apiserver", &[&names], Some("ca"))?;
        keys.certificate("kubelet-client", "/O=system:masters/CN=apiserver-kubelet-client", &[], Some("ca"))?;
        keys.certificate("front", "/CN=front-proxy-client", &[], Some("front-ca"))?;
        keys.openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "sa.key",
        ])?;
        keys.openssl(&["pkey", "-in", "sa.key", "-pubout", "-out", "sa.pub"])?;
        let mut tokens = String::new();
        for (name, user, groups) in USERS {
            let token = random_token()?;
            tokens += &format!("{token},{user},{name},\"{groups}\"\n");
            keys.kubeconfig(name, &json!({ "token": token }))?;
        }
        fs::write(keys.path("tokens.csv"), tokens)?;
        Ok(keys)
    }

    /// Path of a file in the folder of keys.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Kubeconfig of a user with a token: `admin`, or a component.
    pub fn known(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.kubeconfig"))
    }

    /// Creates a user with a client certificate and returns the kubeconfig.
    pub fn user(&self, name: &str, groups: &[&str]) -> Outcome<PathBuf> {
        let groups: String = groups.iter().map(|group| format!("/O={group}")).collect();
        let file = format!("user-{}", name.replace([':', '/'], "-"));
        // An extension makes it a certificate of version 3. rustls refuses older versions.
        self.certificate(
            &file,
            &format!("{groups}/CN={name}"),
            &["extendedKeyUsage=clientAuth"],
            Some("ca"),
        )?;
        let (certificate, key) = (self.path(&format!("{file}.crt")), self.path(&format!("{file}.key")));
        self.kubeconfig(&file, &json!({ "client-certificate": certificate, "client-key": key }))
    }

    /// Kubeconfig for a token, such as that of a service account.
    pub fn bearer(&self, file: &str, token: &str) -> Outcome<PathBuf> {
        self.kubeconfig(file, &json!({ "token": token }))
    }

    fn kubeconfig(&self, name: &str, user: &Value) -> Outcome<PathBuf> {
        let cluster = json!({ "server": self.server, "certificate-authority": self.path("ca.crt") });
        let config = kubeconfig(&cluster, name, user);
        let file = self.known(name);
        fs::write(&file, serde_json::to_vec_pretty(&config)?)?;
        Ok(file)
    }

    fn certificate(&self, name: &str, subject: &str, extensions: &[&str], signer: Option<&str>) -> Outcome {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let mut args =
            vec!["req", "-x509", "-config", "openssl.cnf", "-nodes", "-days", "30", "-subj", subject];
        args.extend([
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
        for extension in extensions {
            args.extend(["-addext", extension]);
        }
        let signed = signer.map(|signer| (format!("{signer}.crt"), format!("{signer}.key")));
        if let Some((certificate, key)) = &signed {
            args.extend(["-CA", certificate, "-CAkey", key]);
        }
        self.openssl(&args)
    }

    fn openssl(&self, args: &[&str]) -> Outcome {
        let done =
            Command::new("openssl").args(args).current_dir(&self.folder).stdin(Stdio::null()).output()?;
        if done.status.success() {
            Ok(())
        } else {
            Err(format!("openssl {}: {}", args.join(" "), String::from_utf8_lossy(&done.stderr)).into())
        }
    }
}

/// A kubeconfig with one cluster and one user.
pub fn kubeconfig(cluster: &Value, name: &str, user: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "marquee", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "marquee", "context": {"cluster": "marquee", "user": name}}],
        "current-context": "marquee",
    })
}

/// A random token, valid only in this cluster.
fn random_token() -> Outcome<String> {
    Ok(fs::read_to_string(Path::new("/proc/sys/kernel/random/uuid"))?.trim().replace('-', ""))
}
