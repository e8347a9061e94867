//! Artifacts for stories: copies, variants and broken ones.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Outcome, data};

/// Copies an artifact's folder and makes it readable for everyone.
pub fn copy(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

/// SHA-256 of an artifact's `marquee.json`, for use in a manifest.
pub fn digest(artifact: &Path) -> Outcome<String> {
    Ok(hex(&fs::read(artifact.join("marquee.json"))?))
}

/// Trains a variant of the model for `top-picks`.
pub async fn variant(to: &Path) -> Outcome {
    let made = data::trained_home("stories-home").await?.join("home-ials-of-fewer-factors");
    if !made.join("marquee.json").is_file() {
        data::train("implicit-als", &data::ml_100k()?.join("ml-100k.inter"), &made, &["factors=24"]).await?;
    }
    copy(&made, to)
}

/// A model with so many titles that their id table takes about 60 MB in a pod.
pub async fn long_catalogue(to: &Path) -> Outcome {
    const N_TITLES: usize = 500_000;
    let trained = data::trained_home("stories-home").await?;
    let (plays, made) = (trained.join("long-catalogue.inter"), trained.join("long-catalogue"));
    if !made.join("marquee.json").is_file() {
        let mut text = String::from("user_id:token\titem_id:token\trating:float\ttimestamp:float\n");
        for title in 0..N_TITLES {
            writeln!(text, "viewer-{}\ttitle-of-a-long-catalogue-{title}\t5\t{title}", title % 50)?;
        }
        fs::write(&plays, text)?;
        data::train("popularity", &plays, &made, &[]).await?;
    }
    copy(&made, to)
}

/// A copy of an artifact with one weight of `tensor` set to NaN. Sizes and checksums are right.
pub fn poison(from: &Path, to: &Path, tensor: &str) -> Outcome {
    copy(from, to)?;
    let weights = to.join("weights.safetensors");
    let mut bytes = fs::read(&weights)?;
    let header_len = usize::try_from(u64::from_le_bytes(bytes[..8].try_into()?))?;
    let header: Value = serde_json::from_slice(&bytes[8..8 + header_len])?;
    let start = header[tensor]["data_offsets"][0].as_u64().ok_or_else(|| format!("no tensor {tensor}"))?;
    let at = 8 + header_len + usize::try_from(start)?;
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&weights, &bytes)?;
    let manifest = to.join("marquee.json");
    let mut described: Value = serde_json::from_slice(&fs::read(&manifest)?)?;
    for file in described["files"].as_array_mut().ok_or("a manifest without files")? {
        if file["path"] == "weights.safetensors" {
            file["sha256"] = hex(&bytes).into();
        }
    }
    Ok(fs::write(&manifest, serde_json::to_vec_pretty(&described)?)?)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
