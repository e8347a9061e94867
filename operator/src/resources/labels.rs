//! Names and labels of children.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::ObjectMeta;
use marquee_crds::{labels, revision_name::RevisionName};

use super::Workload;

/// Labels of a child, of one revision or of all.
pub(super) fn child_labels(
    workload: &Workload<'_>,
    revision: Option<&RevisionName>,
) -> BTreeMap<String, String> {
    let mut all = selected(workload, revision);
    let more = [
        (labels::NAME, labels::MARQUEE),
        (labels::INSTANCE, &workload.owner.name),
        (labels::PART_OF, labels::MARQUEE),
        (labels::MANAGED_BY, labels::OPERATOR),
    ];
    all.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
    all
}

/// The labels that select the pods of one revision or of all: as few as possible, because a Deployment's selector can never change.
pub(super) fn selected(workload: &Workload<'_>, revision: Option<&RevisionName>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([
        (labels::COMPONENT.to_owned(), workload.component.label().to_owned()),
        (workload.component.parent_label().to_owned(), workload.owner.name.clone()),
    ]);
    if let Some(revision) = revision {
        all.insert(labels::REVISION.to_owned(), revision.to_string());
    }
    all
}

/// [`selected`] as a label selector of Kubernetes.
pub(super) fn selector(workload: &Workload<'_>, revision: Option<&RevisionName>) -> LabelSelector {
    LabelSelector { match_labels: Some(selected(workload, revision)), ..LabelSelector::default() }
}

/// The selector of the pods of all revisions, in the form of a status.
pub fn selector_text(workload: &Workload<'_>) -> String {
    text_of(&selected(workload, None))
}

/// A selector as text.
pub fn text_of(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// Metadata of a child, of one revision or of all.
pub(super) fn metadata(workload: &Workload<'_>, name: String, revision: Option<&RevisionName>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(workload.namespace.clone()),
        labels: Some(child_labels(workload, revision)),
        owner_references: Some(vec![workload.owner.clone()]),
        ..ObjectMeta::default()
    }
}
