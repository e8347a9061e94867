//! `marquee.v1.Ranker`.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, stream};
use marquee_models::{TitleRow, ViewerRow};
use tonic::{Request, Response, Status, async_trait};

use super::{
    GrpcServices,
    contract::marquee::v1::{
        KeepSlicesRequest, KeepSlicesResponse, KnownViewer, Model, QueryRequest, QueryResponse, RankedTitle,
        Recognised, ScoreRequest, ScoreResponse, TitleList, TitlesChunk, TitlesRequest, TopKRequest,
        TopKResponse, ranker_server::Ranker,
    },
};
use crate::{
    rankers::scores::{self, numbers, title_rows},
    service::{
        client::{self, NearQuery, OwnedViewer, ViewerQuery},
        lists::{self, SliceStore},
        loaded_model::LoadedModel,
        query::RankerQuery,
        ranker::ServedModel,
        types::{self, ServeError},
    },
    telemetry::Method,
};

/// Largest number of titles in one chunk.
const CHUNK: usize = 4096;

impl From<&types::ModelInfo> for Model {
    fn from(model: &types::ModelInfo) -> Self {
        Self { objective: model.objective.to_string(), revision: model.artifact_digest.to_string() }
    }
}

impl From<types::Recognised> for Recognised {
    fn from(recognised: types::Recognised) -> Self {
        match recognised {
            types::Recognised::Known => Self::Known,
            types::Recognised::FoldedIn => Self::FoldedIn,
            types::Recognised::Stranger => Self::Stranger,
        }
    }
}

#[async_trait]
impl Ranker for GrpcServices {
    async fn score(&self, request: Request<ScoreRequest>) -> Result<Response<ScoreResponse>, Status> {
        self.answer(Method::GrpcScore, request, |message: ScoreRequest, context| async move {
            let ScoreRequest { objective, viewer, recent, titles } = message;
            let request = types::ScoreRequest { objective, viewer, recent, titles };
            let answer = self.0.service.score(&request, &context).await?;
            Ok(ScoreResponse {
                model: Some((&answer.model).into()),
                recognised: Recognised::from(answer.recognised).into(),
                scores: answer.scores,
            })
        })
        .await
    }

    type TitlesStream = Pin<Box<dyn Stream<Item = Result<TitlesChunk, Status>> + Send>>;

    async fn titles(&self, request: Request<TitlesRequest>) -> Result<Response<Self::TitlesStream>, Status> {
        self.answer(Method::GrpcTitles, request, |message: TitlesRequest, _| async move {
            let model = self.0.service.served(&message.objective)?;
            let parts = stream::iter(chunks(&model.loaded).map(move |rows| Ok(chunk(&model, rows))));
            Ok(Box::pin(parts) as Self::TitlesStream)
        })
        .await
    }

    async fn query(&self, request: Request<QueryRequest>) -> Result<Response<QueryResponse>, Status> {
        self.answer(Method::GrpcQuery, request, |message: QueryRequest, context| async move {
            let (query, slices_missing) = ranker_query(message, self.0.service.slices());
            let answer = self.0.service.query(query, &context).await?;
            Ok(QueryResponse {
                viewer: answer.viewer.map(known_viewer),
                near: answer.near.iter().map(scores::write).collect(),
                slices_missing,
            })
        })
        .await
    }

    async fn keep_slices(
        &self,
        request: Request<KeepSlicesRequest>,
    ) -> Result<Response<KeepSlicesResponse>, Status> {
        self.answer(Method::GrpcKeepSlices, request, |message: KeepSlicesRequest, _| async move {
            let Model { objective, revision: artifact_digest } = message.model.unwrap_or_default();
            let model = self.0.service.served_artifact(&objective, &artifact_digest)?;
            for slice in message.slices {
                let slice = scores::read_slice(&slice, model.loaded.titles.len());
                let refused = || {
                    let mend = "send rows of the title table in ascending order";
                    ServeError::Invalid(format!("a slice does not match the title table: {mend}"))
                };
                self.0.service.slices().keep(&slice.ok_or_else(refused)?);
            }
            Ok(KeepSlicesResponse {})
        })
        .await
    }

    async fn top_k(&self, request: Request<TopKRequest>) -> Result<Response<TopKResponse>, Status> {
        self.answer(Method::GrpcTopK, request, |message: TopKRequest, context| async move {
            let TopKRequest { objective, viewer, recent, k, exclude, include_watched } = message;
            let k = k as usize;
            let request = types::TopKRequest { objective, viewer, recent, k, exclude, include_watched };
            let answer = self.0.service.top_k(&request, &context).await?;
            let title = |(id, score): (std::sync::Arc<str>, f32)| RankedTitle { id: id.to_string(), score };
            Ok(TopKResponse {
                model: Some((&answer.model).into()),
                recognised: Recognised::from(answer.recognised).into(),
                titles: answer.titles.into_iter().map(title).collect(),
            })
        })
        .await
    }
}

fn known_viewer(known: client::KnownViewer<'_>) -> KnownViewer {
    KnownViewer {
        recognised: Recognised::from(known.recognised).into(),
        row: known.viewer.known.map(|row| row.0),
        history: numbers(known.history.into_owned()),
        scores: known.scores.as_ref().map(scores::write),
    }
}

/// The query, and whether it names a slice that this process does not keep. If so, it asks for all scores instead of lists.
fn ranker_query(message: QueryRequest, slices: &SliceStore) -> (RankerQuery, bool) {
    let QueryRequest { model, viewer, near, near_lists, watched_by } = message;
    let Model { objective, revision: artifact_digest } = model.unwrap_or_default();
    let list = |list: TitleList| {
        let slice = match list.slice.is_empty() {
            true => None,
            false => Some(slices.get(&list.slice)?),
        };
        Some(lists::TitleList { slice, k: list.k as usize })
    };
    let mut is_missing = false;
    let viewer = viewer.map(|viewer| {
        let lists: Option<Arc<[_]>> = viewer.lists.into_iter().map(list).collect();
        is_missing |= lists.is_none();
        let (recent, lists) = (title_rows(viewer.recent), lists.unwrap_or_default());
        ViewerQuery { viewer: viewer.viewer.into(), recent, scores: viewer.scores, lists }
    });
    let mut near_lists = near_lists.into_iter();
    let near = near.into_iter().map(|title| {
        let list = near_lists.next().map(list);
        is_missing |= list == Some(None);
        NearQuery { title: TitleRow(title), list: list.flatten() }
    });
    let near = near.collect();
    let watched = watched_by.unwrap_or_default();
    let watched_by = OwnedViewer { known: watched.row.map(ViewerRow), recent: title_rows(watched.recent) };
    (RankerQuery { objective, artifact_digest, viewer, near, watched_by }, is_missing)
}

/// Row ranges of the title table, one for each chunk. An empty table has one empty chunk.
fn chunks(loaded: &Arc<LoadedModel>) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
    let n_titles = loaded.titles.len();
    (0..n_titles.div_ceil(CHUNK).max(1)).map(move |part| part * CHUNK..((part + 1) * CHUNK).min(n_titles))
}

fn chunk(model: &ServedModel, rows: std::ops::Range<usize>) -> TitlesChunk {
    let titles = &model.loaded.titles;
    let is_first = rows.start == 0;
    TitlesChunk {
        model: is_first.then(|| (&model.info).into()),
        total: if is_first { titles.len() as u32 } else { 0 },
        ids: rows.clone().map(|row| titles.id(TitleRow(row as u32)).to_owned()).collect(),
        plays: model.loaded.plays()[rows].to_vec(),
    }
}
