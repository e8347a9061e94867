//! Training and evaluation: data in, artifact and figures out.
//!
//! `cli` has the three commands, each a list of verbs. `config` says what is to be done, `data` reads, `split` holds out,
//! `trainers` lists the algorithms, `fit` learns (`run` adds progress and `checkpoint`), `quality` measures, `search` tries hyperparameters, `artifact`
//! writes what is served, `report` tells. Pure computation lies in `marquee-algorithms`, scoring in `marquee-models`.

pub mod cli;

pub mod config;
pub mod hyperparameters;
pub mod trainers;

pub mod catalogue;
pub mod data;
pub mod split;

pub mod doctor;

pub mod checkpoint;
pub mod fit;
pub mod memory;
pub mod run;

pub mod quality;
pub mod search;

pub mod artifact;
pub mod report;

pub mod error;
pub mod progress;

mod nearest;
mod title_names;

pub use error::TrainingError;
pub use progress::Io;
pub use trainers::Algorithm;
