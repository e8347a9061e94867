//! A small sound artifact, and ways to spoil it: for tests.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::architecture::Architecture;
use crate::digest::Digest;
use crate::layout::{Declaration, Layout, Size, WATCH_HISTORY};
use crate::manifest::{Golden, GoldenCase, Lineage, MANIFEST_FILE, Role};
use crate::write::{TensorData, Writer};

/// An artifact in a folder of its own: biased MF with 2 viewers, 3 titles and 2 factors.
pub(crate) struct Sample {
    pub(crate) root: tempfile::TempDir,
    pub(crate) dir: PathBuf,
    pub(crate) digest: Digest,
}

/// Tensors of the sample.
const BIASED_MF: &[Declaration] = &[
    Declaration::f32("global.mean", &[Size::Exactly(1)]),
    Declaration::f32("viewer.bias", &[Size::Viewers]),
    Declaration::f32("title.bias", &[Size::Titles]),
    Declaration::f32("viewer.factors", &[Size::Viewers, Size::Factors]),
    Declaration::f32("title.factors", &[Size::Titles, Size::Factors]),
];

/// What the sample and its spoilt copies are checked against.
pub(crate) const KNOWN: [Layout; 2] = [
    Layout { architecture: "biased-mf", tensors: &[WATCH_HISTORY, BIASED_MF] },
    Layout {
        architecture: "svd-plus-plus",
        tensors: &[
            WATCH_HISTORY,
            BIASED_MF,
            &[Declaration::f32("title.implicit", &[Size::Titles, Size::Factors])],
        ],
    },
];

pub(crate) const WEIGHTS: &str = "weights.safetensors";

impl Sample {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("model");
        let digest = write(&dir, 0.5);
        Self { root, dir, digest }
    }

    /// Changes the bytes of a file and nothing else.
    pub(crate) fn edit(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let full = self.dir.join(path);
        let mut bytes = std::fs::read(&full).unwrap();
        change(&mut bytes);
        std::fs::remove_file(&full).unwrap();
        std::fs::write(full, bytes).unwrap();
    }

    /// Changes the manifest as JSON.
    pub(crate) fn edit_manifest(&self, change: impl FnOnce(&mut Value)) {
        self.edit(MANIFEST_FILE, |bytes| {
            let mut manifest = serde_json::from_slice(bytes).unwrap();
            change(&mut manifest);
            *bytes = serde_json::to_vec_pretty(&manifest).unwrap();
        });
    }

    /// Changes a file, and its size and SHA-256 in the manifest with it: damage that no checksum shows.
    pub(crate) fn edit_declared(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        self.edit(path, change);
        let bytes = std::fs::read(self.dir.join(path)).unwrap();
        self.edit_entry(path, |entry| {
            entry["size"] = json!(bytes.len());
            entry["sha256"] = json!(Digest::of(&bytes).to_string());
        });
    }

    /// Changes what the manifest says of one file.
    pub(crate) fn edit_entry(&self, path: &str, change: impl FnOnce(&mut Value)) {
        self.edit_manifest(|manifest| {
            let files = manifest["files"].as_array_mut().unwrap();
            change(files.iter_mut().find(|file| file["path"] == path).unwrap());
        });
    }

    /// Changes the header of the weights; the data stays.
    pub(crate) fn edit_header(&self, change: impl FnOnce(&mut Value)) {
        self.edit_declared(WEIGHTS, |bytes| {
            let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
            let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            change(&mut header);
            let mut json = header.to_string().into_bytes();
            json.resize(json.len().next_multiple_of(8), b' ');
            let data = bytes.split_off(8 + length);
            *bytes = [&(json.len() as u64).to_le_bytes()[..], &json, &data].concat();
        });
    }

    /// Overwrites element `at` of a tensor of 4-byte elements.
    pub(crate) fn poke(&self, tensor: &str, at: usize, value: [u8; 4]) {
        self.edit_declared(WEIGHTS, |bytes| {
            let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
            let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            let start = 8 + length + header[tensor]["data_offsets"][0].as_u64().unwrap() as usize + 4 * at;
            bytes[start..start + 4].copy_from_slice(&value);
        });
    }
}

/// Writes the sample; `mean` makes one differ from another.
pub(crate) fn write(dir: &Path, mean: f32) -> Digest {
    let means = [mean];
    let mut writer = Writer::create(dir).unwrap();
    let tensors = [
        TensorData::f32("title.plays", &[3], &[2.0, 1.0, 1.0]),
        TensorData::u32("history.offsets", &[3], &[0, 2, 4]),
        TensorData::u32("history.titles", &[4], &[0, 2, 0, 1]),
        TensorData::f32("global.mean", &[1], &means),
        TensorData::f32("viewer.bias", &[2], &[0.1, -0.1]),
        TensorData::f32("title.bias", &[3], &[0.3, 0.2, 0.1]),
        TensorData::f32("viewer.factors", &[2, 2], &[1.0, 0.0, 0.0, 1.0]),
        TensorData::f32("title.factors", &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    ];
    writer.tensors(WEIGHTS, &tensors).unwrap();
    writer.ids(Role::Viewers, ["ann", "bob"]).unwrap();
    writer.ids(Role::Titles, ["10", "20", "30"]).unwrap();
    let case = GoldenCase { viewer: Some(0), recent: vec![], titles: vec![0], scores: vec![mean + 1.4] };
    let golden = Golden { tolerance: 1e-4, cases: vec![case] };
    writer
        .finish(Architecture::named("biased-mf"), Default::default(), Lineage::default(), Some(golden))
        .unwrap()
}

/// Writes an EASE artifact of one viewer and `n_titles` titles; all weights are `weight`.
#[cfg(feature = "fetch")]
pub(crate) fn large(dir: &Path, n_titles: usize, weight: f32) -> Digest {
    let weights = vec![weight; n_titles * n_titles];
    let plays = vec![1f32; n_titles];
    let mut writer = Writer::create(dir).unwrap();
    let tensors = [
        TensorData::f32("weights", &[n_titles, n_titles], &weights),
        TensorData::f32("title.plays", &[n_titles], &plays),
        TensorData::u32("history.offsets", &[2], &[0, 0]),
        TensorData::u32("history.titles", &[0], &[]),
    ];
    writer.tensors(WEIGHTS, &tensors).unwrap();
    writer.ids(Role::Viewers, ["ann"]).unwrap();
    writer.ids(Role::Titles, (0..n_titles).map(|row| row.to_string())).unwrap();
    writer.finish(Architecture::named("ease"), Default::default(), Lineage::default(), None).unwrap()
}
