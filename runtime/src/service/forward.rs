//! Forward passes: the requests to a model, and how one pass answers several requests.

use std::{sync::Arc, time::Duration};

use marquee_crds::causes::Causes;
use marquee_models::{
    Capability, Model, ModelError, Scored, TitleRow, TopKQuery, ViewerContext, ViewerEvent,
};

use marquee_pages::Candidate;

use super::{
    Observer,
    client::{OwnedViewer, RankError},
    lists::{self, TitleList},
    loaded_model::{COSTED_RECENT, LoadedModel},
};
use crate::serving::batcher::Pass;

/// A request for the best titles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedQuery {
    /// The viewer.
    pub viewer: OwnedViewer,
    /// Number of titles.
    pub k: usize,
    /// Title rows to leave out.
    pub exclude: Vec<TitleRow>,
    /// Whether the answer may contain titles that the viewer watched.
    pub include_watched: bool,
}

impl OwnedQuery {
    fn borrow<'a>(&'a self, events: &'a [ViewerEvent]) -> TopKQuery<'a> {
        let Self { viewer, k, exclude, include_watched } = self;
        TopKQuery {
            viewer: viewer.context(events),
            k: *k,
            candidates: None,
            exclude,
            include_watched: *include_watched,
        }
    }
}

/// A request for the scores of the titles in lists.
pub(super) struct ListsQuery {
    /// The viewer.
    pub(super) viewer: OwnedViewer,
    /// Lists of titles.
    pub(super) lists: Arc<[TitleList]>,
    /// The lists leave out titles that this viewer watched.
    pub(super) watched_by: OwnedViewer,
}

/// A request to a forward pass.
pub(super) enum ForwardRequest {
    /// Scores of all titles.
    All(OwnedViewer),
    /// Scores of the titles in lists.
    Lists(ListsQuery),
    /// Scores of these titles.
    Some(OwnedViewer, Vec<TitleRow>),
    /// The best titles.
    Best(OwnedQuery),
}

impl ForwardRequest {
    fn viewer(&self) -> &OwnedViewer {
        match self {
            Self::All(viewer) | Self::Some(viewer, _) => viewer,
            Self::Best(query) => &query.viewer,
            Self::Lists(query) => &query.viewer,
        }
    }
}

/// The answer of a forward pass.
pub(super) enum ForwardAnswer {
    /// Scores in the order of the titles.
    Scores(Vec<f32>),
    /// Titles with scores, ascending by title.
    Listed(Vec<Candidate>),
    /// Titles with scores, best first.
    Best(Vec<Scored>),
}

type Answer = Result<ForwardAnswer, RankError>;

impl ForwardAnswer {
    pub(super) fn into_scores(self) -> Vec<f32> {
        match self {
            Self::Scores(scores) => scores,
            Self::Listed(_) | Self::Best(_) => Vec::new(),
        }
    }

    pub(super) fn into_listed(self) -> Vec<Candidate> {
        match self {
            Self::Listed(listed) => listed,
            Self::Scores(_) | Self::Best(_) => Vec::new(),
        }
    }

    pub(super) fn into_best(self) -> Vec<Scored> {
        match self {
            Self::Best(best) => best,
            Self::Scores(_) | Self::Listed(_) => Vec::new(),
        }
    }
}

/// Time that a list takes for each title that it searches.
const SOUGHT: Duration = Duration::from_nanos(2);

/// The forward passes of one model.
pub(super) struct ForwardPass {
    pub(super) loaded: Arc<LoadedModel>,
    pub(super) objective: Arc<str>,
    pub(super) observer: Arc<dyn Observer>,
}

impl Pass for ForwardPass {
    type Request = ForwardRequest;
    type Answer = Answer;

    fn estimate(&self, request: &ForwardRequest) -> Duration {
        match request {
            ForwardRequest::Some(viewer, titles) if viewer.recent.is_empty() => {
                let share = titles.len() as f64 / self.loaded.titles.len().max(1) as f64;
                self.loaded.whole_pass.mul_f64(share.min(1.0))
            }
            ForwardRequest::Lists(query) => {
                let n_titles = self.loaded.titles.len();
                let n_sought: usize = query.lists.iter().map(|list| list.n_sought(n_titles)).sum();
                self.whole(&query.viewer) + SOUGHT.saturating_mul(u32::try_from(n_sought).unwrap_or(u32::MAX))
            }
            request => self.whole(request.viewer()),
        }
    }

    fn run_one(&self, request: &ForwardRequest) -> Answer {
        self.observer.batch(&self.objective, 1);
        let events = request.viewer().events();
        match request {
            ForwardRequest::All(viewer) => {
                self.all_scores(&[viewer.context(&events)]).map(first).map(ForwardAnswer::Scores)
            }
            ForwardRequest::Lists(query) => {
                let scores = self.all_scores(&[query.viewer.context(&events)]).map(first)?;
                Ok(ForwardAnswer::Listed(self.listed(query, &scores)))
            }
            ForwardRequest::Some(viewer, titles) => self
                .model()
                .score(&[viewer.context(&events)], &[titles])
                .map(first)
                .map(ForwardAnswer::Scores)
                .map_err(|error| failed(&error)),
            ForwardRequest::Best(query) => {
                self.best_titles(&[query.borrow(&events)]).map(first).map(ForwardAnswer::Best)
            }
        }
    }

    fn run(&self, requests: &[ForwardRequest]) -> Vec<Answer> {
        self.observer.batch(&self.objective, requests.len());
        let mut answers: Vec<_> =
            requests.iter().map(|_| Err(RankError::Failed("no answer".into()))).collect();
        self.run_all(requests, &mut answers);
        self.run_some(requests, &mut answers);
        self.run_best(requests, &mut answers);
        answers
    }
}

impl ForwardPass {
    /// Duration of a pass over all titles for this viewer.
    fn whole(&self, viewer: &OwnedViewer) -> Duration {
        let rounds = viewer.recent.len().div_ceil(COSTED_RECENT).max(1);
        self.loaded.whole_pass * rounds as u32
    }

    fn model(&self) -> &dyn Model {
        &*self.loaded.model
    }

    fn all_scores(&self, viewers: &[ViewerContext<'_>]) -> Result<Vec<Vec<f32>>, RankError> {
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

    fn best_titles(&self, queries: &[TopKQuery<'_>]) -> Result<Vec<Vec<Scored>>, RankError> {
        let top_k = self.model().top_k();
        let top_k = top_k.ok_or_else(|| failed(&ModelError::lacks(self.model(), Capability::TopK)))?;
        top_k.best(queries).map_err(|error| failed(&error))
    }

    fn run_all(&self, requests: &[ForwardRequest], answers: &mut [Answer]) {
        let (places, asked) = matching(requests, |request| match request {
            ForwardRequest::All(viewer) => Some((viewer, viewer.events(), None)),
            ForwardRequest::Lists(query) => Some((&query.viewer, query.viewer.events(), Some(query))),
            _ => None,
        });
        if !places.is_empty() {
            let viewers: Vec<_> = asked.iter().map(|(viewer, events, _)| viewer.context(events)).collect();
            let answer = |(scores, (.., lists)): (Vec<f32>, &(_, _, Option<&ListsQuery>))| match lists {
                None => ForwardAnswer::Scores(scores),
                Some(query) => ForwardAnswer::Listed(self.listed(query, &scores)),
            };
            let scores = self.all_scores(&viewers);
            fill(answers, &places, scores.map(|rows| rows.into_iter().zip(&asked).map(answer)));
        }
    }

    fn listed(&self, query: &ListsQuery, scores: &[f32]) -> Vec<Candidate> {
        let OwnedViewer { known, recent } = &query.watched_by;
        let history = known.map(|known| self.loaded.history(known)).unwrap_or_default();
        lists::listed(scores, &query.lists, history, recent)
    }

    fn run_some(&self, requests: &[ForwardRequest], answers: &mut [Answer]) {
        let (places, asked) = matching(requests, |request| match request {
            ForwardRequest::Some(viewer, titles) => Some((viewer, viewer.events(), titles)),
            _ => None,
        });
        if !places.is_empty() {
            let viewers: Vec<_> = asked.iter().map(|(viewer, events, _)| viewer.context(events)).collect();
            let titles: Vec<_> = asked.iter().map(|(.., titles)| titles.as_slice()).collect();
            let scores = self.model().score(&viewers, &titles).map_err(|error| failed(&error));
            fill(answers, &places, scores.map(|rows| rows.into_iter().map(ForwardAnswer::Scores)));
        }
    }

    fn run_best(&self, requests: &[ForwardRequest], answers: &mut [Answer]) {
        let (places, asked) = matching(requests, |request| match request {
            ForwardRequest::Best(query) => Some((query, query.viewer.events())),
            _ => None,
        });
        if !places.is_empty() {
            let queries: Vec<_> = asked.iter().map(|(query, events)| query.borrow(events)).collect();
            let best = self.best_titles(&queries);
            fill(answers, &places, best.map(|rows| rows.into_iter().map(ForwardAnswer::Best)));
        }
    }
}

/// The requests that `pick` selects, with their places.
fn matching<'a, T>(
    requests: &'a [ForwardRequest],
    pick: impl Fn(&'a ForwardRequest) -> Option<T>,
) -> (Vec<usize>, Vec<T>) {
    let picked = requests.iter().enumerate();
    picked.filter_map(|(place, request)| pick(request).map(|picked| (place, picked))).unzip()
}

fn fill(
    answers: &mut [Answer],
    places: &[usize],
    found: Result<impl Iterator<Item = ForwardAnswer>, RankError>,
) {
    match found {
        Ok(found) => places.iter().zip(found).for_each(|(&place, answer)| answers[place] = Ok(answer)),
        Err(error) => places.iter().for_each(|&place| answers[place] = Err(error.clone())),
    }
}

/// The error with its causes, for the log.
fn failed(error: &ModelError) -> RankError {
    RankError::Failed(Causes(error).to_string().into())
}

fn first<T: Default>(rows: Vec<T>) -> T {
    rows.into_iter().next().unwrap_or_default()
}
