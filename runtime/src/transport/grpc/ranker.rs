//! `marquee.v1.Ranker`.

use tonic::{Request, Response, Status, async_trait};

use super::{
    Door,
    contract::marquee::v1::{
        Model, RankedTitle, Recognised, ScoreRequest, ScoreResponse, TopKRequest, TopKResponse,
        ranker_server::Ranker,
    },
};
use crate::{service::types, telemetry::Method};

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
