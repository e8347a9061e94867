//! Where an artifact lies.

use serde_json::{Value, json};

use super::{Row, SHA, messages::*, row};

#[rustfmt::skip]
pub fn rows(at: &str) -> Vec<Row> {
    let uri = |uri: &str| json!({"uri": uri, "sha256": SHA});
    let digest = |sha256: &str| json!({"uri": "file:///a/e", "sha256": sha256});
    let secret = |name: &str| json!({"uri": "s3://models/ease", "sha256": SHA, "credentials": {"secretName": name}});
    let volume = |uri: &str, path: &str| json!({"uri": uri, "volume": {"claimName": "models", "mountPath": path}});
    let claim = |name: &str| json!({"uri": "file:///models/e", "volume": {"claimName": name, "mountPath": "/models"}});
    let row = |why, value: Value, refused| row(why, at, value, refused);
    vec![
        row("a bucket, pinned",               uri("s3://models/ease/17"),           None),
        row("a bucket by itself",             uri("gs://models"),                   None),
        row("a scheme nobody fetches",        uri("ftp://models/ease"),             Some(NO_SCHEME)),
        row("plain http",                     uri("http://models/ease"),            Some(NO_SCHEME)),
        row("a relative path",                uri("file://artifacts/ease"),         Some(NOT_ABSOLUTE)),
        row("no bucket",                      uri("s3:///ease"),                    Some(NO_BUCKET)),
        row("a password",                     uri("https://me:secret@host/ease"),   Some(PASSWORD)),
        row("an at sign in the path",         uri("https://host/ease@17"),          None),
        row("a query",                        uri("https://host/ease?sig=1"),       Some(QUERY)),
        row("a space in the path",            uri("file:///my models/ease"),        Some(QUERY)),
        row("climbs out",                     uri("file:///artifacts/../etc"),      Some(DOTS)),
        row("ends with the folder itself",    uri("file:///artifacts/."),           Some(DOTS)),
        row("dots within a name",             uri("file:///artifacts/..ease/v1.2"), None),
        row("a bucket, unpinned",             json!({"uri": "s3://models/ease"}),   Some(UNPINNED)),
        row("a file, unpinned",               json!({"uri": "file:///a/ease"}),     None),
        row("a digest in capitals",           digest(&SHA.to_uppercase()),          Some(NO_DIGEST)),
        row("half a digest",                  digest(&SHA[..32]),                   Some(NO_DIGEST)),
        row("a bucket with its Secret",       secret("models.s3"),                  None),
        row("a Secret by no name",            secret("Models"),                     Some(NO_SECRET)),
        row("a Secret for a file",            json!({"uri": "file:///a/e", "credentials": {"secretName": "s"}}), Some(NO_NEED)),
        row("a folder of the volume",         volume("file:///models/ease", "/models"),       None),
        row("a folder below another",         volume("file:///srv/models/ease", "/srv/models"), None),
        row("a folder beside the volume",     volume("file:///artifacts/ease", "/models"),    Some(ELSEWHERE)),
        row("a folder that begins alike",     volume("file:///models2/ease", "/models"),      Some(ELSEWHERE)),
        row("the volume's root",              volume("file:///models", "/models"),            Some(ELSEWHERE)),
        row("a claim by no name",             claim("my_claim"),                              Some(NO_CLAIM)),
        row("a claim with a dot",             claim("models.v2"),                             None),
        row("a hidden mount",                 volume("file:///.models/ease", "/.models"),     Some(NO_FOLDER)),
        row("a mount with a slash at its end", volume("file:///models//ease", "/models/"),    Some(NO_FOLDER)),
        row("a mount with a plus",            volume("file:///a+b/ease", "/a+b"),             Some(NO_FOLDER)),
        row("a mount over the certificates",  volume("file:///etc/ssl/ease", "/etc/ssl"),     Some(HIDES)),
        row("a mount over the cache",         volume("file:///var/cache/e", "/var"),          Some(HIDES)),
        row("a mount that begins like one",   volume("file:///variants/ease", "/variants"),   None),
    ]
}
