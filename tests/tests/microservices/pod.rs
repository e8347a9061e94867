//! A process in a pod reports why it cannot serve, and ends.

use marquee_crds::{conditions::Reason, termination::Termination};

use super::*;

/// Runs `serve` with this configuration until it ends, and returns its termination message.
async fn termination_message(config: &Value, more: &[&str]) -> Outcome<Termination> {
    let folder = tempfile::tempdir()?;
    let (file, log) = (folder.path().join("config.json"), folder.path().join("termination-log"));
    fs::write(&file, serde_json::to_vec(config)?)?;
    let (file, log) = (file.display().to_string(), log.display().to_string());
    let args = [
        "serve",
        "--config",
        &file,
        "--termination-log",
        &log,
        "--http",
        "127.0.0.1:0",
        "--grpc",
        "127.0.0.1:0",
    ];
    let cache = folder.path().join("cache").display().to_string();
    let ended = marquee_tests::runtime::run([&args[..], &["--cache", &cache], more].concat()).await;
    assert!(ended.is_err(), "it ends with an error");
    Termination::parse(&fs::read_to_string(log)?).ok_or_else(|| "no termination message".into())
}

fn config_of(uri: &str, rest: &Value) -> Outcome<Value> {
    let mut config = serde_json::to_value(pod_config::ranker_pod(&model("top-picks")?))?;
    let artifact = config["rankers"][0]["artifact"].as_object_mut().ok_or("no artifact")?;
    artifact.clear();
    artifact.insert("uri".into(), uri.into());
    artifact.extend(rest.as_object().cloned().unwrap_or_default());
    Ok(config)
}

#[tokio::test]
async fn a_pod_that_cannot_serve_says_why() -> Outcome {
    let home = artifacts().await?.join("home-ease");
    let broken = tempfile::tempdir()?;
    for entry in fs::read_dir(&home)? {
        let entry = entry?;
        fs::copy(entry.path(), broken.path().join(entry.file_name()))?;
    }
    let weights = fs::read_dir(broken.path())?.flatten().map(|entry| entry.path());
    let weights = weights.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    for path in weights {
        let mut bytes = fs::read(&path)?;
        *bytes.last_mut().ok_or("empty")? ^= 1;
        fs::write(path, bytes)?;
    }
    let at = |path: &Path| format!("file://{}", path.display());
    let digest = json!({"sha256": "0".repeat(63) + "a"});
    let secret = json!({"sha256": "0".repeat(63) + "a", "credentials": {"secretName": "store"}});
    // No server listens on the discard port of this machine.
    let gone = "http://127.0.0.1:9/artifact";
    #[rustfmt::skip]
    let cases = [
        ("nothing there",        config_of(&at(Path::new("/nowhere/home")), &json!({}))?, Reason::ArtifactNotFound, "/nowhere/home"),
        ("another artifact",     config_of(&at(&home), &digest)?,                         Reason::ChecksumMismatch, "RankingModel default/"),
        ("a flipped bit",        config_of(&at(broken.path()), &json!({}))?,              Reason::ChecksumMismatch, ".safetensors"),
        ("a store that is down", config_of(gone, &digest)?,                               Reason::StoreUnreachable, "127.0.0.1:9"),
        ("no Secret",            config_of("s3://b/m", &secret)?,                         Reason::ConfigInvalid,    "--credentials"),
        ("no configuration",     json!({"rankers": []}),                                  Reason::ConfigInvalid,    "config.json"),
    ];
    for (why, config, reason, message) in cases {
        let ended = termination_message(&config, &[]).await?;
        assert_eq!(ended.reason, reason, "{why}: {ended:?}");
        assert!(ended.message.contains(message), "{why}: {ended:?}");
    }
    let ended = termination_message(&config_of("s3://b/m", &secret)?, &["--credentials", "/nowhere"]).await?;
    assert_eq!(ended.reason, Reason::SecretNotFound, "{ended:?}");
    let secrets = tempfile::tempdir()?;
    let store = secrets.path().join("store");
    fs::create_dir(&store)?;
    let folder = secrets.path().display().to_string();
    #[rustfmt::skip]
    let keys = [
        ("a file for certificates",  "AWS_CA_BUNDLE", "/etc/ca.pem",                 "put the certificates themselves under the key ca.crt"),
        ("certificates of clients",  "tls.key",       "-----BEGIN PRIVATE KEY-----", "tls.key stands among the artifact's credentials"),
        ("plain http",               "AWS_ENDPOINT",  "http://127.0.0.1:9",          "set AWS_ALLOW_HTTP=true"),
    ];
    for (why, key, value, message) in keys {
        fs::write(store.join(key), value)?;
        let ended =
            termination_message(&config_of("s3://b/m", &secret)?, &["--credentials", &folder]).await?;
        assert_eq!(ended.reason, Reason::StoreMisconfigured, "{why}: {ended:?}");
        assert!(ended.message.contains(message), "{why}: {ended:?}");
        fs::remove_file(store.join(key))?;
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let http = taken.local_addr()?.to_string();
    let whole = config_of(&at(&home), &json!({}))?;
    let folder = tempfile::tempdir()?;
    let (file, log) = (folder.path().join("config.json"), folder.path().join("log"));
    fs::write(&file, serde_json::to_vec(&whole)?)?;
    let (file, at_log) = (file.display().to_string(), log.display().to_string());
    let args =
        ["serve", "--config", &file, "--termination-log", &at_log, "--http", &http, "--grpc", "127.0.0.1:0"];
    assert!(marquee_tests::runtime::run(args).await.is_err());
    let ended = Termination::parse(&fs::read_to_string(log)?).ok_or("no termination message")?;
    assert_eq!(ended.reason, Reason::ConfigInvalid, "a port that is taken: {ended:?}");
    Ok(())
}

#[tokio::test]
async fn exactly_one_of_manifests_and_config_is_required() -> Outcome {
    for args in [&["serve"][..], &["serve", "--config", "c.json", "--manifests", "m"]] {
        let refused = marquee_tests::runtime::run(args).await.err().ok_or("accepted")?.to_string();
        assert!(refused.contains("--manifests") && refused.contains("--config"), "{refused}");
    }
    Ok(())
}
