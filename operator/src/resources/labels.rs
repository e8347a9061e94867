//! What children are called and found by.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::ObjectMeta;
use marquee_crds::labels;

use super::Workload;

/// Labels of a child; none of a revision when `revision` is empty.
pub(super) fn child_labels(of: &Workload<'_>, revision: &str) -> BTreeMap<String, String> {
    let mut all = selected(of, revision);
    let more = [
        (labels::NAME, labels::MARQUEE),
        (labels::INSTANCE, &of.parent.name),
        (labels::PART_OF, labels::MARQUEE),
        (labels::MANAGED_BY, labels::OPERATOR),
    ];
    all.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
    all
}

/// The labels that select pods: as few as tell them apart, because a Deployment's selector is fixed for life.
pub(super) fn selected(of: &Workload<'_>, revision: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([
        (labels::COMPONENT.to_owned(), of.part.component().to_owned()),
        (of.part.parent_label().to_owned(), of.parent.name.clone()),
    ]);
    if !revision.is_empty() {
        all.insert(labels::REVISION.to_owned(), revision.to_owned());
    }
    all
}

/// [`selected`], as Kubernetes takes it.
pub(super) fn selector(of: &Workload<'_>, revision: &str) -> LabelSelector {
    LabelSelector { match_labels: Some(selected(of, revision)), ..LabelSelector::default() }
}

/// Selects the pods of all revisions, as a status writes it.
pub fn selector_text(of: &Workload<'_>) -> String {
    text_of(&selected(of, ""))
}

/// A selector as a text.
pub fn text_of(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// Metadata of a child; of no revision when `revision` is empty.
pub(super) fn metadata(of: &Workload<'_>, name: String, revision: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(of.parent.namespace.clone()),
        labels: Some(child_labels(of, revision)),
        owner_references: Some(vec![of.parent.owner.clone()]),
        ..ObjectMeta::default()
    }
}
