//! The models of a page. They run in this process or in others, and each revision has its own title rows.

use std::{collections::HashMap, sync::Arc, time::Instant};

use marquee_artifacts::CatalogueRow;
use marquee_crds::pod_config::{PageConfig, RowConfig, Source};
use marquee_models::TitleRow;
use marquee_pages::{Bitmap, NOT_IN_CATALOGUE, PageOptions, titles_needed};

use super::split;
use crate::service::{
    catalogue::Catalogue,
    client::RankerClient,
    lists::{Slice, TitleList, are_shorter},
};

/// A revision of a model, and its share of viewers.
#[derive(Clone)]
pub struct Share {
    /// Interface to the revision.
    pub client: Arc<dyn RankerClient>,
    /// Share of viewers, in percent.
    pub weight: u32,
}

impl Share {
    /// A revision that gets all viewers.
    pub fn whole(client: Arc<dyn RankerClient>) -> Self {
        Self { client, weight: 100 }
    }
}

/// Whether `one` and `other` have the same models with the same weights.
pub fn is_same_split<'a>(
    one: impl ExactSizeIterator<Item = (&'a Arc<dyn RankerClient>, u32)>,
    other: impl ExactSizeIterator<Item = (&'a Arc<dyn RankerClient>, u32)>,
) -> bool {
    one.len() == other.len() && one.zip(other).all(|(a, b)| a.1 == b.1 && Arc::ptr_eq(a.0, b.0))
}

/// A model on this page.
pub(super) struct PageRanker {
    pub(super) objective: Arc<str>,
    /// Its revisions; empty while none is loaded.
    pub(super) revisions: Vec<MappedModel>,
    /// Whether a row needs its ranking for the viewer.
    pub(super) is_ranked: bool,
}

/// A revision of a model, mapped to the page's catalogue.
pub(super) struct MappedModel {
    pub(super) client: Arc<dyn RankerClient>,
    pub(super) weight: u32,
    /// Catalogue row of each model row; `None` if both are the same.
    pub(super) to_catalogue: Option<Vec<CatalogueRow>>,
    /// Model rows that the catalogue has.
    pub(super) all: Arc<[TitleRow]>,
    /// Model rows that each candidate row may show. Empty for rows of other models.
    pub(super) slices: Vec<Arc<[TitleRow]>>,
    /// Lists for the rows that it ranks for the viewer; empty if all scores are queried.
    pub(super) lists: Arc<[TitleList]>,
    /// List and slice of each candidate row. Empty if all scores are queried.
    needs: Vec<Option<RowNeed>>,
}

/// The titles of a model that a row can need.
struct RowNeed {
    list: TitleList,
    /// The list's slice as a set; `None` if it has all titles.
    set: Option<Bitmap<TitleRow>>,
}

/// Options of the assembly, for a catalogue with `n_catalogue` titles.
pub(super) fn page_options(config: &PageConfig, n_catalogue: usize) -> PageOptions {
    PageOptions {
        rows_shown: config.rows_shown,
        titles_per_row: config.titles_per_row,
        deduplicate: config.deduplicate,
        n_catalogue,
    }
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

    /// Share of viewers, in percent, for whom no model answers at `now`.
    pub(super) fn fallback_percent(&self, now: Instant) -> u32 {
        let (mut all, mut unanswered) = (0_u32, 0_u32);
        for revision in &self.revisions {
            all = all.saturating_add(revision.weight);
            if !revision.client.is_available(now) {
                unanswered = unanswered.saturating_add(revision.weight);
            }
        }
        unanswered.saturating_mul(100).checked_div(all).unwrap_or(100)
    }

    /// The revision for a viewer. The request id chooses it if the request has no viewer.
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
        let map: Vec<CatalogueRow> =
            client.titles().iter().map(|id| catalogue.row(id).unwrap_or(NOT_IN_CATALOGUE)).collect();
        let titles = || (0..map.len() as u32).map(TitleRow);
        let all = titles().filter(|title| map[title.idx()] != NOT_IN_CATALOGUE).collect();
        let identical = titles().all(|title| title.in_same_catalogue() == map[title.idx()]);
        let to_catalogue = (!identical).then_some(map);
        let mut mapped = Self {
            client,
            weight,
            to_catalogue,
            all,
            slices: Vec::new(),
            lists: Arc::default(),
            needs: Vec::new(),
        };
        let mut genres: HashMap<&str, Arc<[TitleRow]>> = HashMap::new();
        for row in &config.rows {
            mapped.slices.push(match &row.source {
                source if source.objective() != Some(objective) => Arc::default(),
                Source::Genre { name, .. } => {
                    let slice = genres.entry(name.as_str());
                    slice.or_insert_with(|| mapped.genre(catalogue.genre(name))).clone()
                }
                _ => mapped.all.clone(),
            });
        }
        if mapped.client.wants_lists() {
            mapped.make_lists(objective, config);
        }
        mapped
    }

    /// Makes the lists. A list is used only if it is shorter than all scores for every viewer.
    fn make_lists(&mut self, objective: &str, config: &PageConfig) {
        let n_titles = self.client.titles().len();
        let options = page_options(config, 0);
        let mut sets: HashMap<*const TitleRow, Option<(Slice, Bitmap<TitleRow>)>> = HashMap::new();
        let mut need = |(idx, row): (usize, &RowConfig)| {
            let k = titles_needed(idx, &options);
            let rows = &self.slices[idx];
            if row.source.objective() != Some(objective) {
                return None;
            }
            if rows.len() == n_titles {
                return Some(RowNeed { list: TitleList { slice: None, k }, set: None });
            }
            // Rows of one genre share their slice.
            let named = sets.entry(rows.as_ptr()).or_insert_with(|| {
                let mut set = Bitmap::with_room(n_titles);
                rows.iter().for_each(|&row| _ = set.insert(row));
                Slice::new(rows.clone()).map(|slice| (slice, set))
            });
            let (slice, set) = named.clone()?;
            Some(RowNeed { list: TitleList { slice: Some(slice), k }, set: Some(set) })
        };
        let mut needs: Vec<_> = config.rows.iter().enumerate().map(&mut need).collect();
        let is_near = |row: &RowConfig| matches!(row.source, Source::BecauseYouWatched { .. });
        let of_viewer = config.rows.iter().zip(&needs).filter(|(row, _)| !is_near(row));
        let lists: Vec<TitleList> =
            of_viewer.filter_map(|(_, need)| Some(need.as_ref()?.list.clone())).collect();
        let n_listed = lists.iter().map(|list| list.n_most(n_titles)).sum();
        if are_shorter(n_listed, n_titles) {
            self.lists = lists.into();
        }
        for (row, need) in config.rows.iter().zip(&mut needs) {
            let asks_for_all = match need {
                Some(need) if is_near(row) => !are_shorter(need.list.n_most(n_titles), n_titles),
                _ => self.lists.is_empty(),
            };
            if asks_for_all {
                *need = None;
            }
        }
        self.needs = needs;
    }

    /// The list for a row; `None` if all scores are queried.
    pub(super) fn list_of_row(&self, row: usize) -> Option<&TitleList> {
        Some(&self.needs.get(row)?.as_ref()?.list)
    }

    /// Whether a row may show a title from a list.
    pub(super) fn may_show(&self, title: TitleRow, row: usize) -> bool {
        match self.needs.get(row) {
            Some(Some(need)) => need.set.as_ref().is_none_or(|set| set.contains(title)),
            _ => self.slices[row].binary_search(&title).is_ok(),
        }
    }

    pub(super) fn catalogue_row(&self, title: TitleRow) -> Option<CatalogueRow> {
        match &self.to_catalogue {
            None => Some(title.in_same_catalogue()),
            Some(map) => map.get(title.idx()).copied().filter(|&row| row != NOT_IN_CATALOGUE),
        }
    }

    /// The rows of the title table whose titles are in the genre of the catalogue.
    fn genre(&self, of_catalogue: Option<&Arc<[CatalogueRow]>>) -> Arc<[TitleRow]> {
        let Some(of_catalogue) = of_catalogue else { return Arc::default() };
        if self.to_catalogue.is_none() {
            return of_catalogue.iter().map(|row| row.in_same_model()).collect();
        }
        let in_genre = |&title: &TitleRow| {
            self.catalogue_row(title).is_some_and(|row| of_catalogue.binary_search(&row).is_ok())
        };
        self.all.iter().copied().filter(in_genre).collect()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use marquee_artifacts::{IdTable, TitleRow};

    use super::*;
    use crate::service::{
        client::{KnownViewer, RankError, ScoresAnswer, ScoresQuery, ViewerQuery},
        types::ModelInfo,
    };

    /// A ranker that has a name but never answers.
    struct Named(ModelInfo, IdTable<TitleRow>);

    impl RankerClient for Named {
        fn info(&self) -> &ModelInfo {
            &self.0
        }

        fn titles(&self) -> &IdTable<TitleRow> {
            &self.1
        }

        fn is_available(&self, _: Instant) -> bool {
            &*self.0.artifact_digest != "gone"
        }

        fn plays(&self) -> &[f32] {
            &[]
        }

        fn recognise<'a: 'q, 'q>(
            &'a self,
            _: ViewerQuery<'q>,
            _: Instant,
        ) -> BoxFuture<'q, Result<KnownViewer<'a>, RankError>> {
            Box::pin(std::future::ready(Err(RankError::NotReady)))
        }

        fn scores(&self, query: ScoresQuery, _: Instant) -> BoxFuture<'_, ScoresAnswer> {
            Box::pin(std::future::ready(ScoresAnswer::failed(&query, &RankError::NotReady)))
        }
    }

    fn revision(name: &str, weight: u32) -> MappedModel {
        let info = ModelInfo { objective: "top-picks".into(), artifact_digest: name.into() };
        let client: Arc<dyn RankerClient> =
            Arc::new(Named(info, IdTable::from_ids(Vec::<String>::new()).unwrap()));
        MappedModel {
            client,
            weight,
            to_catalogue: None,
            all: Arc::default(),
            slices: Vec::new(),
            lists: Arc::default(),
            needs: Vec::new(),
        }
    }

    #[test]
    fn the_fallback_fills_the_rows_of_viewers_whose_revision_cannot_answer() {
        #[rustfmt::skip]
        let cases = [
            ("no model",                    vec![],                                             100),
            ("a model that answers",        vec![revision("aa", 100)],                          0),
            ("a model without pods",        vec![revision("gone", 100)],                        100),
            ("one of two revisions",        vec![revision("aa", 75), revision("gone", 25)],     25),
        ];
        for (why, revisions, percent) in cases {
            let ranker = PageRanker { objective: "top-picks".into(), revisions, is_ranked: true };
            assert_eq!(ranker.fallback_percent(Instant::now()), percent, "{why}");
        }
    }

    #[test]
    fn a_viewer_keeps_a_revision_and_requests_without_a_viewer_are_split_by_their_own_id() {
        let ranker = PageRanker {
            objective: "top-picks".into(),
            revisions: vec![revision("aa", 50), revision("bb", 50)],
            is_ranked: true,
        };
        let gets = |viewer: &str, request: usize| {
            let model = ranker.revision(viewer, &format!("request-{request}")).unwrap();
            model.client.info().artifact_digest.to_string()
        };
        let share = |viewer: &dyn Fn(usize) -> String| {
            (0..1000).filter(|&request| gets(&viewer(request), request) == "aa").count()
        };
        assert!(
            (450..550).contains(&share(&|_| String::new())),
            "requests without a viewer are split by their id"
        );
        assert_eq!(gets("", 7), gets("", 7), "one request gets one revision");
        assert!((450..550).contains(&share(&|n| format!("viewer-{n}"))), "viewers are split by their id");
        assert!(
            [0, 1000].contains(&share(&|_| "viewer-1".to_owned())),
            "a viewer keeps a revision for all requests"
        );
    }
}
