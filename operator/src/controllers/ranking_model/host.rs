//! The conditions of a model that the pods of a page run, or will run: pure.

use marquee_crds::{
    PageLayout, RankingModel,
    conditions::{self, ConditionDraft, ConditionType, Reason},
    pod_config::ResourceRef,
};

use crate::{
    controllers::serving::conditions::{NO_PROBLEM, draft},
    rollout::Finding,
};

/// A page whose pods run a model, or will run it.
pub(super) struct Host<'a> {
    /// The model.
    pub(super) model: &'a RankingModel,
    /// The page.
    pub(super) page: &'a PageLayout,
    /// Whether the pods do not run what the model's spec asks for, and its deadline has passed.
    pub(super) late: bool,
    /// What keeps them from it.
    pub(super) obstacle: Option<Finding>,
}

/// What keeps the pods of `page` from running what specs ask for, as its conditions say it.
pub(super) fn obstacle(page: &PageLayout) -> Option<Finding> {
    use ConditionType as C;
    let status = page.status.as_ref()?;
    let bad = |kind: C| {
        let found =
            conditions::find(&status.conditions, kind).filter(|found| found.status == kind.bad_status())?;
        let reason = Reason::ALL.iter().copied().find(|reason| reason.as_str() == found.reason)?;
        // What other models or the rows lack keeps no pod from starting.
        let is_of_rows =
            matches!(reason, Reason::ModelNotReady | Reason::ObjectiveNotFound | Reason::RowsNotShown);
        let is_obstacle = !reason.is_progress() && !is_of_rows;
        is_obstacle.then(|| Finding { reason, message: found.message.clone() })
    };
    bad(C::ArtifactResolved)
        .or_else(|| bad(C::Ready))
        .or_else(|| bad(C::Degraded))
        .or_else(|| bad(C::Progressing))
}

impl Host<'_> {
    fn name(&self) -> ResourceRef {
        ResourceRef::of(&self.page.metadata)
    }

    /// The obstacle as a clause.
    fn clause(&self) -> String {
        self.obstacle.as_ref().map(|found| format!(": {}", found.message)).unwrap_or_default()
    }

    /// `after` the deadline, as a clause.
    fn after(&self) -> String {
        if self.late { format!(" after {}", self.model.spec.progress_deadline) } else { String::new() }
    }

    /// Why the pods do not run what the spec asks for yet.
    fn reason(&self) -> Reason {
        let late = if self.late { Reason::ProgressDeadlineExceeded } else { Reason::RevisionStarting };
        self.obstacle.as_ref().map_or(late, |found| found.reason)
    }

    /// Whether no pod will run it without an edit.
    fn is_stuck(&self) -> bool {
        let status = self.page.status.as_ref();
        let progressing =
            status.and_then(|status| conditions::find(&status.conditions, ConditionType::Progressing));
        self.late || progressing.is_some_and(|found| found.status == "False")
    }

    fn progressing(&self, message: String) -> ConditionDraft {
        let reason = match (self.late, self.is_stuck()) {
            (true, _) => Reason::ProgressDeadlineExceeded,
            (false, true) => self.reason(),
            (false, false) => Reason::RevisionStarting,
        };
        draft(ConditionType::Progressing, Some(!self.is_stuck()), reason, message)
    }

    /// Whether the artifact is the obstacle. A page has one obstacle for all of its models, and names the model.
    fn artifact_resolved(&self) -> ConditionDraft {
        let kind = ConditionType::ArtifactResolved;
        let this = format!("RankingModel {}", ResourceRef::of(&self.model.metadata));
        match self.obstacle.as_ref().filter(|found| found.is_of_artifact() && found.message.contains(&this)) {
            Some(found) => draft(kind, Some(false), found.reason, found.message.clone()),
            None => {
                let message = format!("no pod has loaded {} yet", self.model.spec.artifact.uri);
                draft(kind, None, Reason::RevisionStarting, message)
            }
        }
    }

    /// The conditions of a model that the pods will run.
    pub(super) fn awaited_conditions(&self) -> Vec<ConditionDraft> {
        let message = format!(
            "the pods of PageLayout {} will answer, and do not run this model yet{}{}",
            self.name(),
            self.after(),
            self.clause()
        );
        let is_bad = self.late || self.obstacle.is_some();
        vec![
            draft(ConditionType::Ready, Some(false), self.reason(), message),
            self.progressing("no pod runs this model yet: see Ready".into()),
            self.artifact_resolved(),
            draft(
                ConditionType::Degraded,
                is_bad.then_some(true),
                self.reason(),
                "no request is answered: see Ready",
            ),
            page_scales(),
        ]
    }

    /// The conditions of a model that the pods run.
    pub(super) fn conditions(&self, is_up_to_date: bool) -> Vec<ConditionDraft> {
        let name = self.name();
        let status = self.page.status.as_ref();
        let is_ready =
            status.is_some_and(|status| conditions::is_true(&status.conditions, ConditionType::Ready));
        let ready = if is_ready {
            let pods = status.map(|status| status.pods.as_str()).unwrap_or_default();
            let message = format!("the pods of PageLayout {name} answer ({pods} ready)");
            draft(ConditionType::Ready, Some(true), Reason::Colocated, message)
        } else {
            let message = format!("the pods of PageLayout {name} run this model, and none of them is ready");
            draft(ConditionType::Ready, Some(false), Reason::NoPodReady, message)
        };
        let (progressing, artifact) = if is_up_to_date {
            let message = format!("PageLayout {name} runs what the spec asks for");
            let loaded = format!("loaded and checked: {}", self.model.spec.artifact.uri);
            (
                draft(ConditionType::Progressing, Some(true), Reason::UpToDate, message),
                draft(ConditionType::ArtifactResolved, Some(true), Reason::ArtifactLoaded, loaded),
            )
        } else {
            let message = format!(
                "PageLayout {name} does not run what the spec asks for{}{}{}; its pods answer as before meanwhile",
                if self.late { "" } else { " yet" },
                self.after(),
                self.clause()
            );
            (self.progressing(message), self.artifact_resolved())
        };
        let is_bad = !is_up_to_date && (self.late || self.obstacle.is_some());
        let degraded = match (is_ready, is_bad) {
            (false, _) => draft(
                ConditionType::Degraded,
                Some(true),
                Reason::NoPodReady,
                "no request is answered: see Ready",
            ),
            (true, true) => {
                let message = format!("an earlier revision answers{}", self.clause());
                draft(ConditionType::Degraded, Some(true), self.reason(), message)
            }
            (true, false) => draft(ConditionType::Degraded, Some(false), Reason::AsExpected, NO_PROBLEM),
        };
        vec![ready, progressing, artifact, degraded, page_scales()]
    }
}

fn page_scales() -> ConditionDraft {
    draft(ConditionType::Autoscaling, Some(true), Reason::Colocated, "the page's pods follow the load")
}
