//! What a new architecture and its algorithm cost: a descriptor, a trainer, and a line in a list of each.
//!
//! This one scores titles by how often they followed the viewer's latest one. It reads the order of the events, computes
//! with tensors, and cannot score the whole catalogue: none of which an architecture of this repository does.

use std::sync::Arc;

use marquee_algorithms::{
    FitContext, Hyperparameters, Interactions, Trainer,
    cost::{CostModel, FitCost, SampledBy},
    interactions::{Duplicates, Interaction},
    metrics::RatingScale,
    trainer::FittedTensor,
};
use marquee_artifacts::layout::{Declaration, Layout, Size, WATCH_HISTORY};
use marquee_artifacts::{Architecture, Lineage};
use marquee_models::{
    Capability, Descriptor, Model, ModelError, ScanOptions, TitleRow, ViewerContext, ViewerEvent, ViewerRow,
    capabilities::History,
    descriptor::Cost,
    golden,
    registry::{self, Registry},
    watch_history::WatchHistory,
    weights::Weights,
};
use marquee_training::{
    Algorithm,
    artifact::{self, Origin},
    data::Ids,
    fit::{self, TrainingData},
};

static DESCRIPTOR: Descriptor = Descriptor {
    layout: Layout {
        architecture: "next-title",
        tensors: &[WATCH_HISTORY, &[Declaration::f32("follows", &[Size::Titles, Size::Titles])]],
    },
    about: "Titles by how often they followed the latest one.",
    load: |weights, _| Ok(Arc::new(NextTitle::load(weights)?)),
    capabilities: &[Capability::History],
    ignores_order: false,
    cost: Cost::Titles,
};

static TRAINER: Trainer = Trainer {
    name: "next-title",
    about: "Plays: which title follows which",
    architecture: "next-title",
    is_explicit: false,
    depends_on_threads: false,
    resumes: false,
    hyperparameters: &[],
    defaults: Hyperparameters::new,
    fit: |data, _, _| {
        let n = data.n_titles();
        let mut values = vec![0.0; n * n];
        let sequence = data.titles_in_order();
        for viewer in 0..data.n_viewers() {
            for pair in sequence[data.span(viewer)].windows(2) {
                values[pair[0] as usize * n + pair[1] as usize] += 1.0;
            }
        }
        Ok(vec![FittedTensor { name: "follows", shape: vec![n, n], values }])
    },
    working_bytes: |_, _| 0,
    cost: CostModel {
        cost: |data, _, _| FitCost { first: data.len() as f64, later: 0.0 },
        shortened: |_, hyperparameters| hyperparameters.clone(),
        sampled_by: SampledBy::Viewers,
    },
};

/// Weights: `follows` `(n_titles, n_titles)`, row i holding how often each title followed title i.
struct NextTitle {
    watch_history: WatchHistory,
    follows: candle_core::Tensor,
}

impl NextTitle {
    fn load(weights: &Weights<'_>) -> Result<Self, ModelError> {
        let watch_history = WatchHistory::load(weights)?;
        let n = watch_history.n_titles();
        Ok(Self { follows: weights.tensor("follows", &[n, n])?, watch_history })
    }
}

impl Model for NextTitle {
    fn architecture(&self) -> Architecture {
        DESCRIPTOR.architecture()
    }

    fn n_titles(&self) -> usize {
        self.watch_history.n_titles()
    }

    fn n_viewers(&self) -> usize {
        self.watch_history.n_viewers()
    }

    fn heap_bytes(&self) -> usize {
        4 * self.n_titles() * self.n_titles()
    }

    fn score(
        &self,
        viewers: &[ViewerContext<'_>],
        candidates: &[&[TitleRow]],
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let one = |(viewer, titles): (&ViewerContext<'_>, &&[TitleRow])| {
            let Some(latest) = viewer.titles().next() else { return Ok(vec![0.0; titles.len()]) };
            let row = self.follows.get(latest.idx())?.to_vec1::<f32>()?; // (n_titles)
            Ok(titles.iter().map(|title| row[title.idx()]).collect())
        };
        viewers.iter().zip(candidates).map(one).collect()
    }

    fn history(&self) -> Option<&dyn History> {
        Some(&self.watch_history)
    }
}

fn interactions() -> Interactions {
    let play = |viewer, title, time| Interaction { viewer, title, rating: 1.0, time };
    let rows = [
        play(0, 2, 10),
        play(0, 0, 20),
        play(0, 1, 30),
        play(1, 2, 5),
        play(1, 0, 6),
        play(1, 3, 7),
        play(2, 1, 1),
    ];
    Interactions::from_rows(3, 4, &rows, Duplicates::Refuse).unwrap()
}

fn ids(names: &[&str]) -> Ids {
    let mut ids = Ids::default();
    for name in names {
        ids.intern(name).unwrap();
    }
    ids
}

#[test]
fn a_made_up_architecture_is_trained_written_opened_and_served() {
    // The one list of architectures.
    let with_made_up = [registry::ARCHITECTURES, &[&DESCRIPTOR]].concat();
    let registry = Registry(&with_made_up);

    let interactions = interactions();
    let data = TrainingData { interactions: &interactions, scale: RatingScale { least: 1.0, most: 1.0 } };
    let algorithm = Algorithm(&TRAINER);
    let mut context = FitContext::new(1, 1).unwrap();
    let fitted = fit::fit(algorithm, &Hyperparameters::new(), data, &mut context).unwrap();

    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("artifact");
    let (viewers, titles) = (ids(&["ann", "bob", "eve"]), ids(&["10", "20", "30", "40"]));
    let origin = Origin { viewers: &viewers, titles: &titles, lineage: Lineage::default() };
    let digest = artifact::write_of(registry, &folder, &fitted, origin).unwrap();

    let opened = artifact::open_whole(&folder, Some(digest)).unwrap();
    let model = registry.load(&opened, ScanOptions::default()).unwrap();
    golden::check(&*model, opened.manifest.golden.as_ref().unwrap()).unwrap();
    let offered = Capability::ALL.into_iter().filter(|one| one.is_offered_by(&*model));
    assert_eq!(offered.collect::<Vec<_>>(), DESCRIPTOR.capabilities);

    let [two, zero] = [2, 0].map(|title| ViewerEvent::play(TitleRow(title)));
    let all = [0, 1, 2, 3].map(TitleRow);
    let scores = |latest_first: &[ViewerEvent]| {
        model.score(&[ViewerContext::of_events(latest_first)], &[&all]).unwrap().remove(0)
    };
    assert_eq!(scores(&[two, zero]), [2.0, 0.0, 0.0, 0.0], "title 0 followed title 2 twice");
    assert_eq!(scores(&[zero, two]), [0.0, 1.0, 0.0, 1.0], "the order of the events counts");

    let in_order = model.history().and_then(|history| history.watched_in_order(ViewerRow(0)));
    assert_eq!(in_order, Some(&[2, 0, 1].map(TitleRow)[..]), "the artifact keeps the order of time");

    let lacks = ModelError::lacks(&*model, Capability::ScoreAll);
    let message = "a model of architecture next-title cannot score the whole catalogue: serve one of an architecture that can";
    assert_eq!(lacks.to_string(), message);
    let unknown = artifact::load(&opened, &folder).err().unwrap();
    let source = std::error::Error::source(&unknown).unwrap().to_string();
    assert!(source.contains("found `next-title`"), "{source}");
}
