//! Forward passes: what may be asked of a model, and how questions that came together are answered in one go.

use std::{sync::Arc, time::Duration};

use marquee_models::{ModelError, Scored, TopKQuery, Viewer};

use super::{
    Observer,
    causes::Causes,
    client::{OwnedViewer, RankError},
    loaded_model::{COSTED_RECENT, LoadedModel},
};
use crate::serving::batcher::Pass;

/// A question for the best titles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedQuery {
    /// For whom.
    pub viewer: OwnedViewer,
    /// How many.
    pub k: usize,
    /// Title rows that must not come back.
    pub exclude: Vec<u32>,
    /// Whether titles that the viewer watched may come back.
    pub include_watched: bool,
}

impl OwnedQuery {
    fn borrow(&self) -> TopKQuery<'_> {
        let Self { viewer, k, exclude, include_watched } = self;
        TopKQuery { viewer: viewer.borrow(), k: *k, exclude, include_watched: *include_watched }
    }
}

/// What a pass is asked.
pub(super) enum Job {
    /// Scores of all titles.
    All(OwnedViewer),
    /// Scores of these.
    Some(OwnedViewer, Vec<u32>),
    /// The best titles.
    Best(OwnedQuery),
}

/// What a pass answers.
pub(super) enum Answer {
    /// In the order of the titles.
    Scores(Vec<f32>),
    /// Best first.
    Best(Vec<Scored>),
}

impl Answer {
    pub(super) fn into_scores(self) -> Vec<f32> {
        match self {
            Self::Scores(scores) => scores,
            Self::Best(best) => best.into_iter().map(|scored| scored.score).collect(),
        }
    }

    pub(super) fn into_best(self) -> Vec<Scored> {
        match self {
            Self::Best(best) => best,
            Self::Scores(_) => Vec::new(),
        }
    }
}

/// One model's passes.
pub(super) struct ModelPass {
    pub(super) loaded: Arc<LoadedModel>,
    pub(super) objective: Arc<str>,
    pub(super) observer: Arc<dyn Observer>,
}

impl Pass for ModelPass {
    type Job = Job;
    type Answer = Result<Answer, RankError>;

    fn estimate(&self, job: &Job) -> Duration {
        match job {
            Job::All(viewer) => self.whole(viewer),
            Job::Best(query) => self.whole(&query.viewer),
            Job::Some(viewer, titles) if viewer.recent.is_empty() => {
                let share = titles.len() as f64 / self.loaded.titles.len().max(1) as f64;
                self.loaded.whole_pass.mul_f64(share.min(1.0))
            }
            Job::Some(viewer, _) => self.whole(viewer),
        }
    }

    fn run_one(&self, job: &Job) -> Result<Answer, RankError> {
        self.observer.batch(&self.objective, 1);
        let model = &self.loaded.model;
        match job {
            Job::All(viewer) => self.scores_of(&[viewer.borrow()]).map(first).map(Answer::Scores),
            Job::Some(viewer, titles) => model
                .score(&[viewer.borrow()], &[titles])
                .map(first)
                .map(Answer::Scores)
                .map_err(|error| failed(&error)),
            Job::Best(query) => {
                model.top_k(&[query.borrow()]).map(first).map(Answer::Best).map_err(|error| failed(&error))
            }
        }
    }

    fn run(&self, jobs: &[Job]) -> Vec<Result<Answer, RankError>> {
        self.observer.batch(&self.objective, jobs.len());
        let mut answers: Vec<_> = jobs.iter().map(|_| Err(RankError::Failed("no answer".into()))).collect();
        self.run_all(jobs, &mut answers);
        self.run_some(jobs, &mut answers);
        self.run_best(jobs, &mut answers);
        answers
    }
}

impl ModelPass {
    /// How long a pass over all titles takes for this viewer.
    pub(super) fn whole(&self, viewer: &OwnedViewer) -> Duration {
        let rounds = viewer.recent.len().div_ceil(COSTED_RECENT).max(1);
        self.loaded.whole_pass * rounds as u32
    }

    fn scores_of(&self, viewers: &[Viewer<'_>]) -> Result<Vec<Vec<f32>>, RankError> {
        let scores = self.loaded.model.score_all(viewers).map_err(|error| failed(&error))?;
        if viewers.len() == 1 {
            let row =
                scores.flatten_all().and_then(|row| row.to_vec1()).map_err(|error| failed(&error.into()))?;
            return Ok(vec![row]);
        }
        scores.to_vec2().map_err(|error| failed(&error.into()))
    }

    fn run_all(&self, jobs: &[Job], answers: &mut [Result<Answer, RankError>]) {
        let (places, viewers) = of_kind(jobs, |job| match job {
            Job::All(viewer) => Some(viewer.borrow()),
            _ => None,
        });
        if !places.is_empty() {
            fill(answers, &places, self.scores_of(&viewers).map(|rows| rows.into_iter().map(Answer::Scores)));
        }
    }

    fn run_some(&self, jobs: &[Job], answers: &mut [Result<Answer, RankError>]) {
        let (places, asked) = of_kind(jobs, |job| match job {
            Job::Some(viewer, titles) => Some((viewer.borrow(), titles.as_slice())),
            _ => None,
        });
        if !places.is_empty() {
            let (viewers, titles): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
            let scores = self.loaded.model.score(&viewers, &titles).map_err(|error| failed(&error));
            fill(answers, &places, scores.map(|rows| rows.into_iter().map(Answer::Scores)));
        }
    }

    fn run_best(&self, jobs: &[Job], answers: &mut [Result<Answer, RankError>]) {
        let (places, queries) = of_kind(jobs, |job| match job {
            Job::Best(query) => Some(query.borrow()),
            _ => None,
        });
        if !places.is_empty() {
            let best = self.loaded.model.top_k(&queries).map_err(|error| failed(&error));
            fill(answers, &places, best.map(|rows| rows.into_iter().map(Answer::Best)));
        }
    }
}

/// The jobs that `pick` takes, and where they stand.
fn of_kind<'a, T>(jobs: &'a [Job], pick: impl Fn(&'a Job) -> Option<T>) -> (Vec<usize>, Vec<T>) {
    jobs.iter().enumerate().filter_map(|(place, job)| pick(job).map(|picked| (place, picked))).unzip()
}

fn fill(
    answers: &mut [Result<Answer, RankError>],
    places: &[usize],
    found: Result<impl Iterator<Item = Answer>, RankError>,
) {
    match found {
        Ok(found) => places.iter().zip(found).for_each(|(&place, answer)| answers[place] = Ok(answer)),
        Err(error) => places.iter().for_each(|&place| answers[place] = Err(error.clone())),
    }
}

/// With its causes: this goes to the log.
fn failed(error: &ModelError) -> RankError {
    RankError::Failed(Causes(error).to_string().into())
}

fn first<T: Default>(rows: Vec<T>) -> T {
    rows.into_iter().next().unwrap_or_default()
}
