//! The models of a page: in this process or in others, one revision or several, each with its own title rows.

use std::sync::Arc;

use marquee_crds::pod_config::{PageConfig, RowConfig, Source};
use marquee_pages::NOT_IN_CATALOGUE;

use super::split;
use crate::service::{catalogue::Catalogue, client::RankerClient};

/// A revision of a model, and its share of viewers.
#[derive(Clone)]
pub struct Share {
    /// Whom to ask.
    pub client: Arc<dyn RankerClient>,
    /// In percent.
    pub weight: u32,
}

impl Share {
    /// The only one.
    pub fn whole(client: Arc<dyn RankerClient>) -> Self {
        Self { client, weight: 100 }
    }
}

/// Whether `one` and `other` split viewers over the very same models alike.
pub fn is_same_split<'a>(
    one: impl ExactSizeIterator<Item = (&'a Arc<dyn RankerClient>, u32)>,
    other: impl ExactSizeIterator<Item = (&'a Arc<dyn RankerClient>, u32)>,
) -> bool {
    one.len() == other.len() && one.zip(other).all(|(a, b)| a.1 == b.1 && Arc::ptr_eq(a.0, b.0))
}

/// A model as this page uses it.
pub(super) struct PageRanker {
    pub(super) objective: Arc<str>,
    /// Its revisions; none while no artifact of it is loaded.
    pub(super) revisions: Vec<MappedModel>,
    /// Whether a row asks for its ranking for the viewer.
    pub(super) is_ranked: bool,
}

/// A revision of a model, against the page's catalogue.
pub(super) struct MappedModel {
    pub(super) client: Arc<dyn RankerClient>,
    pub(super) weight: u32,
    /// Model row to catalogue row; none when they are the same.
    pub(super) to_catalogue: Option<Vec<u32>>,
    /// Model rows that the catalogue has.
    pub(super) all: Arc<[u32]>,
    /// By candidate row: model rows that may stand in it. Empty for rows of other models.
    pub(super) slices: Vec<Arc<[u32]>>,
}

impl PageRanker {
    pub(super) fn new(
        objective: &str,
        shares: Vec<Share>,
        config: &PageConfig,
        catalogue: &Catalogue,
    ) -> Self {
        let is_ranked = |row: &RowConfig| {
            row.source.objective() == Some(objective)
                && !matches!(row.source, Source::BecauseYouWatched { .. })
        };
        Self {
            objective: objective.into(),
            revisions: shares
                .into_iter()
                .map(|share| MappedModel::new(share, objective, config, catalogue))
                .collect(),
            is_ranked: config.rows.iter().any(is_ranked),
        }
    }

    /// The revision that a viewer gets. A request without a viewer is split by its own id instead.
    pub(super) fn revision(&self, viewer: &str, request_id: &str) -> Option<&MappedModel> {
        if let [only] = self.revisions.as_slice() {
            return Some(only);
        }
        let place = split::place(if viewer.is_empty() { request_id } else { viewer }, &self.objective);
        let chosen = split::choose(self.revisions.iter().map(|revision| revision.weight), place)?;
        self.revisions.get(chosen)
    }
}

impl MappedModel {
    fn new(share: Share, objective: &str, config: &PageConfig, catalogue: &Catalogue) -> Self {
        let Share { client, weight } = share;
        let map: Vec<u32> =
            client.titles().iter().map(|id| catalogue.row(id).unwrap_or(NOT_IN_CATALOGUE)).collect();
        let all = (0..map.len() as u32).filter(|&row| map[row as usize] != NOT_IN_CATALOGUE).collect();
        let identical = map.iter().enumerate().all(|(row, &catalogue)| row as u32 == catalogue);
        let to_catalogue = (!identical).then_some(map);
        let mut mapped = Self { client, weight, to_catalogue, all, slices: Vec::new() };
        let slice = |row: &RowConfig| match &row.source {
            source if source.objective() != Some(objective) => Arc::default(),
            Source::Genre { name, .. } => mapped.genre(catalogue.genre(name)),
            _ => mapped.all.clone(),
        };
        mapped.slices = config.rows.iter().map(slice).collect();
        mapped
    }

    pub(super) fn catalogue_row(&self, title: u32) -> Option<u32> {
        match &self.to_catalogue {
            None => Some(title),
            Some(map) => map.get(title as usize).copied().filter(|&row| row != NOT_IN_CATALOGUE),
        }
    }

    /// The rows of the title table whose titles are in the genre of the catalogue.
    fn genre(&self, of_catalogue: Option<&Arc<[u32]>>) -> Arc<[u32]> {
        let Some(of_catalogue) = of_catalogue else { return Arc::default() };
        if self.to_catalogue.is_none() {
            return of_catalogue.clone();
        }
        let in_genre = |&title: &u32| {
            self.catalogue_row(title).is_some_and(|row| of_catalogue.binary_search(&row).is_ok())
        };
        self.all.iter().copied().filter(in_genre).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use futures::future::BoxFuture;
    use marquee_artifacts::IdTable;

    use super::*;
    use crate::service::{
        client::{KnownViewer, RankError, ScoresAnswer, ScoresQuery, ViewerQuery},
        types::ModelInfo,
    };

    /// Has a name, and answers nothing.
    struct Named(ModelInfo, IdTable);

    impl RankerClient for Named {
        fn info(&self) -> &ModelInfo {
            &self.0
        }

        fn titles(&self) -> &IdTable {
            &self.1
        }

        fn plays(&self) -> &[f32] {
            &[]
        }

        fn recognise(&self, _: ViewerQuery, _: Instant) -> BoxFuture<'_, Result<KnownViewer<'_>, RankError>> {
            Box::pin(std::future::ready(Err(RankError::NotReady)))
        }

        fn scores(&self, query: ScoresQuery, _: Instant) -> BoxFuture<'_, ScoresAnswer> {
            Box::pin(std::future::ready(ScoresAnswer::failed(&query, &RankError::NotReady)))
        }
    }

    #[test]
    fn a_viewer_keeps_a_revision_and_requests_without_a_viewer_are_split_by_their_own_id() {
        let revision = |name: &str| {
            let info = ModelInfo { objective: "top-picks".into(), revision: name.into() };
            let client: Arc<dyn RankerClient> =
                Arc::new(Named(info, IdTable::from_ids(Vec::<String>::new()).unwrap()));
            MappedModel { client, weight: 50, to_catalogue: None, all: Arc::default(), slices: Vec::new() }
        };
        let ranker = PageRanker {
            objective: "top-picks".into(),
            revisions: vec![revision("aa"), revision("bb")],
            is_ranked: true,
        };
        let gets = |viewer: &str, request: usize| {
            let model = ranker.revision(viewer, &format!("request-{request}")).unwrap();
            model.client.info().revision.to_string()
        };
        let share = |viewer: &dyn Fn(usize) -> String| {
            (0..1000).filter(|&request| gets(&viewer(request), request) == "aa").count()
        };
        assert!((450..550).contains(&share(&|_| String::new())), "without a viewer: by the request's id");
        assert_eq!(gets("", 7), gets("", 7), "one request gets one revision");
        assert!((450..550).contains(&share(&|n| format!("viewer-{n}"))), "viewers: by theirs");
        assert!([0, 1000].contains(&share(&|_| "viewer-1".to_owned())), "whatever they ask");
    }
}
