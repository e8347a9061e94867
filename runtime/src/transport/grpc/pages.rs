//! `marquee.v1.Pages`.

use tonic::{Request, Response, Status, async_trait};

use super::{
    GrpcServices,
    contract::marquee::v1::{
        Degraded, GetPageRequest, GetPageResponse, Recognised, Row, Timing, Title, pages_server::Pages,
    },
};
use crate::{service::types, telemetry::Method};

impl From<types::Degraded> for Degraded {
    fn from(degraded: types::Degraded) -> Self {
        match degraded {
            types::Degraded::DeadlineMissed => Self::DeadlineMissed,
            types::Degraded::ModelFailed => Self::ModelFailed,
            types::Degraded::ModelNotReady => Self::ModelNotReady,
            types::Degraded::ViewerUnknown => Self::ViewerUnknown,
        }
    }
}

impl From<types::PageTitle<'_>> for Title {
    fn from(placed: types::PageTitle<'_>) -> Self {
        let card = placed.title;
        Self {
            id: card.id.to_string(),
            name: card.name.clone(),
            year: card.year.map(u32::from),
            genres: card.genres.clone(),
            score: placed.score,
        }
    }
}

impl From<types::PageRow> for Row {
    fn from(row: types::PageRow) -> Self {
        Self {
            name: row.name.to_string(),
            heading: row.heading.to_string(),
            why: row.why.to_string(),
            model: row.model.as_ref().map(Into::into),
            degraded: row.degraded.map_or(Degraded::Unspecified, Into::into).into(),
            titles: row.titles.iter().map(Into::into).collect(),
        }
    }
}

#[async_trait]
impl Pages for GrpcServices {
    async fn get_page(&self, request: Request<GetPageRequest>) -> Result<Response<GetPageResponse>, Status> {
        self.answer(Method::GrpcPage, request, |message: GetPageRequest, context| async move {
            let GetPageRequest { surface, viewer, recent } = message;
            let request = types::PageRequest { surface, viewer, recent };
            let page = self.0.service.page(&request, &context).await?;
            let timing = |(stage, took): (&str, std::time::Duration)| Timing {
                stage: stage.to_owned(),
                micros: took.as_micros() as u64,
            };
            Ok(GetPageResponse {
                surface: page.surface.to_string(),
                recognised: Recognised::from(page.recognised).into(),
                rows: page.rows.into_iter().map(Into::into).collect(),
                degraded: page.degraded,
                timings: page.timings.into_iter().map(timing).collect(),
            })
        })
        .await
    }
}
