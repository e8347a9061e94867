//! A surface in memory: a layout, its models, and what the cluster has of each.

use std::sync::Arc;

use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{ConditionType, find},
    page_layout::PageLayoutStatus,
    ranking_model::RankingModelStatus,
};
use marquee_operator::observed::{Capabilities, PageFacts};

use crate::cluster::{Cluster, reconcile_layout, reconcile_model, settings, stored};

/// A surface: one layout, its models, and what the cluster has of each.
pub struct Surface {
    pub layout: PageLayout,
    pub page: Cluster,
    pub models: Vec<(RankingModel, Cluster)>,
}

impl Surface {
    pub fn new(layout: PageLayout, models: Vec<RankingModel>) -> Self {
        let cluster = || Cluster::new(Capabilities::default());
        Self { layout, page: cluster(), models: models.into_iter().map(|model| (model, cluster())).collect() }
    }

    /// Lets everyone decide, until nobody has anything new to say. All children's pods appear, and become ready where `ready` says.
    pub fn settle(&mut self, ready: impl Fn(&str) -> bool) {
        for _ in 0..12 {
            self.page.observed.models =
                self.models.iter().map(|(model, _)| Arc::new(model.clone())).collect();
            let page = reconcile_layout(&self.layout, &self.page.observed, &settings(), self.page.now);
            self.layout.status = Some(stored(&page.status));
            self.page.apply(&page.children);
            self.page.make_ready(|_| ready("page"));
            for (model, cluster) in &mut self.models {
                cluster.observed.page = Some(Arc::new(self.layout.clone()));
                let plan = reconcile_model(model, &cluster.observed, &settings(), cluster.now);
                model.status = Some(stored(&plan.status));
                cluster.apply(&plan.children);
                let name = model.metadata.name.clone().unwrap();
                cluster.make_ready(|_| ready(&name));
            }
        }
    }

    pub fn wait(&mut self, seconds: i64) {
        self.page.wait(seconds);
        self.models.iter_mut().for_each(|(_, cluster)| cluster.wait(seconds));
    }

    pub fn page_status(&self) -> &PageLayoutStatus {
        self.layout.status.as_ref().unwrap()
    }

    pub fn model_status(&self, n: usize) -> &RankingModelStatus {
        self.models[n].0.status.as_ref().unwrap()
    }

    /// What every pod of the page reports: the objectives with the share of viewers for whom the fallback fills the rows, and warnings.
    pub fn report(&mut self, fallback_percent: &[(&str, u32)], warnings: &[&str]) {
        let facts = PageFacts {
            fallback_percent: fallback_percent
                .iter()
                .map(|(name, percent)| ((*name).to_owned(), *percent))
                .collect(),
            warnings: warnings.iter().map(|&warning| warning.to_owned()).collect(),
        };
        self.page.observed.pods.iter_mut().for_each(|pod| pod.page = Some(facts.clone()));
    }

    /// Status, reason and message of a condition of the page.
    pub fn page_says(&self, kind: ConditionType) -> (&str, &str, &str) {
        let found = find(&self.page_status().conditions, kind).unwrap();
        (&found.status, &found.reason, &found.message)
    }

    /// Status, reason and message of a condition of a model.
    pub fn model_says(&self, n: usize, kind: ConditionType) -> (&str, &str, &str) {
        let found = find(&self.model_status(n).conditions, kind).unwrap();
        (&found.status, &found.reason, &found.message)
    }
}
