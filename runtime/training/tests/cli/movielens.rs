//! Guards quality on real data through the commands themselves: smaller than the examples, seeded, a few seconds.

use std::{fs, path::Path};

use crate::world::{World, movielens};
use serde_json::Value;

fn figures(world: &World, line: &str) -> Value {
    world.run(&format!("{line} --json @r.json")).unwrap_or_else(|error| panic!("{}", world.message(&error)));
    let reports: Value = serde_json::from_slice(&fs::read(world.path("r.json")).unwrap()).unwrap();
    reports[0]["quality"].clone()
}

fn at_10(quality: &Value, of: &str, metric: &str) -> f64 {
    quality[of]["ranking"]["at"][0][metric]["value"].as_f64().unwrap()
}

#[test]
fn implicit_models_rank_held_out_titles_as_they_should() {
    let world = World::new();
    let data = movielens().join("ml-100k.inter").display().to_string();
    #[rustfmt::skip]
    let cases = [
        // algorithm and parameters                                                       HR@10  NDCG@10
        ("ease --set regularization=100",                                                 0.147, 0.071),
        ("implicit-als --set factors=48 --set alpha=1 --set regularization=10 --set solver=exact", 0.140, 0.074),
    ];
    for (model, hr, ndcg) in cases {
        let quality =
            figures(&world, &format!("evaluate --protocol leave-last-out --data {data} --algorithm {model}"));
        let found = (at_10(&quality, "model", "hr"), at_10(&quality, "model", "ndcg"));
        assert!(found.0 >= hr && found.1 >= ndcg, "{model}: HR@10 {:.4}, NDCG@10 {:.4}", found.0, found.1);
        let baseline = (at_10(&quality, "baseline", "hr"), at_10(&quality, "baseline", "ndcg"));
        assert!(
            (0.07..0.1).contains(&baseline.0) && (0.035..0.05).contains(&baseline.1),
            "popularity: {baseline:?}"
        );
    }
}

#[test]
fn explicit_models_predict_the_held_out_ratings_of_u1() {
    let world = World::new();
    let data = movielens().join("ml-100k.inter").display().to_string();
    let line = format!(
        "evaluate --protocol fold:1/5 --data {data} --algorithm biased-mf --set factors=16 --set epochs=40 --set learningRate=0.0107 --set learningRateDecay=0.995 --set regularization=0.096 --set biasRegularization=0.014"
    );
    let quality = figures(&world, &line);
    let rmse = |of: &str| quality[of]["rating"]["rmse"]["value"].as_f64().unwrap();
    assert!(rmse("model") < 0.93, "biased-mf: {}", rmse("model"));
    assert!(
        (rmse("baseline") - 1.0334).abs() < 0.0005,
        "the mean of each title, as published: {}",
        rmse("baseline")
    );
}

#[test]
fn every_example_reaches_what_its_comment_says() {
    let world = World::new();
    let data = movielens().join("ml-100k.inter").display().to_string();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/training");
    let mut seen = 0;
    for entry in fs::read_dir(&examples).unwrap() {
        let config = entry.unwrap().path();
        if config.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(&config).unwrap();
        let quality = figures(&world, &format!("evaluate --config {} --data {data}", config.display()));
        let said = |name: &str| {
            let after = text.split_once(&format!(" {name} "))?.1;
            after.split_whitespace().next()?.trim_end_matches([',', '.']).parse::<f64>().ok()
        };
        // Another CPU sums in another order: descent ends elsewhere by a little, and a title or two changes places.
        if let Some(rmse) = said("RMSE") {
            let found = quality["model"]["rating"]["rmse"]["value"].as_f64().unwrap();
            assert!(
                (found - rmse).abs() < 0.002,
                "{}: RMSE {found:.4}, its comment says {rmse}",
                config.display()
            );
        } else {
            let (hr, ndcg) = (said("HR@10").unwrap(), said("NDCG@10").unwrap());
            let found = (at_10(&quality, "model", "hr"), at_10(&quality, "model", "ndcg"));
            let close = (found.0 - hr).abs() < 0.006 && (found.1 - ndcg).abs() < 0.004;
            assert!(close, "{}: {found:.4?}, its comment says {hr} and {ndcg}", config.display());
        }
    }
    assert_eq!(seen, 6, "one for each algorithm");
}
