//! Credentials of stores: Secrets mounted into a pod as folders, one file for each key.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Bytes of one value; a service account's key in JSON has about 2,300.
const LARGEST: u64 = 64 * 1024;

/// Why credentials cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// No folder of Secrets is configured.
    #[error("the artifact asks for Secret {secret}, and no folder of Secrets is known: give --credentials")]
    NoFolder {
        /// Name of the Secret.
        secret: String,
    },
    /// The Secret's folder or a file of it cannot be read.
    #[error("Secret {secret} cannot be read at {}: create it, with a key for each setting of the store", path.display())]
    Io {
        /// Name of the Secret.
        secret: String,
        /// Its folder, or a file of it.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// A value is no text, or is too long to be one.
    #[error("key {key} of Secret {secret} is no text of at most {LARGEST} bytes: write it anew")]
    Value {
        /// Name of the Secret.
        secret: String,
        /// The key.
        key: String,
    },
}

/// The settings that Secret `secret` holds, by key. Read anew at each load, so that a rotated Secret counts.
///
/// # Errors
/// When the Secret's folder cannot be read, or a value is not text. The error never contains a value.
pub fn read(folder: Option<&Path>, secret: &str) -> Result<Vec<(String, String)>, CredentialsError> {
    let no_folder = || CredentialsError::NoFolder { secret: secret.to_owned() };
    let folder = folder.ok_or_else(no_folder)?.join(secret);
    let refused =
        |path: PathBuf| |source: io::Error| CredentialsError::Io { secret: secret.to_owned(), path, source };
    let mut settings = Vec::new();
    for entry in fs::read_dir(&folder).map_err(refused(folder.clone()))? {
        let path = entry.map_err(refused(folder.clone()))?.path();
        let key = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What the kubelet keeps beside the keys, to change all of them at once.
        if key.starts_with('.') {
            continue;
        }
        let meta = fs::metadata(&path).map_err(refused(path.clone()))?;
        if !meta.is_file() {
            continue;
        }
        let no_text = || CredentialsError::Value { secret: secret.to_owned(), key: key.clone() };
        if meta.len() > LARGEST {
            return Err(no_text());
        }
        let value =
            String::from_utf8(fs::read(&path).map_err(refused(path.clone()))?).map_err(|_| no_text())?;
        // Editors and `echo` end a file with a newline, and no setting does.
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
    fn what_is_missing_is_named_and_no_value_is_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("store")).unwrap();
        fs::write(dir.path().join("store/AWS_REGION"), [0x73, 0xff]).unwrap();
        #[rustfmt::skip]
        let cases = [
            ("no flag",       None,             "store", "give --credentials"),
            ("no Secret",     Some(dir.path()), "other", "Secret other cannot be read at"),
            ("no text",       Some(dir.path()), "store", "key AWS_REGION of Secret store is no text"),
        ];
        for (why, folder, secret, expected) in cases {
            let told = read(folder, secret).unwrap_err().to_string();
            assert!(told.contains(expected), "{why}: {told}");
        }
    }
}
