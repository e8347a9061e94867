//! Chooses the pod for a query: the one of two with fewer requests in flight, and no pod that keeps failing. Pure: time and
//! random numbers are arguments.

use std::time::{Duration, Instant};

use marquee_artifacts::Backoff;

/// Failures in a row after which a pod is ejected.
const TOLERATED: u32 = 3;
/// How long an ejected pod gets no requests.
const EJECTION: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) };

/// How long after its ejection a pod that was not asked again counts as failing. Longer than the pause between two pages of a
/// quiet surface, so that its status does not change with every page.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Recent failures of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    failures: u32,
    /// Ejections in a row.
    ejections: u32,
    until: Option<Instant>,
}

/// How a pod failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The pod cannot be reached: it has ended, or is about to end.
    Unreachable,
    /// The pod answers with an error, or too late.
    Poor,
}

impl Health {
    /// The pod answered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The pod failed. Returns true if this failure ejects it.
    pub fn failed(&mut self, failure: Failure, now: Instant, jitter: f64) -> bool {
        if self.is_ejected(now) {
            return false;
        }
        self.failures += match failure {
            Failure::Unreachable => TOLERATED,
            Failure::Poor => 1,
        };
        // After an ejection, one failure is enough for the next.
        if self.failures < TOLERATED && self.ejections == 0 {
            return false;
        }
        let ejections = self.ejections.saturating_add(1);
        *self = Self { failures: 0, ejections, until: Some(now + EJECTION.wait(ejections, jitter)) };
        true
    }

    /// Whether the pod was ejected and has not answered since. Some time after the ejection this is forgotten: a pod without
    /// queries cannot show that it answers again.
    pub fn is_failing(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until + REMEMBERED)
    }

    /// Whether the pod is ejected now.
    pub fn is_ejected(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

/// A pod that may be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Whether it is ejected.
    pub is_ejected: bool,
    /// Requests that it has not answered yet.
    pub in_flight: u32,
}

/// Index of the pod to ask, out of `n`: of two random pods, the one with fewer requests in flight.
///
/// Ejected pods are chosen only if all are ejected, and `avoid` only if it is the only pod. `None` if `n` is 0.
pub fn choose(
    n: usize,
    avoid: Option<usize>,
    random: u64,
    pod: impl Fn(usize) -> Candidate,
) -> Option<usize> {
    let may = |lenient: bool| move |idx: &usize| (lenient || Some(*idx) != avoid) && (0..n).contains(idx);
    let pick = |fits: &dyn Fn(&usize) -> bool| {
        let count = (0..n).filter(fits).count();
        let nth = |nth: usize| (0..n).filter(fits).nth(nth);
        match count {
            0 | 1 => nth(0),
            _ => {
                let first = (random >> 32) as usize % count;
                let second = (first + 1 + (random as u32) as usize % (count - 1)) % count;
                let (first, second) = (nth(first)?, nth(second)?);
                let is_busier = pod(first).in_flight > pod(second).in_flight;
                Some(if is_busier { second } else { first })
            }
        }
    };
    pick(&|idx| may(false)(idx) && !pod(*idx).is_ejected)
        .or_else(|| pick(&|idx| may(false)(idx)))
        .or_else(|| pick(&may(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reason, the pods, the pod to avoid, and the pods that may be chosen.
    type Choice<'a> = (&'a str, &'a [Candidate], Option<usize>, &'a [usize]);

    #[test]
    fn a_pod_that_keeps_failing_is_ejected_for_longer_each_time() {
        let mut health = Health::default();
        let mut now = Instant::now();
        assert!(!health.failed(Failure::Poor, now, 1.0) && !health.failed(Failure::Poor, now, 1.0));
        assert!(health.failed(Failure::Poor, now, 1.0), "the third in a row");
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let began = now;
            while health.is_ejected(now) {
                assert!(
                    !health.failed(Failure::Poor, now, 1.0),
                    "failures of requests that were in flight do not count"
                );
                now += Duration::from_millis(100);
            }
            pauses.push((now - began).as_millis());
            assert!(health.failed(Failure::Poor, now, 1.0), "one failure is enough after an ejection");
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        health.succeeded();
        assert_eq!(health, Health::default(), "one answer clears all failures");
        assert!(health.failed(Failure::Unreachable, now, 1.0), "an unreachable pod is ejected at once");
    }

    #[test]
    fn a_pod_is_failing_until_it_answers_or_nobody_asked_it_for_long() {
        let (mut health, now) = (Health::default(), Instant::now());
        health.failed(Failure::Poor, now, 1.0);
        assert!(!health.is_failing(now), "one late answer is not enough");
        health.failed(Failure::Unreachable, now, 1.0);
        let after = |seconds| now + Duration::from_secs(seconds);
        assert!(
            health.is_failing(after(1)) && !health.is_ejected(after(1)),
            "the pause is over, the doubt is not"
        );
        assert!(!health.is_failing(after(40)), "without queries");
        health.succeeded();
        assert!(!health.is_failing(after(1)));
    }

    #[test]
    fn the_chosen_pod_is_healthy_and_not_the_busiest() {
        let free = |in_flight| Candidate { is_ejected: false, in_flight };
        let out = Candidate { is_ejected: true, in_flight: 0 };
        #[rustfmt::skip]
        let cases: [Choice<'_>; 8] = [
            ("no pod",                             &[],                            None,    &[]),
            ("one pod",                            &[free(9)],                     None,    &[0]),
            ("the only pod, though it just failed", &[free(9)],                     Some(0), &[0]),
            ("the less busy of two pods",          &[free(9), free(2)],            None,    &[1]),
            ("not the pod that just failed",        &[free(9), free(2)],            Some(1), &[0]),
            ("not the ejected pod",                &[out, free(9)],                None,    &[1]),
            ("all are ejected: any of them",       &[out, out],                    None,    &[0, 1]),
            ("never the busiest of three",         &[free(1), free(1), free(7)],   None,    &[0, 1]),
        ];
        for (why, pods, avoid, expected) in cases {
            let random = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut found: Vec<usize> =
                (0..200).filter_map(|n| choose(pods.len(), avoid, random(n), |idx| pods[idx])).collect();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, expected, "{why}");
        }
    }

    #[test]
    fn load_spreads_evenly_over_equal_pods() {
        let mut in_flight = [0_u32; 7];
        for n in 0..7000_u64 {
            let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
            let pod = |idx: usize| Candidate { is_ejected: false, in_flight: in_flight[idx] };
            let chosen = choose(7, None, random, pod).unwrap();
            in_flight[chosen] += 1;
        }
        let (least, most) = (in_flight.iter().min().unwrap(), in_flight.iter().max().unwrap());
        assert!(most - least <= 10, "{in_flight:?}");
    }
}
