//! `marquee.v1.Ranker`.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use futures::{Stream, stream};
use tonic::{Request, Response, Status, async_trait};

use super::{
    Door,
    contract::marquee::v1::{
        KnownViewer, Model, QueryRequest, QueryResponse, RankedTitle, Recognised, ScoreRequest,
        ScoreResponse, TitlesChunk, TitlesRequest, TopKRequest, TopKResponse, ranker_server::Ranker,
    },
};
use crate::{
    service::{
        client::{self, ViewerQuery},
        loaded_model::LoadedModel,
        query::RankerQuery,
        ranker::ServedModel,
        types,
    },
    telemetry::Method,
};

/// Titles in one part of a table.
const CHUNK: usize = 4096;

impl From<&types::ModelInfo> for Model {
    fn from(model: &types::ModelInfo) -> Self {
        Self { objective: model.objective.to_string(), revision: model.revision.to_string() }
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
impl Ranker for Door {
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
            let QueryRequest { model, viewer, near } = message;
            let Model { objective, revision: artifact_digest } = model.unwrap_or_default();
            let viewer = viewer.map(|viewer| ViewerQuery {
                viewer: viewer.viewer,
                recent: viewer.recent,
                scores: viewer.scores,
            });
            let query = RankerQuery { objective, artifact_digest, viewer, near };
            let answer = self.0.service.query(query, &context).await?;
            Ok(QueryResponse {
                viewer: answer.viewer.map(known_viewer),
                near: answer.near.iter().map(|scores| packed(scores)).collect(),
            })
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
        row: known.viewer.known,
        history: known.history.into_owned(),
        scores: known.scores.as_deref().map(packed),
    }
}

/// Little-endian, as this machine has them: artifacts are mapped in place, so no other is served on.
fn packed(scores: &[f32]) -> Bytes {
    Bytes::copy_from_slice(bytemuck::cast_slice(scores))
}

/// Rows of the title table, part by part; one part of an empty table.
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
        ids: rows.clone().map(|row| titles.id(row as u32).to_owned()).collect(),
        plays: model.loaded.plays()[rows].to_vec(),
    }
}
