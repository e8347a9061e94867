//! Guards quality on real data through the commands themselves: smaller than the examples, seeded, a few seconds.

use std::fs;

use serde_json::Value;
use crate::world::{World, movielens};

fn figures(world: &World, line: &str) -> Value {
    world.run(&format!("{line} --json @r.json")).unwrap_or_else(|error| panic!("{}", world.told(&error)));
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
        ("implicit-als --set factors=48 --set alpha=2 --set regularization=3 --set iterations=15", 0.140, 0.074),
    ];
    for (model, hr, ndcg) in cases {
        let quality = figures(&world, &format!("evaluate --protocol leave-last-out --data {data} --algorithm {model}"));
        let found = (at_10(&quality, "model", "hr"), at_10(&quality, "model", "ndcg"));
        assert!(found.0 >= hr && found.1 >= ndcg, "{model}: HR@10 {:.4}, NDCG@10 {:.4}", found.0, found.1);
        let baseline = (at_10(&quality, "baseline", "hr"), at_10(&quality, "baseline", "ndcg"));
        assert!((0.07..0.1).contains(&baseline.0) && (0.035..0.05).contains(&baseline.1), "popularity: {baseline:?}");
    }
}

#[test]
fn explicit_models_predict_the_held_out_ratings_of_u1() {
    let world = World::new();
    let data = movielens().join("ml-100k.inter").display().to_string();
    let line = format!("evaluate --protocol fold:1/5 --data {data} --algorithm biased-mf --set factors=16 --set epochs=40 --set learningRate=0.0107 --set learningRateDecay=0.995 --set regularization=0.096 --set biasRegularization=0.014");
    let quality = figures(&world, &line);
    let rmse = |of: &str| quality[of]["rating"]["rmse"]["value"].as_f64().unwrap();
    assert!(rmse("model") < 0.93, "biased-mf: {}", rmse("model"));
    assert!((rmse("baseline") - 1.0334).abs() < 0.0005, "the mean of each title, as published: {}", rmse("baseline"));
}
