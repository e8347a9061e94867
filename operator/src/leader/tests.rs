use std::time::{Duration, Instant};

use k8s_openapi::{api::coordination::v1::LeaseSpec, jiff::Timestamp};
use proptest::prelude::*;

use super::{
    Leadership, Terms,
    election::{Election, Move, Record},
};

fn lease(holder: &str, version: u32) -> Record {
    let spec = LeaseSpec { holder_identity: Some(holder.into()), ..LeaseSpec::default() };
    Record { holder: holder.into(), version: version.to_string(), lasts: Duration::from_secs(15), spec }
}

#[test]
fn a_lease_is_taken_only_when_its_holder_was_not_seen_for_as_long_as_it_lasts() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut me = Election::new("me".into(), Terms::default());
    #[rustfmt::skip]
    let looks = [
        // why                                             lease                    second  move
        ("no lease: make it",                               None,                        0, Move::Take),
        ("another holds it",                                Some(lease("you", 1)),       1, Move::Wait),
        ("it has not moved for 14 s",                       Some(lease("you", 1)),      15, Move::Wait),
        ("it moved just now: the clock starts again",       Some(lease("you", 2)),      16, Move::Wait),
        ("not moved for 15 s",                              Some(lease("you", 2)),      31, Move::Wait),
        ("not moved for longer than it lasts",              Some(lease("you", 2)),      32, Move::Take),
        ("given back",                                      Some(lease("", 3)),         33, Move::Take),
        ("ours, from a run before that had the same name",  Some(lease("me", 4)),       34, Move::Renew),
    ];
    for (why, lease, second, expected) in looks {
        assert_eq!(me.next(lease.as_ref(), at(second)), expected, "{why}");
    }
}

#[test]
fn a_leader_that_sees_another_yields() {
    let now = Instant::now();
    let mut me = Election::new("me".into(), Terms::default());
    assert!(me.won(lease("me", 1), now), "a new claim");
    assert!(!me.won(lease("me", 2), now), "a renewed one");
    assert_eq!(me.next(Some(&lease("you", 3)), now), Move::Yield);
}

#[test]
fn what_is_given_back_is_nobodys_and_soon_free() {
    let mut me = Election::new("me".into(), Terms::default());
    assert_eq!(me.give_back(Timestamp::UNIX_EPOCH), None, "nothing to give back");
    me.won(lease("me", 7), Instant::now());
    let (version, spec) = me.give_back(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((version.as_str(), spec.holder_identity, spec.lease_duration_seconds), ("7", None, Some(1)));
}

#[test]
fn who_may_write_is_a_matter_of_time() {
    let (leadership, now) = (Leadership::default(), Instant::now());
    assert!(!leadership.may_write(now), "nobody was elected");
    leadership.grant("me", now + Duration::from_secs(10));
    assert!(leadership.may_write(now + Duration::from_secs(9)));
    assert!(!leadership.may_write(now + Duration::from_secs(10)), "frozen, and woken too late");
    leadership.withdraw();
    assert!(!leadership.may_write(now));
}

#[test]
fn times_that_let_two_lead_are_refused() {
    let terms = |lease, renew, retry| Terms {
        lease_duration: Duration::from_secs(lease),
        renew_deadline: Duration::from_secs(renew),
        retry_period: Duration::from_secs(retry),
    };
    assert_eq!(terms(15, 10, 2).fault(), None);
    assert!(terms(10, 10, 2).fault().is_some_and(|fault| fault.contains("last longer")));
    assert!(terms(15, 2, 2).fault().is_some_and(|fault| fault.contains("more often")));
}

/// A server's side: every write needs the version that was read.
#[derive(Default)]
struct Server {
    lease: Option<Record>,
    version: u32,
}

proptest! {
    /// Several candidates, each frozen now and then, with looks and writes in any order: two may never write at once.
    #[test]
    fn never_two_writers(turns in proptest::collection::vec((0usize..3, 0u64..4_000, any::<bool>()), 1..400)) {
        let terms = Terms::default();
        let start = Instant::now();
        let mut server = Server::default();
        let mut candidates: Vec<(Election, Option<Instant>)> =
            (0..3).map(|n| (Election::new(n.to_string(), terms), None)).collect();
        let mut now = start;
        for (who, pause, write_fails) in turns {
            now += Duration::from_millis(pause);
            let (election, until) = &mut candidates[who];
            match election.next(server.lease.as_ref(), now) {
                Move::Wait => {}
                Move::Yield => {
                    // A process of the same name starts again.
                    *election = Election::new(who.to_string(), terms);
                    *until = None;
                }
                Move::Take | Move::Renew if write_fails => {}
                Move::Take | Move::Renew => {
                    server.version += 1;
                    let mut written = lease(&who.to_string(), server.version);
                    written.spec = election.claim(LeaseSpec::default(), Timestamp::UNIX_EPOCH);
                    server.lease = Some(written.clone());
                    election.won(written, now);
                    *until = Some(now + terms.renew_deadline);
                }
            }
            let writers = candidates.iter().filter(|(_, until)| until.is_some_and(|until| now < until)).count();
            prop_assert!(writers <= 1, "{writers} candidates may write at once");
        }
    }
}
