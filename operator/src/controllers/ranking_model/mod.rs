//! RankingModel: revisions of one model.

pub mod decide;

mod status;
