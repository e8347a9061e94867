//! Forward passes: what may be asked of a model, and how questions that came together are answered in one go.

use std::{sync::Arc, time::Duration};

use marquee_models::{
    Capability, Model, ModelError, Scored, TitleRow, TopKQuery, ViewerContext, ViewerEvent, ViewerRow,
};

use super::{Observer, causes::Causes, ranker::LoadedModel};
use crate::serving::batcher::Pass;

/// Recent titles that the measured pass folds in; more make it proportionally longer.
pub const COSTED_RECENT: usize = 10;

/// Why a model gave no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RankError {
    /// The deadline passed.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// No pod of the model answers.
    #[error("no pod of the model is ready")]
    NotReady,
    /// The pass failed; what it said.
    #[error("the forward pass failed: {0}")]
    Failed(Arc<str>),
}

/// A viewer in a model's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedViewer {
    /// Row in the viewer table.
    pub known: Option<u32>,
    /// Rows in the title table, latest first.
    pub recent: Vec<u32>,
}

impl OwnedViewer {
    /// The recent titles as events.
    pub fn events(&self) -> Vec<ViewerEvent> {
        self.recent.iter().map(|title| ViewerEvent::play(TitleRow(*title))).collect()
    }

    /// As models take it; `events` are those of [`Self::events`].
    pub fn context<'a>(&self, events: &'a [ViewerEvent]) -> ViewerContext<'a> {
        ViewerContext { known: self.known.map(ViewerRow), ..ViewerContext::of_events(events) }
    }
}

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
    fn borrow<'a>(&'a self, events: &'a [ViewerEvent]) -> TopKQuery<'a> {
        let Self { viewer, k, exclude, include_watched } = self;
        TopKQuery {
            viewer: viewer.context(events),
            k: *k,
            candidates: None,
            exclude: TitleRow::from_numbers(exclude),
            include_watched: *include_watched,
        }
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

impl Job {
    fn viewer(&self) -> &OwnedViewer {
        match self {
            Self::All(viewer) | Self::Some(viewer, _) => viewer,
            Self::Best(query) => &query.viewer,
        }
    }
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

    /// One job, alone, on this thread.
    pub(super) fn run_one(&self, job: &Job) -> Result<Answer, RankError> {
        self.observer.batch(&self.objective, 1);
        let events = job.viewer().events();
        match job {
            Job::All(viewer) => self.scores_of(&[viewer.context(&events)]).map(first).map(Answer::Scores),
            Job::Some(viewer, titles) => self
                .model()
                .score(&[viewer.context(&events)], &[TitleRow::from_numbers(titles)])
                .map(first)
                .map(Answer::Scores)
                .map_err(|error| failed(&error)),
            Job::Best(query) => self.best_of(&[query.borrow(&events)]).map(first).map(Answer::Best),
        }
    }

    fn model(&self) -> &dyn Model {
        &*self.loaded.model
    }

    fn scores_of(&self, viewers: &[ViewerContext<'_>]) -> Result<Vec<Vec<f32>>, RankError> {
        let model = self.model();
        let lacks = || failed(&ModelError::lacks(model, Capability::ScoreAll));
        let mut scores = vec![0.0; viewers.len() * model.n_titles()];
        let score_all = model.score_all().ok_or_else(lacks)?;
        score_all.score_all_into(viewers, &mut scores).map_err(|error| failed(&error))?;
        if viewers.len() == 1 {
            return Ok(vec![scores]);
        }
        Ok(scores.chunks(model.n_titles()).map(<[f32]>::to_vec).collect())
    }

    fn best_of(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, RankError> {
        let top_k = self.model().top_k();
        let top_k = top_k.ok_or_else(|| failed(&ModelError::lacks(self.model(), Capability::TopK)))?;
        top_k.best(queries).map_err(|error| failed(&error))
    }

    fn run_all(&self, jobs: &[Job], answers: &mut [Result<Answer, RankError>]) {
        let (places, asked) = of_kind(jobs, |job| match job {
            Job::All(viewer) => Some((viewer, viewer.events())),
            _ => None,
        });
        if !places.is_empty() {
            let viewers: Vec<_> = asked.iter().map(|(viewer, events)| viewer.context(events)).collect();
            fill(answers, &places, self.scores_of(&viewers).map(|rows| rows.into_iter().map(Answer::Scores)));
        }
    }

    fn run_some(&self, jobs: &[Job], answers: &mut [Result<Answer, RankError>]) {
        let (places, asked) = of_kind(jobs, |job| match job {
            Job::Some(viewer, titles) => Some((viewer, viewer.events(), titles)),
            _ => None,
        });
        if !places.is_empty() {
            let viewers: Vec<_> = asked.iter().map(|(viewer, events, _)| viewer.context(events)).collect();
            let titles: Vec<_> = asked.iter().map(|(.., titles)| TitleRow::from_numbers(titles)).collect();
            let scores = self.model().score(&viewers, &titles).map_err(|error| failed(&error));
            fill(answers, &places, scores.map(|rows| rows.into_iter().map(Answer::Scores)));
        }
    }

    fn run_best(&self, jobs: &[Job], answers: &mut [Result<Answer, RankError>]) {
        let (places, asked) = of_kind(jobs, |job| match job {
            Job::Best(query) => Some((query, query.viewer.events())),
            _ => None,
        });
        if !places.is_empty() {
            let queries: Vec<_> = asked.iter().map(|(query, events)| query.borrow(events)).collect();
            fill(answers, &places, self.best_of(&queries).map(|rows| rows.into_iter().map(Answer::Best)));
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
