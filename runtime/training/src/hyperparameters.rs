//! Values of hyperparameters as people write them.

use marquee_algorithms::trainer::Values;
use serde_json::Value;

use crate::nearest::{hint, listed};
use crate::trainers::Algorithm;

/// Reads the value of the hyperparameter `name` from text, refusing what `algorithm` does not have or cannot use.
pub fn value(algorithm: Algorithm, name: &str, text: &str) -> Result<Value, String> {
    let known = algorithm.0.hyperparameters;
    let Some(hyperparameter) = known.iter().find(|known| known.name == name) else {
        let names = || known.iter().map(|known| known.name);
        let listed = if known.is_empty() { "none".to_owned() } else { listed(names()) };
        return Err(format!(
            "is not a hyperparameter of {}{} (it has: {listed})",
            algorithm.name(),
            hint(name, names())
        ));
    };
    let wrong = |expected: String| Err(format!("must be {expected}, found `{}`", text.escape_debug()));
    match hyperparameter.values {
        Values::Count(least, most) => match text.parse::<u64>() {
            Ok(value) if (least..=most).contains(&value) => Ok(value.into()),
            _ => wrong(format!("a whole number from {least} to {most}")),
        },
        Values::Real(least, most) => match text.parse::<f64>() {
            Ok(value) if (least..=most).contains(&value) => Ok(value.into()),
            _ => wrong(format!("a number from {least} to {most}")),
        },
        Values::Word(words) if words.contains(&text) => Ok(text.into()),
        Values::Word(words) => wrong(format!("one of {}", listed(words.iter().copied()))),
    }
}
