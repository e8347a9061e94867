//! Fixed weights, fixed scores: what changes a score by more than rounding shows here. `UPDATE_GOLDEN=1` rewrites the files.

mod worlds;

use std::path::PathBuf;

use marquee_artifacts::manifest::{Golden, GoldenCase};
use marquee_models::golden::{self, GoldenError};
use marquee_models::{ModelError, ViewerContext, ViewerRow};

use worlds::{ARCHITECTURES, SMALL, World};

fn file(world: &World) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{}.json", world.weights().name()))
}

#[test]
fn every_architecture_reproduces_its_golden() {
    for architecture in ARCHITECTURES {
        let world = World::new(architecture, SMALL, 1);
        let model = world.model();
        let path = file(&world);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let made = golden::make(&*model, 7).unwrap();
            std::fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
        }
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let golden: Golden = serde_json::from_str(&text).unwrap();
        golden::check(&*model, &golden).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn made_goldens_cover_every_kind_of_viewer() {
    let model = World::new(ARCHITECTURES[1], SMALL, 1).model();
    let made = golden::make(&*model, 3).unwrap();
    let kinds: Vec<(bool, bool)> =
        made.cases.iter().map(|case| (case.viewer.is_some(), !case.recent.is_empty())).collect();
    for kind in [(true, false), (true, true), (false, true), (false, false)] {
        assert!(kinds.contains(&kind), "known, recent: {kind:?}");
    }
    assert_eq!(made, golden::make(&*model, 3).unwrap(), "the same seed gives the same cases");
    assert_ne!(made, golden::make(&*model, 4).unwrap(), "another seed gives others");
}

#[test]
fn a_model_that_differs_is_refused_with_the_place() {
    let model = World::new(ARCHITECTURES[3], SMALL, 1).model();
    let made = golden::make(&*model, 3).unwrap();
    let score = made.cases[1].scores[2];
    let change = |edit: &dyn Fn(&mut GoldenCase)| {
        let mut golden = made.clone();
        edit(&mut golden.cases[1]);
        golden::check(&*model, &golden).unwrap_err()
    };
    let title = made.cases[1].titles[2];
    let wrong = score + 0.01;
    let expected =
        format!("golden case 1, title {title}: expected score {wrong} within 0.0001, found {score}");
    assert_eq!(change(&|case| case.scores[2] = wrong).to_string(), expected);
    assert!(matches!(change(&|case| case.scores[2] = f32::NAN), GoldenError::Differs { case: 1, .. }));
    let error = change(&|case| case.scores.truncate(3));
    assert_eq!(error.to_string(), "golden case 1: expected one score a title (16), found 3");
    let error = change(&|case| case.titles[0] = 999);
    assert_eq!(error.to_string(), "golden case 1 cannot be scored");
    let GoldenError::Refused { source: ModelError::OutOfRange { index: 999, .. }, .. } = error else {
        panic!("{error:?}")
    };
    let none = Golden { tolerance: 1e-4, cases: Vec::new() };
    assert!(matches!(golden::check(&*model, &none), Err(GoldenError::Empty)));
    assert!(golden::check(&*model, &made).is_ok());
    let fold_in = model.fold_in().unwrap();
    assert!(fold_in.knows(&ViewerContext::known(ViewerRow(0))));
    assert!(!fold_in.knows(&ViewerContext::default()));
}
