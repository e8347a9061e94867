//! Chooses the revision of a model for a viewer.

use marquee_artifacts::mix64;

/// The place of a viewer in [0, 100) for a model. It depends only on the viewer and the model, so that a viewer keeps a
/// revision while the weights do not change.
pub(super) fn place(viewer: &str, model: &str) -> f64 {
    let mut hash = OFFSET;
    // The separator occurs in no id, so different pairs never give the same bytes.
    for byte in viewer.bytes().chain([0xff]).chain(model.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    }
    // FNV alone gives short texts similar high bits.
    (mix64(hash) >> 11) as f64 / (1_u64 << 53) as f64 * 100.0
}

/// Index of the weight whose interval contains `place`. Weights that do not sum to 100 are scaled. `None` if all are 0.
pub(super) fn choose(weights: impl Iterator<Item = u32> + Clone, place: f64) -> Option<usize> {
    let total: u32 = weights.clone().sum();
    let mut end = 0.0;
    let mut last = None;
    for (idx, weight) in weights.enumerate().filter(|(_, weight)| *weight > 0) {
        end += f64::from(weight) * 100.0 / f64::from(total);
        last = Some(idx);
        if place < end {
            break;
        }
    }
    last
}

/// Constants of FNV-1a.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWERS: usize = 100_000;

    fn chosen(weights: &[u32]) -> Vec<Option<usize>> {
        (0..VIEWERS)
            .map(|n| choose(weights.iter().copied(), place(&format!("viewer-{n}"), "top-picks")))
            .collect()
    }

    #[test]
    fn shares_are_within_one_percent_of_the_weights() {
        #[rustfmt::skip]
        let cases: [(&str, &[u32]); 6] = [
            ("all to one",          &[100]),
            ("a small canary",      &[99, 1]),
            ("halves",              &[50, 50]),
            ("three",               &[20, 30, 50]),
            ("one without traffic", &[0, 100]),
            ("not quite a hundred", &[10, 30]),
        ];
        for (why, weights) in cases {
            let (chosen, total) = (chosen(weights), weights.iter().sum::<u32>());
            for (idx, weight) in weights.iter().enumerate() {
                let share =
                    chosen.iter().filter(|found| **found == Some(idx)).count() as f64 / VIEWERS as f64;
                let wanted = f64::from(*weight) / f64::from(total);
                assert!((share - wanted).abs() < 0.01, "{why}: {share} for {wanted}");
            }
        }
        assert_eq!(choose([0, 0].into_iter(), 7.0), None, "no revision gets traffic");
    }

    #[test]
    fn a_growing_weight_only_adds_viewers() {
        let steps = [[100, 0], [95, 5], [75, 25], [50, 50], [0, 100]];
        for pair in steps.windows(2) {
            let (before, after) = (chosen(&pair[0]), chosen(&pair[1]));
            let strayed = before.iter().zip(&after).filter(|(b, a)| b != a && **a != Some(1)).count();
            assert_eq!(strayed, 0, "{pair:?}");
        }
    }

    #[test]
    fn two_models_split_viewers_in_their_own_ways() {
        let alike = (0..VIEWERS).filter(|n| {
            let viewer = format!("viewer-{n}");
            (place(&viewer, "top-picks") < 50.0) == (place(&viewer, "near-history") < 50.0)
        });
        let share = alike.count() as f64 / VIEWERS as f64;
        assert!((share - 0.5).abs() < 0.01, "{share}");
    }
}
