//! Training and evaluation: data in, artifact and figures out.
//!
//! `cli` has the three commands, each a list of verbs. `config` says what is to be done, `data` reads, `parts` holds out,
//! `fit` learns (`run` adds progress and `checkpoint`), `quality` measures, `search` tries hyper-parameters, `artifact`
//! writes what is served, `report` tells. Pure computation lies in `marquee-algorithms`, scoring in `marquee-models`.

pub mod cli;

pub mod config;
pub mod knobs;

pub mod catalogue;
pub mod data;
pub mod parts;

pub mod checkpoint;
pub mod fit;
pub mod run;

pub mod quality;
pub mod search;

pub mod artifact;
pub mod report;

pub mod error;
pub mod progress;

mod nearest;

pub use error::TrainingError;
pub use knobs::Algorithm;
pub use progress::Io;
