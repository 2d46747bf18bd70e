//! What a channel sends next, and when it tries again: pure.
//!
//! A channel tells in order. One that is *away* holds up everything behind the
//! notification that did not get through, so that the order is kept. One that
//! *refuses* a notification holds up that incident only: what a receiver does
//! not like about one must not keep it from hearing of the others.

use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use std::time::Duration;

/// The pause after the first failure.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// The longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// For how long a notification is tried.
pub const TRY_MAX: TimeDelta = TimeDelta::hours(24);

/// A notification that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its number: in the order of these they are sent.
    pub id: u64,
    /// Its incident.
    pub incident: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether the last attempt was refused for what it says.
    pub refused: bool,
    /// When it is to be sent.
    pub due_at: DateTime<Utc>,
    /// Not before.
    pub next_at: DateTime<Utc>,
    /// When it was tried last, or made: later than now where the clock was set back.
    pub tried_at: DateTime<Utc>,
    /// Whether the fallback has it.
    pub handed_on: bool,
}

impl Waiting {
    /// When it may be sent. A clock that was set back must not hold it up; the
    /// end of quiet hours is a time of the clock all the same.
    fn ready_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let set_back = self.tried_at > now && self.due_at <= self.tried_at;
        if set_back { now } else { self.due_at.max(self.next_at) }
    }
}

/// What a channel does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send this one.
    Send(u64),
    /// This one was tried for too long.
    GiveUp(u64),
    /// Nothing before then.
    Wait(Option<DateTime<Utc>>),
}

/// What comes next of what waits, oldest first.
pub fn next(waiting: &[Waiting], now: DateTime<Utc>) -> Next {
    let mut held: BTreeSet<u64> = BTreeSet::new();
    let mut until: Option<DateTime<Utc>> = None;
    for one in waiting {
        if held.contains(&one.incident) {
            continue;
        }
        if one.attempts > 0 && now - one.due_at > TRY_MAX {
            return Next::GiveUp(one.id);
        }
        let at = one.ready_at(now);
        if at <= now {
            return Next::Send(one.id);
        }
        until = Some(until.map_or(at, |until| until.min(at)));
        held.insert(one.incident);
        let away = one.attempts > 0 && !one.refused;
        if away {
            break;
        }
    }
    Next::Wait(until)
}

/// Those that a fallback is to have by now, and when the next one is to be
/// looked at. While nothing has failed, what waits only waits its turn.
pub fn overdue(
    waiting: &[Waiting],
    after: Duration,
    now: DateTime<Utc>,
) -> (Vec<u64>, Option<DateTime<Utc>>) {
    let after = TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX);
    if waiting.iter().all(|one| one.attempts == 0) {
        return (Vec::new(), None);
    }
    let mut overdue = Vec::new();
    let mut until = None;
    for one in waiting.iter().filter(|one| !one.handed_on) {
        let Some(at) = one.due_at.checked_add_signed(after) else { continue };
        if at <= now {
            overdue.push(one.id);
        } else {
            until = Some(until.map_or(at, |until: DateTime<Utc>| until.min(at)));
        }
    }
    (overdue, until)
}

/// The pause after so many attempts: doubled each time up to a minute, and of
/// that the half and a part, so that channels do not return in step. `jitter`
/// is from 0 to 1.
pub fn pause(attempts: u32, jitter: f64) -> Duration {
    let doubled = PAUSE_MIN.saturating_mul(1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(PAUSE_MAX).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + second, 0).unwrap()
    }

    fn fresh(id: u64, incident: u64) -> Waiting {
        let (due_at, next_at, tried_at) = (at(0), at(0), at(0));
        Waiting { id, incident, attempts: 0, refused: false, due_at, next_at, tried_at, handed_on: false }
    }

    fn failed(id: u64, incident: u64, refused: bool) -> Waiting {
        Waiting { attempts: 1, refused, next_at: at(10), ..fresh(id, incident) }
    }

    #[test]
    fn they_go_in_order_and_a_channel_that_is_away_holds_up_all() {
        assert_eq!(next(&[], at(5)), Next::Wait(None));
        assert_eq!(next(&[fresh(1, 1), fresh(2, 2)], at(5)), Next::Send(1));
        let away = [failed(1, 1, false), fresh(2, 2)];
        assert_eq!(next(&away, at(5)), Next::Wait(Some(at(10))));
        assert_eq!(next(&away, at(10)), Next::Send(1));
    }

    #[test]
    fn one_that_is_refused_holds_up_its_incident_only() {
        let refused = [failed(1, 1, true), fresh(2, 1), fresh(3, 2)];
        assert_eq!(next(&refused, at(5)), Next::Send(3));
        assert_eq!(next(&refused[..2], at(5)), Next::Wait(Some(at(10))));
    }

    #[test]
    fn one_that_waits_for_the_end_of_quiet_hours_holds_up_no_other() {
        let quiet = Waiting { due_at: at(100), next_at: at(100), ..fresh(1, 1) };
        assert_eq!(next(&[quiet.clone(), fresh(2, 2)], at(5)), Next::Send(2));
        assert_eq!(next(&[quiet], at(5)), Next::Wait(Some(at(100))));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_up_nothing() {
        let an_hour_ago = at(-3600);
        assert_eq!(next(&[fresh(1, 1)], an_hour_ago), Next::Send(1));
        let tried = Waiting { tried_at: at(9), ..failed(1, 1, false) };
        assert_eq!(next(&[tried], an_hour_ago), Next::Send(1));
    }

    #[test]
    fn a_day_is_enough_but_one_that_was_never_tried_is_tried() {
        let late = at(25 * 3600);
        assert_eq!(next(&[failed(1, 1, false), fresh(2, 2)], late), Next::GiveUp(1));
        assert_eq!(next(&[fresh(2, 2)], late), Next::Send(2));
    }

    #[test]
    fn a_fallback_gets_what_has_waited_too_long_behind_a_failure() {
        let after = Duration::from_secs(60);
        let waiting = [failed(1, 1, false), fresh(2, 2)];
        assert_eq!(overdue(&waiting, after, at(59)), (vec![], Some(at(60))));
        assert_eq!(overdue(&waiting, after, at(60)), (vec![1, 2], None));
        let handed = [Waiting { handed_on: true, ..failed(1, 1, false) }];
        assert_eq!(overdue(&handed, after, at(60)), (vec![], None));
        assert_eq!(overdue(&[fresh(2, 2)], after, at(600)), (vec![], None), "nothing has failed");
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        let pauses = [1, 2, 3, 8, 9, 200].map(|attempts| pause(attempts, 1.0).as_millis());
        assert_eq!(pauses, [500, 1_000, 2_000, 60_000, 60_000, 60_000]);
        assert_eq!(pause(1, 0.0).as_millis(), 250);
    }
}
