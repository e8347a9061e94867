//! Error of predicted ratings, clipped to the scale of the ratings.

use serde::{Deserialize, Serialize};

use super::bootstrap::{Bootstrap, Estimate};
use crate::error::{AlgorithmError, require};
use crate::interactions::Interaction;

/// How far predictions lie from ratings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingReport {
    /// How many ratings were predicted.
    pub ratings: usize,
    /// Root of the mean squared error, in units of the rating.
    pub rmse: Estimate,
    /// Mean absolute error, in units of the rating.
    pub mae: Estimate,
}

/// The ratings that can be given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatingScale {
    /// Lowest rating.
    pub least: f32,
    /// Highest rating.
    pub most: f32,
}

/// Judges `predict(viewer, title)` on `test`, each prediction clipped to `scale`.
///
/// Errors: no test row, a scale whose ends are not in order, a prediction that is NaN.
pub fn rate(
    test: &[Interaction],
    scale: RatingScale,
    bootstrap: Bootstrap,
    predict: impl Fn(u32, u32) -> f32,
) -> Result<RatingReport, AlgorithmError> {
    let RatingScale { least: lowest, most: highest } = scale;
    require(
        lowest < highest,
        "scale",
        format!("{lowest} to {highest}"),
        "the lowest and then the highest rating",
    )?;
    if test.is_empty() {
        return Err(AlgorithmError::Empty);
    }
    let mut absolute = Vec::with_capacity(test.len());
    for &Interaction { viewer, title, rating, .. } in test {
        let predicted = predict(viewer, title);
        if predicted.is_nan() {
            return Err(AlgorithmError::ScoreNotANumber { viewer, title: title as usize });
        }
        absolute.push(f64::from(predicted.clamp(lowest, highest) - rating).abs());
    }
    let squared: Vec<f64> = absolute.iter().map(|error| error * error).collect();
    Ok(RatingReport {
        ratings: test.len(),
        rmse: bootstrap.estimate(&squared, f64::sqrt),
        mae: bootstrap.estimate(&absolute, |mean| mean),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_clipped_before_they_are_judged() {
        let test = [5.0, 1.0, 3.0].map(|rating| Interaction { viewer: 0, title: 0, rating, time: 0 });
        let report =
            rate(&test, RatingScale { least: 1.0, most: 5.0 }, Bootstrap::default(), |_, _| 9.0).unwrap();
        assert!((report.rmse.value - (20.0f64 / 3.0).sqrt()).abs() < 1e-12, "errors 0, 4 and 2: {report:?}");
        assert!((report.mae.value - 2.0).abs() < 1e-12);
        assert!(report.rmse.low <= report.rmse.value && report.rmse.value <= report.rmse.high);
    }

    #[test]
    fn impossible_requests_are_refused() {
        let test = [Interaction { viewer: 3, title: 4, rating: 1.0, time: 0 }];
        let judge = |rows: &[Interaction], scale, score| {
            rate(rows, scale, Bootstrap::default(), |_, _| score).unwrap_err().to_string()
        };
        let scale = RatingScale { least: 1.0, most: 5.0 };
        assert_eq!(judge(&[], scale, 1.0), AlgorithmError::Empty.to_string());
        assert_eq!(
            judge(&test, scale, f32::NAN),
            "the model scores title 4 for viewer 3 as NaN: scores must be numbers"
        );
        assert_eq!(
            judge(&test, RatingScale { least: 5.0, most: 1.0 }, 1.0),
            "parameter scale is 5 to 1, expected the lowest and then the highest rating"
        );
    }
}
