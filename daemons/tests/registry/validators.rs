//! What a watch promises, each promise a function over what was recorded.
//!
//! The six are those that etcd names for its watch, for a registry in which
//! every change of one instance has a revision of its own:
//!
//! * ordered: revisions never go back;
//! * unique: no change is told twice;
//! * reliable: none is left out between the first place and the last;
//! * atomic: nobody is shown the half of what one request changed;
//! * resumable: a watch that was cut off goes on exactly where it was;
//! * bookmarked: a bookmark says that everything up to it has been told.
//!
//! <https://etcd.io/docs/v3.6/learning/api_guarantees/#watch-apis>

use std::collections::{BTreeMap, BTreeSet};

/// The registrations: by service and instance, the revision of each.
pub type State = BTreeMap<(String, String), u64>;

/// A change as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub revision: u64,
    pub kind: String,
    pub service: String,
    pub instance: String,
}

/// What a watcher heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Snapshot(u64, State),
    Change(Change),
    Bookmark(u64),
}

/// One connection of a watcher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// The revision after which it resumed; none where it began anew.
    pub resumed: Option<u64>,
    pub heard: Vec<Heard>,
}

/// All connections of one watcher, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// The service that was watched; none for all.
    pub watched: Option<String>,
    pub connections: Vec<Connection>,
}

/// One answer of a long poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    pub index: u64,
    pub state: State,
}

/// What really happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// Every change, in order, from revision 1 on.
    pub changes: Vec<Change>,
    /// The first and the last revision of what one request changed.
    pub sets: Vec<(u64, u64)>,
}

type Verdict = Result<(), String>;
type Validator = fn(&Recording, &Truth) -> Verdict;

impl Truth {
    /// How it stood after a revision.
    pub fn state(&self, revision: u64, watched: &Option<String>) -> State {
        let mut state = State::new();
        for change in self.of(watched).filter(|change| change.revision <= revision) {
            let key = (change.service.clone(), change.instance.clone());
            match change.kind.as_str() {
                "deregistered" | "expired" => drop(state.remove(&key)),
                _ => drop(state.insert(key, change.revision)),
            }
        }
        state
    }

    fn of<'a>(&'a self, watched: &'a Option<String>) -> impl Iterator<Item = &'a Change> {
        self.changes.iter().filter(move |change| watched.as_ref().is_none_or(|name| change.service == *name))
    }

    /// Whether that revision lies within what one request changed.
    fn splits(&self, revision: u64) -> bool {
        self.sets.iter().any(|(first, last)| (*first..*last).contains(&revision))
    }
}

impl Heard {
    /// The revision up to which the watcher knows everything after it.
    const fn place(&self) -> u64 {
        match self {
            Self::Snapshot(revision, _) | Self::Bookmark(revision) => *revision,
            Self::Change(change) => change.revision,
        }
    }
}

impl Recording {
    fn heard(&self) -> impl Iterator<Item = &Heard> {
        self.connections.iter().flat_map(|connection| &connection.heard)
    }

    fn changes(&self) -> impl Iterator<Item = &Change> {
        self.heard().filter_map(|heard| match heard {
            Heard::Change(change) => Some(change),
            _ => None,
        })
    }

    /// The last place that was heard.
    pub fn place(&self) -> Option<u64> {
        self.heard().last().map(Heard::place)
    }
}

pub fn ordered(recording: &Recording, _: &Truth) -> Verdict {
    let mut last = 0;
    for heard in recording.heard() {
        if heard.place() < last {
            return Err(format!("{heard:?} comes after revision {last}"));
        }
        last = heard.place();
    }
    Ok(())
}

pub fn unique(recording: &Recording, _: &Truth) -> Verdict {
    let mut told = BTreeSet::new();
    match recording.changes().find(|change| !told.insert(change.revision)) {
        Some(change) => Err(format!("told twice: {change:?}")),
        None => Ok(()),
    }
}

pub fn reliable(recording: &Recording, truth: &Truth) -> Verdict {
    let first = recording.connections.first();
    let Some(first) = first.and_then(|first| first.resumed.or(first.heard.first().map(Heard::place))) else {
        return Ok(());
    };
    let last = recording.place().unwrap_or(first);
    for heard in recording.heard() {
        if let Heard::Snapshot(revision, state) = heard
            && *state != truth.state(*revision, &recording.watched)
        {
            return Err(format!("the snapshot of revision {revision} is not how it stood"));
        }
    }
    let told: Vec<&Change> = recording.changes().collect();
    // What lies before a later snapshot is told by that snapshot.
    let within = |change: &&Change| change.revision > first && change.revision <= last;
    let want: Vec<&Change> = truth.of(&recording.watched).filter(within).collect();
    if let Some(change) = want.iter().find(|change| !told.contains(change)) {
        return Err(format!("never told: {change:?}"));
    }
    match told.iter().find(|change| !want.contains(change)) {
        Some(change) => Err(format!("never happened: {change:?}")),
        None => Ok(()),
    }
}

pub fn atomic(recording: &Recording, truth: &Truth) -> Verdict {
    let splits = |heard: &&Heard| !matches!(heard, Heard::Change(_)) && truth.splits(heard.place());
    match recording.heard().find(splits) {
        Some(heard) => Err(format!("the half of a request is shown at revision {}", heard.place())),
        None => Ok(()),
    }
}

pub fn resumable(recording: &Recording, truth: &Truth) -> Verdict {
    let mut place = None;
    for connection in &recording.connections {
        if let Some(before) = place {
            if connection.resumed != Some(before) {
                return Err(format!("cut off at {before}, and went on from {:?}", connection.resumed));
            }
            let next = truth.of(&recording.watched).find(|change| change.revision > before);
            match connection.heard.first() {
                Some(Heard::Snapshot(..)) => {
                    return Err(format!("a snapshot instead of what came after {before}"));
                }
                Some(Heard::Change(change)) if Some(change) != next => {
                    return Err(format!("after {before} came {change:?}, and not {next:?}"));
                }
                _ => {}
            }
        }
        place = connection.heard.last().map(Heard::place).or(place).or(connection.resumed);
    }
    Ok(())
}

pub fn bookmarked(recording: &Recording, truth: &Truth) -> Verdict {
    let mut told = BTreeSet::new();
    let mut known = 0;
    let mut marked = 0;
    for heard in recording.heard() {
        match heard {
            Heard::Snapshot(revision, _) => known = *revision,
            Heard::Change(change) if change.revision <= marked => {
                return Err(format!("the bookmark {marked} came before {change:?}"));
            }
            Heard::Change(change) => drop(told.insert(change.revision)),
            Heard::Bookmark(revision) => {
                marked = *revision;
                let first = recording.connections.first().and_then(|first| first.resumed).unwrap_or(known);
                let missing = truth
                    .of(&recording.watched)
                    .filter(|change| change.revision > first.max(known) && change.revision <= marked)
                    .find(|change| !told.contains(&change.revision));
                if let Some(change) = missing {
                    return Err(format!("the bookmark {marked} stands for {change:?}, which was not told"));
                }
            }
        }
    }
    Ok(())
}

/// The six, each with its name.
pub const SIX: [(&str, Validator); 6] = [
    ("ordered", ordered),
    ("unique", unique),
    ("reliable", reliable),
    ("atomic", atomic),
    ("resumable", resumable),
    ("bookmarked", bookmarked),
];

/// Long polls show the same revisions as a watch: each a state that there was,
/// none older than the one before, none that splits a request.
pub fn polled(polls: &[Poll], truth: &Truth) -> Verdict {
    for pair in polls.windows(2) {
        if pair[1].index < pair[0].index {
            return Err(format!("the index went back from {} to {}", pair[0].index, pair[1].index));
        }
    }
    for poll in polls {
        if truth.splits(poll.index) {
            return Err(format!("the half of a request is shown at index {}", poll.index));
        }
        if poll.state != truth.state(poll.index, &None) {
            return Err(format!("the answer of index {} is not how it stood", poll.index));
        }
    }
    Ok(())
}

mod tests {
    use super::*;

    fn change(revision: u64, kind: &str, service: &str, instance: &str) -> Change {
        let (kind, service, instance) = (kind.to_owned(), service.to_owned(), instance.to_owned());
        Change { revision, kind, service, instance }
    }

    /// Two instances of `a` come; one of `b`; both of `a` go by one request.
    fn truth() -> Truth {
        let changes = vec![
            change(1, "registered", "a", "1"),
            change(2, "registered", "a", "2"),
            change(3, "registered", "b", "1"),
            change(4, "deregistered", "a", "1"),
            change(5, "deregistered", "a", "2"),
            change(6, "registered", "b", "2"),
        ];
        Truth { changes, sets: vec![(4, 5)] }
    }

    /// A watcher of all that was cut off once.
    fn recording() -> Recording {
        let told = |range: std::ops::Range<usize>| {
            truth().changes[range].iter().cloned().map(Heard::Change).collect()
        };
        let first: Vec<Heard> = told(1..3);
        let first = [vec![Heard::Snapshot(1, truth().state(1, &None))], first].concat();
        let second: Vec<Heard> = [told(3..6), vec![Heard::Bookmark(6)]].concat();
        let connections =
            vec![Connection { resumed: None, heard: first }, Connection { resumed: Some(3), heard: second }];
        Recording { watched: None, connections }
    }

    /// Which of the six say no.
    fn against(change: impl FnOnce(&mut Recording)) -> Vec<&'static str> {
        let mut recording = recording();
        change(&mut recording);
        SIX.into_iter()
            .filter(|(_, holds)| holds(&recording, &truth()).is_err())
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn a_watch_that_keeps_its_promises_passes() {
        assert_eq!(against(|_| {}), Vec::<&str>::new());
    }

    #[test]
    fn a_revision_that_goes_back_is_not_ordered() {
        assert!(against(|r| r.connections[0].heard.swap(1, 2)).contains(&"ordered"));
        assert!(against(|r| r.connections[1].heard.push(Heard::Bookmark(5))).contains(&"ordered"));
    }

    #[test]
    fn a_change_that_is_told_twice_is_not_unique() {
        let twice = |r: &mut Recording| {
            let again = r.connections[0].heard[2].clone();
            r.connections[0].heard.push(again);
        };
        assert_eq!(against(twice), ["unique"]);
    }

    #[test]
    fn a_change_that_is_left_out_or_invented_is_not_reliable() {
        assert!(against(|r| drop(r.connections[0].heard.remove(1))).contains(&"reliable"));
        let invented = |r: &mut Recording| {
            let Heard::Change(change) = &mut r.connections[0].heard[1] else { panic!("a change") };
            change.kind = "updated".to_owned();
        };
        assert_eq!(against(invented), ["reliable"]);
        let wrong = |r: &mut Recording| r.connections[0].heard[0] = Heard::Snapshot(1, State::new());
        assert_eq!(against(wrong), ["reliable"]);
    }

    #[test]
    fn a_place_within_one_request_is_not_atomic() {
        let within = |r: &mut Recording| r.connections[1].heard.insert(1, Heard::Bookmark(4));
        assert_eq!(against(within), ["atomic"]);
        let begun = Connection { resumed: None, heard: vec![Heard::Snapshot(4, truth().state(4, &None))] };
        assert_eq!(against(|r| r.connections = vec![begun]), ["atomic"]);
    }

    #[test]
    fn a_gap_or_a_repeat_or_a_snapshot_after_a_cut_is_not_resumable() {
        assert!(against(|r| drop(r.connections[1].heard.remove(0))).contains(&"resumable"));
        assert!(against(|r| r.connections[1].resumed = Some(2)).contains(&"resumable"));
        let anew = |r: &mut Recording| {
            r.connections[1].heard.insert(0, Heard::Snapshot(3, truth().state(3, &None)));
        };
        assert_eq!(against(anew), ["resumable"]);
    }

    #[test]
    fn a_bookmark_ahead_of_what_was_told_is_not_bookmarked() {
        let early = |r: &mut Recording| r.connections[1].heard.swap(2, 3);
        assert!(against(early).contains(&"bookmarked"));
        let of_b = |r: &mut Recording| {
            r.watched = Some("b".to_owned());
            let state = truth().state(2, &r.watched);
            let heard = vec![Heard::Snapshot(2, state), Heard::Bookmark(5)];
            r.connections = vec![Connection { resumed: None, heard }];
        };
        assert!(against(of_b).contains(&"bookmarked"));
    }

    #[test]
    fn a_poll_that_goes_back_or_shows_what_never_was_is_refused() {
        let poll = |index| Poll { index, state: truth().state(index, &None) };
        assert_eq!(polled(&[poll(1), poll(3), poll(5), poll(6)], &truth()), Ok(()));
        assert!(polled(&[poll(3), poll(1)], &truth()).is_err());
        assert!(polled(&[poll(4)], &truth()).is_err());
        assert!(polled(&[Poll { index: 3, ..poll(2) }], &truth()).is_err());
    }
}
