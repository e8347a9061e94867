//! How much work a fit is, and which smaller fit of the same kind can be timed in its place.

use serde_json::{Map, Value};

use crate::interactions::Interactions;

/// Operations of a fit, in units of one algorithm's own: two fits of one algorithm compare, those of two algorithms do not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitCost {
    /// From the start to the first call of the observer.
    pub first: f64,
    /// From there to the end.
    pub later: f64,
}

/// What an algorithm says of the time that it takes.
#[derive(Debug)]
pub struct CostModel {
    /// Operations of a fit.
    pub cost: fn(&Interactions, &Map<String, Value>, Threads) -> FitCost,
    /// The hyperparameters of a short fit of the same kind; the interactions are those of the whole fit.
    pub shortened: fn(&Interactions, &Map<String, Value>) -> Map<String, Value>,
    /// What a smaller table keeps a part of.
    pub sampled_by: SampledBy,
}

/// Number of threads that compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads(pub usize);

/// What a smaller table keeps a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampledBy {
    /// Viewers: the work grows with the rows.
    Viewers,
    /// Titles: the work grows with their cube.
    Titles,
}

impl FitCost {
    /// The cost of `iterations` alike after a preparation, where the observer is called after each.
    pub(crate) fn iterated(setup: f64, iteration: f64, iterations: f64) -> Self {
        Self { first: setup + iteration, later: iteration * (iterations - 1.0) }
    }

    /// All operations.
    pub fn total(&self) -> f64 {
        self.first + self.later
    }
}

/// Operations per random number of a factor's first value, where one step of descent on one factor is 1.
const RANDOM: f64 = 5.0;

/// Operations of one row beside those on its factors: the jump through memory to them.
const JUMP: f64 = 32.0;

/// The cost of descent that meets every row once an epoch.
pub(crate) fn descent(data: &Interactions, hyperparameters: &Map<String, Value>) -> FitCost {
    let factors = number(hyperparameters, "factors");
    let ensemble = number(hyperparameters, "ensemble");
    let tables = (data.n_viewers() + data.n_titles()) as f64;
    let setup = RANDOM * tables * factors * ensemble;
    let epoch = data.len() as f64 * (factors + JUMP) * ensemble;
    FitCost::iterated(setup, epoch, number(hyperparameters, "epochs"))
}

/// Two of the iterations that hyperparameter `name` counts, so that the time of one can be told from that of the preparation.
pub(crate) fn two_of(name: &str, hyperparameters: &Map<String, Value>) -> Map<String, Value> {
    let mut short = hyperparameters.clone();
    if number(hyperparameters, name) > 2.0 {
        short.insert(name.to_owned(), 2.into());
    }
    short
}

/// The value of a hyperparameter; 1 if it is not set.
pub(crate) fn number(hyperparameters: &Map<String, Value>, name: &str) -> f64 {
    hyperparameters.get(name).and_then(Value::as_f64).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::two_tastes;
    use crate::{Hyperparameters, Trainer, biased_mf, bpr, ease, implicit_als, popularity, svd_plus_plus};

    fn cost(trainer: &Trainer, data: &Interactions, set: &[(&str, u32)]) -> FitCost {
        let mut hyperparameters = trainer.resolve(&Hyperparameters::new());
        hyperparameters.extend(set.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        (trainer.cost.cost)(data, &hyperparameters, Threads(2))
    }

    #[test]
    fn work_grows_as_the_algorithm_does() {
        let (small, large) = (two_tastes(100, 40, 1), two_tastes(400, 40, 1));
        let (narrow, wide) = (two_tastes(50, 100, 1), two_tastes(50, 200, 1));
        for (trainer, iterations) in [
            (&biased_mf::TRAINER, "epochs"),
            (&svd_plus_plus::TRAINER, "epochs"),
            (&bpr::TRAINER, "epochs"),
            (&implicit_als::TRAINER, "iterations"),
        ] {
            let name = trainer.name;
            let of = |n| cost(trainer, &small, &[(iterations, n)]);
            assert_eq!(of(1).later, 0.0, "{name}");
            assert_eq!(of(21).later, 10.0 * of(3).later, "{name}");
            let (one, four) = (cost(trainer, &small, &[]).total(), cost(trainer, &large, &[]).total());
            assert!((2.0..4.5).contains(&(four / one)), "{name}: {one} and {four}");
            let (thin, thick) =
                (cost(trainer, &small, &[("factors", 64)]), cost(trainer, &small, &[("factors", 256)]));
            assert!(thick.total() > 2.0 * thin.total(), "{name}");
            let short = (trainer.cost.shortened)(&small, &trainer.resolve(&Hyperparameters::new()));
            assert_eq!(short.get(iterations), Some(&json!(2)), "{name}");
        }
        assert_eq!(cost(&ease::TRAINER, &wide, &[]).later, 8.0 * cost(&ease::TRAINER, &narrow, &[]).later);
        assert_eq!(cost(&popularity::TRAINER, &small, &[]).later, 0.0);
    }
}
