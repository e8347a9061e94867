//! Loads the whole folder: every file, every document, and the rules between resources.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use marquee_crds::{
    PageLayout, RankingModel,
    pod_config::{PodConfig, Problem, ResourceRef, Severity, convert},
};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::{
    Note,
    document::{Document, Resource},
    error::{Fault, ManifestError},
    folder,
    limits::MAX_ERRORS,
    position::Position,
    schema::{Finding, KindSchema, kinds},
    yaml::documents,
};

/// Fields of a `spec` that configure pods and do not change what is served.
const POD_FIELDS: [&str; 24] = [
    "affinity",
    "artifact.volume",
    "autoscaling",
    "catalogue.volume",
    "env",
    "gateway",
    "imagePullSecrets",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
    "priorityClassName",
    "progressDeadline",
    "replicas",
    "resources",
    "revisionHistoryLimit",
    "runtimeClassName",
    "schedulerName",
    "serviceAccount",
    "serving.autoscaling",
    "serving.replicas",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topology",
    "topologySpread",
];

/// The content of a folder of manifests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    /// The models, in the order of files and lines, with defaults.
    pub models: Vec<RankingModel>,
    /// The layouts, in the same order, with defaults.
    pub layouts: Vec<PageLayout>,
    /// The files read, sorted.
    pub files: Vec<PathBuf>,
    /// What a process serves.
    pub config: PodConfig,
    /// Problems of severity `Degraded`: `serve` starts and logs them, `verify` fails.
    pub warnings: Vec<ManifestError>,
    /// What a single process ignores in the manifests.
    pub notes: Vec<Note>,
}

/// Reads the manifests at `path`, a folder or a file.
///
/// # Errors
/// All errors, sorted by file and line; never empty. Two models for one objective and two layouts for one surface are
/// errors here; a cluster would serve the older one.
pub fn load(path: &Path) -> Result<Loaded, Vec<ManifestError>> {
    read(path, None)
}

/// Reads the manifests at `path` again, as [`load`] does, and compares them with `before`: fields that a cluster does not
/// let you change must not change here.
///
/// # Errors
/// As for [`load`], plus an error for each immutable field that changed.
pub fn reload(path: &Path, before: &Loaded) -> Result<Loaded, Vec<ManifestError>> {
    read(path, Some(before))
}

fn read(path: &Path, before: Option<&Loaded>) -> Result<Loaded, Vec<ManifestError>> {
    let of_folder =
        |fault| vec![ManifestError { file: path.to_owned(), at: None, resource: None, field: None, fault }];
    let kinds = kinds().map_err(|defect| of_folder(Fault::Unfit(defect.to_owned())))?;
    let mut reader = Reader::default();
    for file in folder::read(path, &mut reader.notes).map_err(of_folder)? {
        let found = reader.file(&file.path, file.text, kinds);
        reader.report(found);
        reader.files.push(file.path);
    }
    if reader.placed.is_empty() && reader.errors.is_empty() {
        return Err(of_folder(Fault::NoResource { files: reader.files.len() }));
    }
    reader.duplicates();
    reader.changes(before);
    reader.finish()
}

/// A resource and its file.
struct Placed {
    file: PathBuf,
    resource: Resource,
}

impl Placed {
    fn error(&self, finding: Finding) -> ManifestError {
        error(&self.file, Some(self.resource.label()), finding)
    }
}

fn error(file: &Path, resource: Option<String>, finding: Finding) -> ManifestError {
    let Finding { at, field, fault } = finding;
    let field = (!field.is_empty()).then_some(field);
    ManifestError { file: file.to_owned(), at: Some(at), resource, field, fault }
}

#[derive(Default)]
struct Reader {
    files: Vec<PathBuf>,
    placed: Vec<Placed>,
    errors: Vec<ManifestError>,
    notes: Vec<Note>,
}

impl Reader {
    /// Reads one file and returns its errors.
    fn file(
        &mut self,
        path: &Path,
        text: Result<String, Fault>,
        kinds: &'static [KindSchema],
    ) -> Vec<ManifestError> {
        let text = match text {
            Ok(text) => text,
            Err(fault) => {
                return vec![ManifestError {
                    file: path.to_owned(),
                    at: None,
                    resource: None,
                    field: None,
                    fault,
                }];
            }
        };
        let documents = documents(&text);
        let plain = |(at, fault)| error(path, None, Finding { at, field: String::new(), fault });
        let mut errors: Vec<ManifestError> = documents.faults.into_iter().map(plain).collect();
        for node in documents.nodes {
            let document = Document::read(node, kinds);
            self.notes.extend(document.notes);
            let file = || path.to_owned();
            self.placed
                .extend(document.resources.into_iter().map(|resource| Placed { file: file(), resource }));
            errors.extend(
                document.findings.into_iter().map(|(resource, finding)| error(path, resource, finding)),
            );
        }
        errors
    }

    /// Keeps the first errors of a file by line, and counts the others.
    fn report(&mut self, mut errors: Vec<ManifestError>) {
        errors.sort_by_key(|error| error.at);
        let over = errors.len().saturating_sub(MAX_ERRORS);
        errors.truncate(MAX_ERRORS);
        if let (true, Some(last)) = (over > 0, errors.last()) {
            let file = last.file.clone();
            errors.push(ManifestError {
                file,
                at: None,
                resource: None,
                field: None,
                fault: Fault::More(over),
            });
        }
        self.errors.append(&mut errors);
    }

    /// Finds resources with the same kind, namespace and name. The first one stays.
    fn duplicates(&mut self) {
        let mut first: BTreeMap<String, String> = BTreeMap::new();
        let mut kept = Vec::new();
        for placed in std::mem::take(&mut self.placed) {
            let at = placed.resource.node.locate("metadata.name");
            let label = placed.resource.label();
            if let Some(first) = first.get(&label) {
                let fault = Fault::DuplicateResource { first: first.clone() };
                self.errors.push(placed.error(Finding { at, field: "metadata.name".into(), fault }));
                continue;
            }
            first.insert(label, format!("{}:{}:{}", placed.file.display(), at.line, at.column));
            kept.push(placed);
        }
        self.placed = kept;
    }

    /// Finds immutable fields that changed.
    fn changes(&mut self, before: Option<&Loaded>) {
        let Some(before) = before else { return };
        let mut old: BTreeMap<String, Json> = BTreeMap::new();
        for model in &before.models {
            let json = serde_json::to_value(model).unwrap_or_default();
            old.insert(format!("RankingModel {}", ResourceRef::of(&model.metadata)), json);
        }
        for layout in &before.layouts {
            let json = serde_json::to_value(layout).unwrap_or_default();
            old.insert(format!("PageLayout {}", ResourceRef::of(&layout.metadata)), json);
        }
        let mut errors = Vec::new();
        for placed in &self.placed {
            if let Some(old) = old.get(&placed.resource.label()) {
                errors.extend(
                    placed.resource.broken_rules(Some(old)).into_iter().map(|finding| placed.error(finding)),
                );
            }
        }
        self.errors.append(&mut errors);
    }

    fn finish(mut self) -> Result<Loaded, Vec<ManifestError>> {
        let models = self.typed::<RankingModel>("RankingModel");
        let layouts = self.typed::<PageLayout>("PageLayout");
        let (config, problems) = convert(&models, &layouts);
        let (refused, degraded): (Vec<Problem>, Vec<Problem>) =
            problems.into_iter().partition(|problem| problem.severity() == Severity::Refused);
        let refused: Vec<ManifestError> = refused.into_iter().map(|problem| self.place(problem)).collect();
        self.errors.extend(refused);
        if !self.errors.is_empty() {
            // Do not report dangling rows here: the missing model may be in a file with errors.
            self.errors.sort_by(|a, b| (&a.file, a.at.is_none(), a.at).cmp(&(&b.file, b.at.is_none(), b.at)));
            return Err(self.errors);
        }
        let mut warnings: Vec<ManifestError> =
            degraded.into_iter().map(|problem| self.place(problem)).collect();
        warnings.sort_by(|a, b| (&a.file, a.at).cmp(&(&b.file, b.at)));
        let mut namespaces: Vec<String> =
            self.placed.iter().map(|placed| placed.resource.reference.namespace.clone()).collect();
        namespaces.sort();
        namespaces.dedup();
        if let Some(note) = self.pod_fields() {
            self.notes.insert(0, note);
        }
        if namespaces.len() > 1 {
            self.notes.insert(0, Note::NamespacesMerged { namespaces });
        }
        Ok(Loaded { models, layouts, files: self.files, config, warnings, notes: self.notes })
    }

    /// The fields in use that only configure pods.
    fn pod_fields(&self) -> Option<Note> {
        let written = |field: &&&str| {
            let path = format!("spec.{field}");
            self.placed.iter().any(|placed| placed.resource.node.at_path(&path).is_some())
        };
        let fields: Vec<String> =
            POD_FIELDS.iter().filter(written).map(|field| (*field).to_owned()).collect();
        (!fields.is_empty()).then_some(Note::PodFieldsIgnored { fields })
    }

    fn typed<T: DeserializeOwned>(&mut self, kind: &str) -> Vec<T> {
        let mut typed = Vec::new();
        let mut errors = Vec::new();
        for placed in self.placed.iter().filter(|placed| placed.resource.kind.name == kind) {
            match serde_json::from_value(placed.resource.object.clone()) {
                Ok(resource) => typed.push(resource),
                Err(unfit) => {
                    let at = placed.resource.node.at;
                    let fault = Fault::Unfit(unfit.to_string());
                    errors.push(placed.error(Finding { at, field: String::new(), fault }));
                }
            }
        }
        self.errors.append(&mut errors);
        typed
    }

    /// Adds to a problem between resources the place in the manifests to change.
    fn place(&self, problem: Problem) -> ManifestError {
        let field = problem.field();
        let is_it = |placed: &&Placed| {
            placed.resource.kind.name == problem.kind() && placed.resource.reference == *problem.resource()
        };
        let placed = self.placed.iter().find(is_it);
        let at: Option<Position> = placed.map(|placed| placed.resource.node.locate(&field));
        ManifestError {
            file: placed.map(|placed| placed.file.clone()).unwrap_or_default(),
            at,
            resource: Some(format!("{} {}", problem.kind(), problem.resource())),
            field: Some(field),
            fault: Fault::Problem(Box::new(problem)),
        }
    }
}
