//! Training and evaluation: data in, artifact and figures out.
//!
//! `cli` has the three commands, each a list of verbs. `config` says what is to be done, `data` reads, `fit` learns (with
//! `checkpoint`), `quality` measures by a protocol, `search` tries hyper-parameters, `artifact` writes what is served,
//! `report` tells. Pure computation lies in `marquee-algorithms`, scoring in `marquee-models`.

pub mod config;
pub mod data;
pub mod error;
pub mod knobs;

mod nearest;

pub use error::TrainingError;
pub use knobs::Algorithm;
