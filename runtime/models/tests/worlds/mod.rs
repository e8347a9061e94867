//! Small weights of every architecture, for tests: made from a seed, alike on every machine.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test stops where its own data is wrong")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use marquee_artifacts::layout::{Declaration, Sizes};
use marquee_artifacts::{Dtype, RawTensor};
use marquee_models::weights::Weights;
use marquee_models::{
    Descriptor, Model, ScanOptions, TitleRow, ViewerContext, ViewerEvent, ViewerRow, registry,
};
use serde_json::{Map, Value, json};

pub use marquee_models::registry::ARCHITECTURES;

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub viewers: usize,
    pub titles: usize,
    pub d: usize,
}

pub const SMALL: Size = Size { viewers: 7, titles: 23, d: 5 };

/// Tensors and hyperparameters of one model.
#[derive(Clone)]
pub struct World {
    pub architecture: &'static Descriptor,
    pub tensors: BTreeMap<String, RawTensor>,
    pub hyperparameters: Map<String, Value>,
}

/// A number in -1..1 that depends on nothing but its arguments.
pub fn number(seed: u64, at: usize) -> f32 {
    let mut z = (seed << 32).wrapping_add(at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((z >> 40) as f32 / (1_u64 << 23) as f32) - 1.0
}

pub fn f32s(shape: &[usize], values: impl Iterator<Item = f32>) -> RawTensor {
    let bytes: Vec<u8> = values.take(shape.iter().product()).flat_map(f32::to_le_bytes).collect();
    RawTensor { dtype: Dtype::F32, shape: shape.to_vec(), data: aligned(&bytes) }
}

pub fn u32s(values: &[u32]) -> RawTensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    RawTensor { dtype: Dtype::U32, shape: vec![values.len()], data: aligned(&bytes) }
}

/// Bytes as a mapping gives them: aligned.
fn aligned(bytes: &[u8]) -> Bytes {
    struct Words(Vec<u64>);
    impl AsRef<[u8]> for Words {
        fn as_ref(&self) -> &[u8] {
            bytemuck::cast_slice(&self.0)
        }
    }
    let mut words = vec![0_u64; bytes.len().div_ceil(8)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    Bytes::from_owner(Words(words)).slice(..bytes.len())
}

/// A viewer as drawn: row or none, and the titles of the events, latest first.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    pub known: Option<u32>,
    pub events: Vec<ViewerEvent>,
}

impl Drawn {
    pub fn new(known: Option<u32>, recent: &[u32]) -> Self {
        Self { known, events: recent.iter().map(|title| ViewerEvent::play(TitleRow(*title))).collect() }
    }

    pub fn context(&self) -> ViewerContext<'_> {
        ViewerContext { known: self.known.map(ViewerRow), ..ViewerContext::of_events(&self.events) }
    }
}

/// Scores of the whole catalogue, a list a viewer.
pub fn all_scores(model: &dyn Model, viewers: &[ViewerContext<'_>]) -> Vec<Vec<f32>> {
    let mut scores = vec![f32::NAN; viewers.len() * model.n_titles()];
    model.score_all().unwrap().score_all_into(viewers, &mut scores).unwrap();
    scores.chunks(model.n_titles()).map(<[f32]>::to_vec).collect()
}

/// What a viewer watched in training.
pub fn history(model: &dyn Model, known: Option<u32>) -> Vec<u32> {
    let watched = known.map(|known| model.history().unwrap().watched(ViewerRow(known)));
    TitleRow::numbers(watched.unwrap_or_default()).to_vec()
}

/// Numbers of one tensor differ from those of another. The goldens hold what the first six give.
fn stream(name: &str) -> u64 {
    let known = ["weights", "viewer.factors", "title.factors", "title.bias", "viewer.bias", "title.implicit"];
    let at = known.iter().position(|known| *known == name);
    at.map_or_else(|| name.bytes().fold(7, |sum, byte| sum * 31 % 1009 + u64::from(byte)), |at| at as u64 + 1)
}

impl World {
    /// Every tensor that the architecture declares.
    pub fn new(architecture: &'static Descriptor, size: Size, seed: u64) -> Self {
        let (mut offsets, mut history) = (vec![0], Vec::new());
        for viewer in 0..size.viewers {
            history.extend(
                (0..size.titles as u32).filter(|title| (*title as usize * 5 + viewer * 3) % 7 < viewer % 4),
            );
            offsets.push(history.len() as u32);
        }
        let Size { viewers, titles, d } = size;
        let sizes = Sizes { viewers, titles, watched: history.len(), factors: d };
        let tensor = |declared: &Declaration| {
            let shape: Vec<usize> = declared.shape.iter().map(|size| sizes.get(*size)).collect();
            match declared.name {
                "title.plays" => f32s(&shape, (0..).map(|at| ((at * 7) % 19) as f32)),
                "history.offsets" => u32s(&offsets),
                "history.titles" => u32s(&history),
                "global.mean" => f32s(&shape, std::iter::once(3.5)),
                name => {
                    let seed = seed * 31 + stream(name);
                    f32s(&shape, (0..).map(move |at| number(seed, at) * 0.8))
                }
            }
        };
        let declarations = architecture.layout.declarations();
        let tensors = declarations.map(|declared| (declared.name.to_owned(), tensor(declared))).collect();
        let hyperparameters = json!({
            "factors": d, "regularization": 0.1, "alpha": 4.0, "ratingMin": 1.0, "ratingMax": 5.0,
        });
        let Value::Object(hyperparameters) = hyperparameters else { unreachable!("written as an object") };
        Self { architecture, tensors, hyperparameters }
    }

    pub fn weights(&self) -> Weights<'_> {
        let Self { architecture, tensors, hyperparameters } = self;
        Weights { architecture: architecture.architecture(), tensors, hyperparameters }
    }

    pub fn model(&self) -> Arc<dyn Model> {
        registry::build(&self.weights(), ScanOptions::default()).unwrap()
    }

    pub fn values(&self, name: &str) -> Vec<f64> {
        self.tensors[name].as_f32().unwrap().iter().map(|x| f64::from(*x)).collect()
    }
}
