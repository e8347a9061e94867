//! The commands end to end on small data.

use std::{fs, sync::atomic::AtomicBool};

use crate::world::{StopAt, World, ratings, run};
use marquee_artifacts::{OpenOptions, open};
use marquee_models::{golden, registry};
use marquee_training::Io;
use serde_json::Value;

const ALGORITHMS: [(&str, &str); 6] = [
    ("popularity", "leave-last-out"),
    ("biased-mf", "random-split:0.2:1"),
    ("svd-plus-plus", "fold:2/5"),
    ("implicit-als", "leave-last-out"),
    ("bpr", "leave-last-out"),
    ("ease", "leave-last-out"),
];

/// Small fits, so that the tests are quick.
fn small(algorithm: &str) -> &'static str {
    match algorithm {
        "biased-mf" | "svd-plus-plus" => "--set factors=4 --set epochs=12 --set ensemble=2",
        "bpr" => "--set factors=4 --set epochs=12",
        "implicit-als" => "--set factors=4 --set iterations=12",
        _ => "",
    }
}

#[test]
fn every_algorithm_becomes_an_artifact_that_reproduces_its_golden_outputs() {
    let world = World::new();
    world.write("r.csv", &ratings());
    for (algorithm, protocol) in ALGORITHMS {
        let line = format!(
            "train --algorithm {algorithm} {} --data @r.csv --protocol {protocol} --threads 2 --output @{algorithm}",
            small(algorithm)
        );
        let printed =
            world.run(&line).unwrap_or_else(|error| panic!("{algorithm}: {}", world.message(&error)));
        assert!(
            printed.contains("the artifact is fitted on: training part; the figures are its own"),
            "{printed}"
        );
        let artifact = open(&world.path(algorithm), &OpenOptions::default()).unwrap();
        let model = registry::load(&artifact).unwrap();
        golden::check(&*model, artifact.manifest.golden.as_ref().unwrap()).unwrap();
        assert_eq!((model.n_viewers(), model.n_titles()), (60, 40));
        let report: Value =
            serde_json::from_slice(&fs::read(world.path(&format!("{algorithm}.report.json"))).unwrap())
                .unwrap();
        assert_eq!(report["artifact"]["sha256"], artifact.digest.to_string(), "{algorithm}");
        assert_eq!(report["data"]["digest"], artifact.manifest.lineage.data_digest.as_str());
        let metric = if protocol == "leave-last-out" { "ndcg@10" } else { "rmse" };
        assert!(artifact.manifest.lineage.metrics[metric] > 0.0, "{algorithm}");
    }
}

#[test]
fn without_a_protocol_all_data_is_learnt_from_and_nothing_is_measured() {
    let world = World::new();
    world.write("r.csv", &ratings());
    let printed = world.run("train --algorithm ease --data @r.csv --output @a").unwrap();
    assert!(printed.contains("the artifact is fitted on: all data; nothing was held out"), "{printed}");
    let rows = ratings().lines().count() - 1;
    let watched = |name: &str| {
        let artifact = open(&world.path(name), &OpenOptions::default()).unwrap();
        artifact.tensor("history.titles").unwrap().len()
    };
    assert_eq!(watched("a"), rows);
    let printed = world
        .run("train --algorithm ease --data @r.csv --protocol leave-last-out --final-fit all --output @b")
        .unwrap();
    assert!(printed.contains("the figures are those of its twin"), "{printed}");
    assert_eq!(watched("b"), rows);
    world.run("train --algorithm ease --data @r.csv --protocol leave-last-out --output @c").unwrap();
    assert_eq!(watched("c"), rows - 60, "one title a viewer is held out");
}

#[test]
fn a_run_that_was_stopped_goes_on_to_the_very_artifact_of_one_that_was_not() {
    for algorithm in ["biased-mf", "svd-plus-plus", "implicit-als", "bpr"] {
        let world = World::new();
        world.write("r.csv", &ratings());
        let line = |output: &str, rest: &str| {
            let hyperparameters = small(algorithm);
            format!(
                "train --algorithm {algorithm} {hyperparameters} --data @r.csv --threads 2 --output @{output} {rest}"
            )
        };
        world.run(&line("whole", "")).unwrap();

        let cancel = AtomicBool::new(false);
        let mut out = StopAt { text: ": 5 of 12", cancel: &cancel, seen: String::new() };
        let mut io = Io { out: &mut out, terminal: false, cancel: &cancel };
        let error = run(&world, &line("resumed", "--checkpoint @c"), &mut io).unwrap_err();
        let expected_message = format!(
            "stopped on request: go on with the same command, from checkpoint c/{algorithm}-training-part.checkpoint"
        );
        assert_eq!((world.message(&error), error.exit_code()), (expected_message, 130));
        assert!(!world.path("resumed").exists(), "nothing was published");

        let other = world.run(&line("resumed", "--checkpoint @c --seed 43")).unwrap_err();
        assert!(
            world.message(&other).contains("was written under another config"),
            "{}",
            world.message(&other)
        );

        let printed = world.run(&line("resumed", "--checkpoint @c")).unwrap();
        assert!(printed.contains("goes on after iteration "), "{printed}");
        let manifest = |name: &str| fs::read(world.path(name).join("marquee.json")).unwrap();
        assert!(manifest("whole") == manifest("resumed"), "{algorithm}: digests cover every weight");
        assert_eq!(fs::read_dir(world.path("c")).unwrap().count(), 0, "the checkpoint is used up");
    }
}

#[test]
fn a_stop_without_checkpoint_writes_nothing() {
    let world = World::new();
    world.write("r.csv", &ratings());
    let before = world.files();
    let error = world
        .run_until("train --algorithm bpr --data @r.csv --output @a", &AtomicBool::new(true))
        .unwrap_err();
    assert_eq!(world.message(&error), "stopped on request: nothing was written");
    assert_eq!(world.files(), before);
}

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let world = World::new();
    world.write("r.csv", &ratings());
    world.write("c.yaml", "algorithm: ease\ndata: { files: [r.csv] }\nprotocol: { kind: leave-last-out }\nsearch: { kind: grid, ranges: { regularization: [1, 10] } }\n");
    let before = world.files();
    let printed = world.run("train --config @c.yaml --output @a --checkpoint @k --dry-run").unwrap();
    for part in [
        "would fit ease on ",
        "would measure on 60 held-out rows",
        "hyperparameters: regularization 500",
        "memory: about ",
        "time: about ",
        " to measure; told from a fit of all the data on ",
        "would write a and a.report.json",
        "dry run: nothing was written",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let printed = world.run("train --config @c.yaml --search --search-output @b.yaml --dry-run").unwrap();
    assert!(printed.contains("would try 2 combinations of hyperparameters\ntime: about "), "{printed}");
    world.write("t.csv", "id,name\nx,X\n");
    world.run("catalogue --metadata @t.csv --output @k --dry-run").unwrap();
    fs::remove_file(world.path("t.csv")).unwrap();
    assert_eq!(world.files(), before);
}

#[test]
fn a_search_finds_the_better_value_on_the_validation_part_and_writes_it() {
    let world = World::new();
    world.write("r.csv", &ratings());
    let ranges = "ranges: { regularization: [10, 1000000000] }";
    world.write("c.yaml", &format!("algorithm: biased-mf\nhyperparameters: {{ factors: 4, epochs: 30 }}\ndata: {{ files: [r.csv] }}\nprotocol: {{ kind: fold, fold: 1, of: 5 }}\nsearch: {{ kind: grid, {} }}\n", "ranges: { learningRate: [1, 0.01] }"));
    let printed = world.run("train --config @c.yaml --search --search-output @best.yaml").unwrap();
    assert!(printed.contains("best by rmse on a validation part (random-split:0.1:"), "{printed}");
    let best = fs::read_to_string(world.path("best.yaml")).unwrap();
    assert!(
        best.starts_with("# The best of 2 trials: rmse ") && best.contains("learningRate: 0.01"),
        "{best}"
    );
    world.run("train --config @best.yaml --output @a").unwrap();
    world.write(
        "d.yaml",
        &format!("algorithm: ease\ndata: {{ files: [r.csv] }}\nsearch: {{ trials: 3, {ranges} }}\n"),
    );
    let printed = world.run("train --config @d.yaml --search").unwrap();
    assert!(printed.contains("best by ndcg@10 on a validation part (leave-last-out)"), "{printed}");
}

#[test]
fn the_test_part_does_not_change_what_a_search_finds() {
    let world = World::new();
    let text = ratings();
    let (head, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    // The first fifth is the test part of fold 1: its ratings are turned upside down.
    let upside_down = |row: &str| {
        let mut fields: Vec<String> = row.split(',').map(str::to_owned).collect();
        fields[2] = (6 - fields[2].parse::<i32>().unwrap()).to_string();
        fields.join(",")
    };
    let fifth = rows.len() / 5;
    let changed: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| if i < fifth { upside_down(row) } else { (*row).to_owned() })
        .collect();
    world.write("r.csv", &text);
    world.write("s.csv", &format!("{head}\n{}\n", changed.join("\n")));
    world.write("c.yaml", "algorithm: biased-mf\nhyperparameters: { factors: 4, epochs: 10 }\nprotocol: { kind: fold, fold: 1, of: 5 }\nsearch: { kind: grid, ranges: { learningRate: [0.005, 0.02] } }\n");
    let table = |data: &str| {
        let printed = world.run(&format!("train --config @c.yaml --search --data @{data}")).unwrap();
        printed.lines().filter(|line| line.contains("learningRate")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(table("r.csv"), table("s.csv"));
}
