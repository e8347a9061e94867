//! From a folder on disk to a model, and what is refused on the way.

#![allow(clippy::unwrap_used, reason = "a test stops where its own data is wrong")]

mod worlds;

use std::path::Path;

use marquee_artifacts::{
    Architecture, Artifact, Fault, Golden, IdTable, Lineage, OpenOptions, Role, TensorData, Writer,
};
use marquee_models::weights::Weights;
use marquee_models::{
    Capability, Descriptor, ModelError, ScanOptions, TitleRow, TopKQuery, ViewerContext, ViewerRow,
    biased_mf, bpr, ease, golden, implicit_als, popularity, registry, svd_plus_plus,
};
use serde_json::json;

use worlds::{ARCHITECTURES, Drawn, SMALL, Size, World, f32s, u32s};

/// Writes a small world as an artifact.
fn write(world: &World, dir: &Path, golden: Option<Golden>) {
    let mut writer = Writer::create(dir).unwrap();
    let tensors: Vec<TensorData<'_>> = world
        .tensors
        .iter()
        .map(|(name, raw)| match (raw.as_f32(), raw.as_u32()) {
            (Some(values), _) => TensorData::f32(name, &raw.shape, values),
            (_, Some(values)) => TensorData::u32(name, &raw.shape, values),
            _ => unreachable!("worlds hold f32 and u32"),
        })
        .collect();
    writer.tensors("weights.safetensors", &tensors).unwrap();
    writer.ids(Role::Viewers, (0..SMALL.viewers).map(|row| format!("viewer {row}"))).unwrap();
    writer.ids(Role::Titles, (0..SMALL.titles).map(|row| format!("title {row}"))).unwrap();
    let architecture = world.architecture.architecture();
    writer.finish(architecture, world.hyperparameters.clone(), Lineage::default(), golden).unwrap();
}

#[test]
fn every_architecture_comes_back_from_disk() {
    for architecture in ARCHITECTURES {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("artifact");
        let world = World::new(architecture, SMALL, 2);
        let made = golden::make(&*world.model(), 9).unwrap();
        write(&world, &path, Some(made));
        let artifact = marquee_artifacts::open(&path, &OpenOptions::default()).unwrap();
        let model = registry::load(&artifact).unwrap();
        assert_eq!(model.architecture(), architecture.architecture());
        assert_eq!((model.n_viewers(), model.n_titles()), (SMALL.viewers, SMALL.titles));
        assert_eq!(model.popularity().unwrap().plays()[3], 2.0);
        golden::check(&*model, artifact.manifest.golden.as_ref().unwrap()).unwrap();
    }
}

#[test]
fn histories_keep_the_order_of_time_since_version_2() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("artifact");
    write(&World::new(&ease::DESCRIPTOR, SMALL, 2), &path, None);
    let artifact = marquee_artifacts::open(&path, &OpenOptions::default()).unwrap();
    assert_eq!(artifact.manifest.format_version, 2);
    let model = registry::load(&artifact).unwrap();
    let history = model.history().unwrap();
    let reversed: Vec<TitleRow> = history.watched(ViewerRow(3)).iter().rev().copied().collect();
    assert!(reversed.len() > 1);
    assert_eq!(history.watched_in_order(ViewerRow(3)), Some(reversed.as_slice()));
    assert_eq!(history.watched_in_order(ViewerRow(7)), None, "there is no such viewer");

    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts/tests/version-1");
    let artifact = marquee_artifacts::open(&old, &OpenOptions::default()).unwrap();
    assert_eq!(artifact.manifest.format_version, 1);
    let model = registry::load(&artifact).unwrap();
    golden::check(&*model, artifact.manifest.golden.as_ref().unwrap()).unwrap();
    let history = model.history().unwrap();
    assert_eq!(history.watched(ViewerRow(0)), [0, 1, 2].map(TitleRow));
    assert_eq!(history.watched_in_order(ViewerRow(0)), None, "version 1 keeps no order");
}

#[test]
fn a_mapped_model_costs_little_beside_its_file() {
    let size = Size { viewers: 3000, titles: 3000, d: 64 };
    for architecture in ARCHITECTURES {
        let world = World::new(architecture, size, 2);
        let file: usize = world.tensors.values().map(|tensor| tensor.data.len()).sum();
        let heap = world.model().heap_bytes();
        assert!(heap * 10 <= file, "{}: {heap} bytes of heap beside a file of {file}", architecture.name());
    }
}

#[test]
fn what_is_no_model_of_a_known_architecture_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("artifact");
    write(&World::new(&bpr::DESCRIPTOR, SMALL, 2), &path, None);
    let good = marquee_artifacts::open(&path, &OpenOptions::default()).unwrap();
    let refused = |architecture: Architecture| {
        let mut artifact = good.clone();
        artifact.manifest.architecture = architecture;
        registry::load(&artifact).err().unwrap()
    };
    let manifest = path.join("marquee.json").display().to_string();
    let cases = [
        (
            "two-tower",
            Some(Fault::UnknownArchitecture),
            format!(
                "{manifest}: expected one of the architectures popularity, biased-mf, svd-plus-plus, implicit-als, bpr, \
                 ease, catalogue, found `two-tower`: upgrade marquee-runtime, or train with this version"
            ),
        ),
        (
            "ease",
            Some(Fault::Tensor),
            format!("{manifest}: expected tensor `weights` for architecture ease, found none"),
        ),
        (
            "catalogue",
            None,
            "catalogue is title metadata and ranks nothing: name a model's artifact instead".to_owned(),
        ),
    ];
    for (name, fault, message) in cases {
        let error = refused(Architecture::named(name));
        assert_eq!(error.to_string(), message);
        let found = if let ModelError::Artifact(error) = &error { error.fault() } else { None };
        assert_eq!(found, fault, "{name}");
    }
    let world = World::new(&bpr::DESCRIPTOR, SMALL, 2);
    let unknown = Weights { architecture: Architecture::named("two-tower"), ..world.weights() };
    let error = registry::build(&unknown, ScanOptions::default()).err().unwrap();
    assert_eq!(error.to_string(), "architecture two-tower is unknown: upgrade marquee-runtime");
}

#[test]
fn a_descriptor_says_what_its_models_offer() {
    for architecture in ARCHITECTURES {
        let model = World::new(architecture, SMALL, 2).model();
        let offered: Vec<Capability> =
            Capability::ALL.into_iter().filter(|capability| capability.is_offered_by(&*model)).collect();
        assert_eq!(offered, architecture.capabilities, "{}", architecture.name());
    }
    let model = World::new(&ease::DESCRIPTOR, SMALL, 2).model();
    let error = ModelError::lacks(&*model, Capability::Embeddings);
    let message =
        "a model of architecture ease cannot give vectors of titles: serve one of an architecture that can";
    assert_eq!(error.to_string(), message);
}

#[test]
fn ids_must_be_as_many_as_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("artifact");
    write(&World::new(&bpr::DESCRIPTOR, SMALL, 2), &path, None);
    let good = marquee_artifacts::open(&path, &OpenOptions::default()).unwrap();
    let refused = |artifact: &Artifact| registry::load(artifact).err().unwrap().to_string();
    let swapped = Artifact { titles: good.viewers.clone().map(IdTable::with_rows), ..good.clone() };
    let expected = "expected tensor `title.plays` to be F32 [7] with 7 viewers and 7 titles, found F32 [23]";
    assert!(refused(&swapped).ends_with(expected), "{}", refused(&swapped));
    let without = Artifact { viewers: None, ..good };
    let expected =
        "expected tensor `history.offsets` to be U32 [1] with 0 viewers and 23 titles, found U32 [8]";
    assert!(refused(&without).ends_with(expected), "{}", refused(&without));
}

/// What is done to a good world, and what is said of it.
type Refused = (&'static Descriptor, fn(&mut World), &'static str);

#[test]
fn weights_that_do_not_fit_are_refused_by_name() {
    fn put(world: &mut World, name: &str, tensor: marquee_artifacts::RawTensor) {
        world.tensors.insert(name.to_owned(), tensor);
    }
    fn zeros(shape: &[usize]) -> marquee_artifacts::RawTensor {
        f32s(shape, std::iter::repeat(0.0))
    }
    #[rustfmt::skip]
    let cases: [Refused; 17] = [
        (&popularity::DESCRIPTOR, |w| { w.tensors.remove("title.plays"); }, "tensor title.plays of popularity: expected F32, found no such tensor"),
        (&popularity::DESCRIPTOR, |w| put(w, "title.plays", u32s(&[1])), "tensor title.plays of popularity: expected F32, found U32"),
        (&popularity::DESCRIPTOR, |w| put(w, "title.plays", zeros(&[0])), "tensor title.plays of popularity: expected shape [any], found [0]"),
        (&implicit_als::DESCRIPTOR, |w| put(w, "title.factors", zeros(&[22, 5])), "tensor title.factors of implicit-als: expected shape [23, any], found [22, 5]"),
        (&implicit_als::DESCRIPTOR, |w| put(w, "viewer.factors", zeros(&[7, 6])), "tensor viewer.factors of implicit-als: expected shape [7, 5], found [7, 6]"),
        (&implicit_als::DESCRIPTOR, |w| { w.hyperparameters.remove("alpha"); }, "hyperparameter alpha of implicit-als: expected a number from 0 to 1000000000, found nothing"),
        (&implicit_als::DESCRIPTOR, |w| { w.hyperparameters["regularization"] = json!(-1); }, "hyperparameter regularization of implicit-als: expected a number from 0 to 1000000000, found -1"),
        (&implicit_als::DESCRIPTOR, |w| { w.hyperparameters["alpha"] = json!("40"); }, "hyperparameter alpha of implicit-als: expected a number from 0 to 1000000000, found \"40\""),
        (&bpr::DESCRIPTOR, |w| { w.hyperparameters["factors"] = json!(64); }, "hyperparameter factors of bpr: the tensors have 5 columns, found 64"),
        (&bpr::DESCRIPTOR, |w| put(w, "title.bias", zeros(&[23, 1])), "tensor title.bias of bpr: expected shape [23], found [23, 1]"),
        (&ease::DESCRIPTOR, |w| put(w, "weights", zeros(&[23, 22])), "tensor weights of ease: expected shape [23, 23], found [23, 22]"),
        (&biased_mf::DESCRIPTOR, |w| put(w, "global.mean", zeros(&[2])), "tensor global.mean of biased-mf: expected shape [1], found [2]"),
        (&biased_mf::DESCRIPTOR, |w| { w.hyperparameters["ratingMax"] = json!(0.5); }, "hyperparameter ratingMax of biased-mf: expected a number from 1 to 1000000000, found 0.5"),
        (&svd_plus_plus::DESCRIPTOR, |w| put(w, "title.implicit", zeros(&[23, 4])), "tensor title.implicit of svd-plus-plus: expected shape [23, 5], found [23, 4]"),
        (&popularity::DESCRIPTOR, |w| put(w, "history.offsets", u32s(&[0, 3, 2])), "tensor history.offsets: expected numbers ascending from 0 to 29, the length of history.titles (of popularity)"),
        (&popularity::DESCRIPTOR, |w| { put(w, "history.offsets", u32s(&[0, 0, 2])); put(w, "history.titles", u32s(&[4, 4])); }, "tensor history.titles: expected titles of viewer 1 ascending, each once and below 23 (of popularity)"),
        (&popularity::DESCRIPTOR, |w| { put(w, "history.offsets", u32s(&[0, 1])); put(w, "history.titles", u32s(&[23])); }, "tensor history.titles: expected titles of viewer 0 ascending, each once and below 23 (of popularity)"),
    ];
    for (architecture, spoil, expected) in cases {
        let mut world = World::new(architecture, SMALL, 2);
        spoil(&mut world);
        let error = registry::build(&world.weights(), ScanOptions::default()).err().expect(expected);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn rows_outside_the_tables_are_refused() {
    for architecture in ARCHITECTURES {
        let model = World::new(architecture, SMALL, 2).model();
        let ask = |known: Option<u32>, recent: &[u32]| -> Vec<ModelError> {
            let drawn = Drawn::new(known, recent);
            let viewer = drawn.context();
            let query = TopKQuery { viewer, k: 1, candidates: None, exclude: &[], include_watched: true };
            let all = [
                model.score_all().unwrap().score_all_into(&[viewer], &mut [0.0; SMALL.titles]).err(),
                model.score(&[viewer], &[&[TitleRow(0)]]).err(),
                model.top_k().unwrap().best(&[query]).err(),
            ];
            all.into_iter().flatten().collect()
        };
        for error in ask(Some(7), &[]).iter().chain(&ask(Some(7), &[1])) {
            assert_eq!(error.to_string(), "viewer 7 is outside the model's 7", "{}", architecture.name());
        }
        assert_eq!(ask(Some(7), &[]).len(), 3, "{}", architecture.name());
        let errors = ask(None, &[1, 23]);
        assert_eq!(errors.len(), 3, "{}", architecture.name());
        assert!(errors.iter().all(|error| error.to_string() == "title 23 is outside the model's 23"));
        let stranger = ViewerContext::default();
        let outside = TitleRow::from_numbers(&[1, 40]);
        let error = model.score(&[stranger], &[outside]).err().unwrap();
        assert_eq!(error.to_string(), "title 40 is outside the model's 23");
        let query = TopKQuery {
            viewer: stranger,
            k: 1,
            candidates: Some(outside),
            exclude: &[],
            include_watched: true,
        };
        let error = model.top_k().unwrap().best(&[query]).err().unwrap();
        assert_eq!(error.to_string(), "title 40 is outside the model's 23");
        assert!(model.history().unwrap().watched(ViewerRow(7)).is_empty());
    }
}

#[test]
fn lists_that_do_not_belong_together_are_refused() {
    for architecture in ARCHITECTURES {
        let model = World::new(architecture, SMALL, 2).model();
        let error = model.score(&[ViewerContext::default()], &[]).err().unwrap();
        assert_eq!(error.to_string(), "lists of candidates, one a viewer: expected 1, found 0");
        let all = model.score_all().unwrap();
        let error = all.score_all_into(&[ViewerContext::default()], &mut [0.0; 22]).err().unwrap();
        assert_eq!(error.to_string(), "room for scores, one a viewer and title: expected 23, found 22");
    }
}
