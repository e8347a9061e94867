//! Models of the page that answer in other processes: asked who the viewer is and how they score in one go, and once more
//! for the titles near one that the viewer watched, which only the first answer tells. Two round trips a page at most.

use std::time::Instant;

use futures::future::{join, join_all};
use tracing::warn;

use super::{
    Mapped, PageModel, PageRanker, ServedPage,
    scoring::{Ask, Recognition},
};
use crate::{
    service::{
        passes::{OwnedViewer, RankError},
        ranker::recent_rows,
        remote::{self, Known, RemoteModel, Who},
        types::PageRequest,
    },
    serving::deadline,
};

type Answer = Result<Vec<f32>, RankError>;

/// What a ranker of the page said of the viewer.
pub(super) enum RankerHeard<'a> {
    /// It answers in this process, or nowhere.
    NotAsked,
    /// This revision said so.
    Said(&'a Mapped, (OwnedViewer, Known)),
    /// It gave no answer.
    Failed(&'a str, RankError),
}

impl ServedPage {
    /// Asks every model in another process who the viewer is; one answer a ranker.
    pub(super) async fn hear<S: AsRef<str>>(
        &self,
        request: &PageRequest<S>,
        until: Instant,
    ) -> Vec<RankerHeard<'_>> {
        join_all(self.rankers.iter().map(|ranker| hear(ranker, request, until))).await
    }

    /// Scores by title row, one answer an ask, whoever gives them.
    pub(super) async fn score_anywhere(
        &self,
        asks: &[Ask],
        recognition: &mut Recognition<'_>,
        until: Instant,
    ) -> Vec<Answer> {
        let mut answers: Vec<Option<Answer>> = Vec::with_capacity(asks.len());
        // By ranker: the title rows to be asked for, and which asks take the answers.
        let mut near: Vec<(Vec<u32>, Vec<usize>)> = vec![Default::default(); self.rankers.len()];
        let mut here = Vec::new();
        for (idx, ask) in asks.iter().enumerate() {
            let viewer = recognition.by_ranker[ask.ranker].as_mut().ok();
            let remote = viewer.filter(|viewer| viewer.revision.is_remote());
            answers.push(match (remote, ask.near) {
                (None, _) => {
                    here.push(idx);
                    None
                }
                (Some(_), Some(title)) => {
                    near[ask.ranker].0.push(title);
                    near[ask.ranker].1.push(idx);
                    None
                }
                (Some(viewer), None) => Some(viewer.scores.take().ok_or_else(no_scores)),
            });
        }
        let there = near.into_iter().enumerate().filter(|(_, (titles, _))| !titles.is_empty());
        let there = there.map(|(ranker, (titles, takers))| {
            let model =
                recognition.by_ranker[ranker].as_ref().ok().and_then(|viewer| remote(viewer.revision));
            async move { (score_near(model, titles, until).await, takers) }
        });
        let here = here.into_iter().map(|idx| async move { (idx, self.score_one(&asks[idx], until).await) });
        let (there, here) = join(join_all(there), join_all(here)).await;
        for (idx, answer) in here {
            answers[idx] = Some(answer);
        }
        for (found, takers) in there {
            for (answer, idx) in found.into_iter().zip(takers) {
                answers[idx] = Some(answer);
            }
        }
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(no_scores()))).collect()
    }

    pub(super) fn log_unheard(&self, heard: &[RankerHeard<'_>], now: Instant) {
        for heard in heard {
            if let RankerHeard::Failed(objective, error) = heard
                && self.failures.may_speak(now)
            {
                let surface = &*self.surface;
                warn!(
                    surface,
                    objective,
                    error = error as &dyn std::error::Error,
                    "a model did not answer a page"
                );
            }
        }
    }
}

async fn hear<'a, S: AsRef<str>>(
    ranker: &'a PageRanker,
    request: &PageRequest<S>,
    until: Instant,
) -> RankerHeard<'a> {
    let revision = ranker.revision(request.viewer.as_ref());
    let Some((revision, model)) = revision.and_then(|revision| Some((revision, remote(revision)?))) else {
        return RankerHeard::NotAsked;
    };
    let recent = recent_rows(&model.titles, &request.recent);
    let who =
        Who { viewer: request.viewer.as_ref().to_owned(), recent: recent.clone(), scores: ranker.is_ranked };
    let ask = remote::Ask { who: Some(who), near: Vec::new() };
    match consult(model, ask, until).await.and_then(|heard| heard.who.ok_or_else(no_scores)) {
        Ok(known) => RankerHeard::Said(revision, (OwnedViewer { known: known.viewer, recent }, known)),
        Err(error) => RankerHeard::Failed(&ranker.objective, error),
    }
}

async fn score_near(model: Option<&RemoteModel>, titles: Vec<u32>, until: Instant) -> Vec<Answer> {
    let n_titles = titles.len();
    let Some(model) = model else { return vec![Err(RankError::NotReady); n_titles] };
    match consult(model, remote::Ask { who: None, near: titles }, until).await {
        Ok(heard) if heard.near.len() == n_titles => heard.near.into_iter().map(Ok).collect(),
        Ok(_) => vec![Err(no_scores()); n_titles],
        Err(error) => vec![Err(error); n_titles],
    }
}

async fn consult(model: &RemoteModel, ask: remote::Ask, until: Instant) -> Result<remote::Heard, RankError> {
    let heard = deadline::within(Some(until), model.ranker.consult(ask, until)).await;
    let heard = heard.unwrap_or(Err(RankError::DeadlineExceeded))?;
    let n_titles = model.titles.len();
    let scores = heard.who.iter().filter_map(|who| who.scores.as_ref()).chain(&heard.near);
    let rows = heard.who.iter().flat_map(|who| &who.history);
    if scores.into_iter().any(|scores| scores.len() != n_titles)
        || rows.into_iter().any(|&row| row as usize >= n_titles)
    {
        return Err(RankError::Failed("the answer is of another title table".into()));
    }
    Ok(heard)
}

fn remote(revision: &Mapped) -> Option<&RemoteModel> {
    match &revision.model {
        PageModel::Remote(model) => Some(model),
        PageModel::InProcess(_) => None,
    }
}

fn no_scores() -> RankError {
    RankError::Failed("the answer lacks what was asked for".into())
}
