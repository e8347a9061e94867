//! Store credentials: Secrets that are mounted into a pod as folders, with one file for each key.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Size limit of one value in bytes: that of a whole Secret. A service account key in JSON has about 2,300, and the certificates
/// of all public authorities have about 220,000.
const LARGEST: u64 = 1024 * 1024;

/// Why credentials cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The folder of Secrets is not configured.
    #[error("the artifact needs Secret {secret}, but no folder of Secrets is configured: set --credentials")]
    NoFolder {
        /// Name of the Secret.
        secret: String,
    },
    /// The Secret's folder or a file in it cannot be read.
    #[error("cannot read Secret {secret} at {}: create it with one key for each setting of the store", path.display())]
    Io {
        /// Name of the Secret.
        secret: String,
        /// Its folder, or a file in it.
        path: PathBuf,
        /// The system error.
        source: io::Error,
    },
    /// A value is not text, or is too long.
    #[error(
        "key {key} of Secret {secret} is not text of at most {LARGEST} bytes: correct its value (certificates are text as PEM)"
    )]
    Value {
        /// Name of the Secret.
        secret: String,
        /// The key.
        key: String,
    },
}

/// Reads the settings in Secret `secret`, sorted by key. Each load reads them again, so that a rotated Secret takes effect.
///
/// # Errors
/// Fails if the Secret's folder cannot be read, or if a value is not text. The error never contains a value.
pub fn read(folder: Option<&Path>, secret: &str) -> Result<Vec<(String, String)>, CredentialsError> {
    let no_folder = || CredentialsError::NoFolder { secret: secret.to_owned() };
    let folder = folder.ok_or_else(no_folder)?.join(secret);
    let refused =
        |path: PathBuf| |source: io::Error| CredentialsError::Io { secret: secret.to_owned(), path, source };
    let mut settings = Vec::new();
    for entry in fs::read_dir(&folder).map_err(refused(folder.clone()))? {
        let path = entry.map_err(refused(folder.clone()))?.path();
        let key = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The kubelet keeps hidden entries beside the keys, to replace all keys atomically.
        if key.starts_with('.') {
            continue;
        }
        let meta = fs::metadata(&path).map_err(refused(path.clone()))?;
        if !meta.is_file() {
            continue;
        }
        let not_text = || CredentialsError::Value { secret: secret.to_owned(), key: key.clone() };
        if meta.len() > LARGEST {
            return Err(not_text());
        }
        let value =
            String::from_utf8(fs::read(&path).map_err(refused(path.clone()))?).map_err(|_| not_text())?;
        // Editors and `echo` append a newline, which is never part of a setting.
        settings.push((key, value.trim_end_matches(['\r', '\n']).to_owned()));
    }
    settings.sort();
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_the_kubelet_mounts_it() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("store/..2026_01_01");
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("AWS_REGION"), "eu-west-1\n").unwrap();
        std::os::unix::fs::symlink("..2026_01_01", dir.path().join("store/..data")).unwrap();
        std::os::unix::fs::symlink("..data/AWS_REGION", dir.path().join("store/AWS_REGION")).unwrap();
        let read = read(Some(dir.path()), "store").unwrap();
        assert_eq!(read, [("AWS_REGION".to_owned(), "eu-west-1".to_owned())]);
    }

    #[test]
    fn an_error_names_what_is_missing_and_contains_no_value() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("store")).unwrap();
        fs::write(dir.path().join("store/AWS_REGION"), [0x73, 0xff]).unwrap();
        #[rustfmt::skip]
        let cases = [
            ("no flag",       None,             "store", "set --credentials"),
            ("no Secret",     Some(dir.path()), "other", "cannot read Secret other at"),
            ("not text",      Some(dir.path()), "store", "key AWS_REGION of Secret store is not text"),
        ];
        for (why, folder, secret, expected) in cases {
            let message = read(folder, secret).unwrap_err().to_string();
            assert!(message.contains(expected), "{why}: {message}");
        }
    }
}
