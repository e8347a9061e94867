//! From a uri to a place.

use std::path::{Path, PathBuf};

use reqwest::Url;

use super::error::FetchError;

/// Where an artifact lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A folder here.
    Local(PathBuf),
    /// An object prefix elsewhere.
    Remote(Url),
}

/// Reads `uri`. Of `volumes`, the longest prefix that fits a `file` path is exchanged for its replacement.
pub(crate) fn parse(uri: &str, volumes: &[(PathBuf, PathBuf)]) -> Result<Place, FetchError> {
    let bad = |problem: &str| FetchError::Uri { uri: uri.to_owned(), problem: problem.to_owned() };
    let url: Url = uri
        .parse()
        .map_err(|error| bad(&format!("is no uri ({error}): write it as in s3://bucket/folder")))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("has a query or fragment: name the folder alone"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("has a user or password in it: give credentials through the environment"));
    }
    match url.scheme() {
        "file" => local(&url, volumes)
            .map(Place::Local)
            .ok_or_else(|| bad("is no path here: write it as in file:///folder")),
        "s3" | "gs" | "az" | "https" if !url.has_host() => Err(bad("names no bucket or host")),
        "s3" | "gs" | "az" | "https" => Ok(Place::Remote(url)),
        "http" if is_this_machine(&url) => Ok(Place::Remote(url)),
        "http" => Err(bad("is not encrypted: use https")),
        _ => Err(bad("has a scheme that artifacts do not come by: use file, s3, gs, az or https")),
    }
}

fn is_this_machine(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn local(url: &Url, volumes: &[(PathBuf, PathBuf)]) -> Option<PathBuf> {
    let path = url.to_file_path().ok()?;
    let fits = volumes.iter().filter_map(|(from, to)| Some((from, to, path.strip_prefix(from).ok()?)));
    let longest = fits.max_by_key(|(from, _, _)| from.components().count());
    // Joining an empty rest would put a slash at the end.
    Some(
        longest
            .map(|(_, to, rest)| if rest == Path::new("") { to.clone() } else { to.join(rest) })
            .unwrap_or(path),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_uri_goes_through_the_longest_volume_that_fits() {
        let volumes = [
            (PathBuf::from("/artifacts"), PathBuf::from("/tmp/a")),
            (PathBuf::from("/artifacts/big"), PathBuf::from("/mnt/big")),
        ];
        #[rustfmt::skip]
        let cases = [
            ("no volume fits",            "file:///data/x",           "/data/x"),
            ("a volume",                  "file:///artifacts/ease",   "/tmp/a/ease"),
            ("the volume itself",         "file:///artifacts",        "/tmp/a"),
            ("the longer of two",         "file:///artifacts/big/m",  "/mnt/big/m"),
            ("a name that begins alike",  "file:///artifacts2/m",     "/artifacts2/m"),
            ("what climbs stays outside", "file:///artifacts/../etc", "/etc"),
            ("escapes are read",          "file:///a%20b",            "/a b"),
            ("this host by name",         "file://localhost/a",       "/a"),
        ];
        for (why, uri, path) in cases {
            assert_eq!(parse(uri, &volumes).unwrap(), Place::Local(path.into()), "{why}");
        }
    }

    #[test]
    fn a_bad_uri_says_the_mend() {
        #[rustfmt::skip]
        let cases = [
            ("model",                   "uri `model` is no uri (relative URL without a base): write it as in s3://bucket/folder"),
            ("file://host/a",           "uri `file://host/a` is no path here: write it as in file:///folder"),
            ("ftp://host/a",            "uri `ftp://host/a` has a scheme that artifacts do not come by: use file, s3, gs, az or https"),
            ("http://host/a",           "uri `http://host/a` is not encrypted: use https"),
            ("https://host/a?b=c",      "uri `https://host/a?b=c` has a query or fragment: name the folder alone"),
            ("https://u:p@host/a",      "uri `https://u:p@host/a` has a user or password in it: give credentials through the environment"),
            ("s3:///a",                 "uri `s3:///a` names no bucket or host"),
        ];
        for (uri, message) in cases {
            assert_eq!(parse(uri, &[]).expect_err(uri).to_string(), message);
        }
    }
}
