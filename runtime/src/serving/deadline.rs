//! Deadlines, after which an answer has no use.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// The work did not finish before the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed;

/// The earlier of the caller's deadline and `now + budget`.
pub fn earliest(callers: Option<Instant>, now: Instant, budget: Duration) -> Instant {
    let own = now + budget;
    callers.map_or(own, |callers| callers.min(own))
}

/// Whether `deadline` has passed at `now`.
pub fn has_passed(deadline: Option<Instant>, now: Instant) -> bool {
    deadline.is_some_and(|deadline| deadline <= now)
}

/// Awaits `work` until `deadline`. Work that completes at its first poll needs no timer.
pub async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Result<T, Missed> {
    let mut work = pin!(work);
    // Inline work completes at this first poll. The waker does nothing, because pending work is polled again below with the
    // real waker.
    if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return Ok(done);
    }
    match deadline {
        None => Ok(work.await),
        Some(deadline) => tokio::time::timeout_at(deadline.into(), work).await.map_err(|_| Missed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_deadline_holds() {
        let now = Instant::now();
        let ms = Duration::from_millis;
        #[rustfmt::skip]
        let cases = [
            ("the caller sets none",      None,               ms(50)),
            ("the caller's is earlier",    Some(now + ms(10)), ms(10)),
            ("the caller's is later",      Some(now + ms(90)), ms(50)),
        ];
        for (why, callers, expected) in cases {
            assert_eq!(earliest(callers, now, ms(50)), now + expected, "{why}");
        }
        assert!(has_passed(Some(now), now), "an answer at the deadline is too late");
        assert!(!has_passed(Some(now + ms(1)), now) && !has_passed(None, now));
    }

    #[test]
    fn work_that_is_done_needs_no_timer() {
        // No runtime here: a timer would panic.
        let mut work = pin!(within(Some(Instant::now()), async { 7 }));
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Ready(Ok(7)));
    }

    #[tokio::test]
    async fn what_does_not_come_in_time_is_missed() {
        let deadline = Instant::now() + Duration::from_millis(5);
        assert_eq!(within(Some(deadline), std::future::pending::<()>()).await, Err(Missed));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (got, ()) = tokio::join!(within(None, receiver), async { sender.send(3).unwrap() });
        assert_eq!(got, Ok(Ok(3)), "without a deadline the work completes");
    }
}
