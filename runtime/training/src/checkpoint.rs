//! The state of a fit on disk: written whole or not at all, and read back only by the fit that wrote it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use marquee_algorithms::State;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::TrainingError;

/// First bytes of a checkpoint; the digit is the format.
const MAGIC: &[u8] = b"marquee checkpoint 1\n";
/// Longest header: names of tensors and one line of parameters.
const LONGEST_HEADER: u64 = 1 << 20;

/// What a checkpoint belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// Algorithm, hyperparameters, seed, protocol and part, in one line.
    pub config: String,
    /// Digest of the data, see [`crate::data::Facts::digest`].
    pub data: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Header {
    identity: Identity,
    algorithm: String,
    iteration: u32,
    fingerprint: String,
    /// Names and lengths, in the order of the numbers that follow.
    tensors: Vec<(String, u64)>,
}

/// A place for the state of one fit.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    path: PathBuf,
    identity: Identity,
}

impl Checkpoint {
    /// A checkpoint called `name` in `folder`, which is made if need be.
    pub fn new(folder: &Path, name: &str, identity: Identity) -> Result<Self, TrainingError> {
        let path = folder.join(format!("{name}.checkpoint"));
        fs::create_dir_all(folder).map_err(|source| TrainingError::Output {
            what: "checkpoint folder",
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self { path, identity })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves `state`, replacing an older one at the end.
    pub fn save(&self, state: &State) -> Result<(), TrainingError> {
        self.write(state).map_err(|source| TrainingError::Output {
            what: "checkpoint",
            path: self.path.clone(),
            source,
        })
    }

    fn write(&self, state: &State) -> io::Result<()> {
        let header = Header {
            identity: self.identity.clone(),
            algorithm: state.algorithm.clone(),
            iteration: state.iteration,
            fingerprint: state.fingerprint.clone(),
            tensors: state.tensors.iter().map(|(name, values)| (name.clone(), values.len() as u64)).collect(),
        };
        let header = serde_json::to_vec(&header)?;
        let beside = self.path.with_extension("checkpoint.part");
        let mut out = Hashing { inner: io::BufWriter::new(File::create(&beside)?), hasher: Sha256::new() };
        out.write_all(MAGIC)?;
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        for values in state.tensors.values() {
            out.write_all(bytemuck::cast_slice(values))?;
        }
        let sum = out.hasher.finalize();
        let mut inner = out.inner;
        inner.write_all(&sum)?;
        inner.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&beside, &self.path)?;
        // The rename itself must outlast a power cut too.
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }

    /// The state that was saved, `None` where none was. A checkpoint of another fit, or a damaged one, is refused.
    pub fn load(&self) -> Result<Option<State>, TrainingError> {
        let refuse = |problem: String| Err(TrainingError::Checkpoint { path: self.path.clone(), problem });
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return refuse(format!("cannot be read ({error})")),
        };
        match read(file) {
            Ok((header, state)) => match self.difference(&header.identity) {
                None => Ok(Some(state)),
                Some(problem) => refuse(problem),
            },
            Err(error) => refuse(format!("is damaged ({error})")),
        }
    }

    fn difference(&self, found: &Identity) -> Option<String> {
        if found.config != self.identity.config {
            return Some(format!(
                "was written under another config ({} there, {} here)",
                found.config, self.identity.config
            ));
        }
        (found.data != self.identity.data).then(|| "was written from other data".to_owned())
    }

    /// Removes it: the fit is done and its outcome published.
    pub fn remove(&self) -> Result<(), TrainingError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(TrainingError::Output { what: "checkpoint", path: self.path.clone(), source: error })
            }
            _ => Ok(()),
        }
    }
}

fn read(file: File) -> io::Result<(Header, State)> {
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let size = file.metadata()?.len();
    let mut input = Hashing { inner: io::BufReader::new(file), hasher: Sha256::new() };
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(damaged("it does not begin as a checkpoint of this format does"));
    }
    let mut length = [0; 8];
    input.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(damaged("its header is too long"));
    }
    let mut header = vec![0; usize::try_from(length).unwrap_or(0)];
    input.read_exact(&mut header)?;
    let header: Header = serde_json::from_slice(&header)?;
    let mut numbers = Some(0_u64);
    for (_, n) in &header.tensors {
        numbers = numbers.and_then(|sum| sum.checked_add(*n)).filter(|sum| *sum <= size / 4);
    }
    // The sizes are compared with the file before memory is taken for them.
    let expected = numbers.map(|n| MAGIC.len() as u64 + 8 + length + n * 4 + 32);
    if expected != Some(size) {
        return Err(damaged("its size is not what its header says"));
    }
    let mut tensors = std::collections::BTreeMap::new();
    for (name, n) in &header.tensors {
        let mut values = vec![0.0_f32; usize::try_from(*n).unwrap_or(0)];
        input.read_exact(bytemuck::cast_slice_mut(&mut values))?;
        tensors.insert(name.clone(), values);
    }
    let found = input.hasher.finalize();
    let mut sum = [0; 32];
    input.inner.read_exact(&mut sum)?;
    if sum[..] != found[..] {
        return Err(damaged("its checksum is wrong"));
    }
    let Header { algorithm, iteration, fingerprint, .. } = &header;
    let state = State {
        algorithm: algorithm.clone(),
        iteration: *iteration,
        fingerprint: fingerprint.clone(),
        tensors,
    };
    Ok((header, state))
}

/// Hashes what goes through it.
struct Hashing<T> {
    inner: T,
    hasher: Sha256,
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
