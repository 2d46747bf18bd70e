//! Any point that is kept can be read, whatever was folded before it.

use super::*;
use crate::registry::history::{At, AtError, Which, entries, state};
use shared::wire::registry::ChangeKind;
use std::collections::BTreeMap;

const KEPT: Kept = Kept { age_ms: 1_000, count: 5 };

fn open() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    MIGRATIONS.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    connection
}

fn record(revision: u64, instance: u8, kind: ChangeKind) -> Record {
    let registration = serde_json::from_value(serde_json::json!({
        "serviceName": "S", "serviceUrl": format!("http://h:{revision}"), "instanceId": instance.to_string(),
        "registeredAt": "2026-01-01T00:00:00Z", "revision": revision,
    }));
    Record { change: Change { kind, registration: registration.unwrap() }, detail: None }
}

fn revisions(connection: &Connection) -> Vec<u64> {
    let which = Which { ascending: true, limit: 1_000, ..Which::default() };
    entries(connection, &which).unwrap().iter().map(|entry| entry.revision).collect()
}

#[test]
fn what_is_too_old_or_too_many_is_folded_and_the_last_change_never() {
    let connection = open();
    for revision in 1..=10 {
        put(&connection, &record(revision, 1, ChangeKind::Updated), 100 * revision.cast_signed(), KEPT)
            .unwrap();
    }
    assert!(fold(&connection, KEPT, 1_000).unwrap());
    assert_eq!(revisions(&connection), [6, 7, 8, 9, 10]);
    assert!(!fold(&connection, KEPT, 1_000).unwrap());
    assert!(fold(&connection, KEPT, 1_800).unwrap());
    assert_eq!(revisions(&connection), [8, 9, 10]);
    assert!(fold(&connection, KEPT, 1_000_000).unwrap());
    assert_eq!(revisions(&connection), [10]);
    assert!(!fold(&connection, KEPT, 2_000_000).unwrap());
}

#[test]
fn holds_go_with_their_time_and_are_bounded_where_nothing_changes() {
    let connection = open();
    let key = ("S".to_owned(), "1".to_owned());
    put(&connection, &record(1, 1, ChangeKind::Registered), 0, KEPT).unwrap();
    for at_ms in 0..20 {
        hold(&connection, 1, at_ms, std::iter::once((&key, "held"))).unwrap();
    }
    fold(&connection, KEPT, 20).unwrap();
    assert_eq!(revisions(&connection).len(), 1 + 5);
    fold(&connection, KEPT, 1_000_000).unwrap();
    assert_eq!(revisions(&connection), [1]);
}

#[test]
fn what_was_changed_before_the_baseline_was_kept_is_history_but_no_state() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(MIGRATIONS[0]).unwrap();
    let json = serde_json::to_string(&record(3, 7, ChangeKind::Registered).change.registration).unwrap();
    connection.execute("INSERT INTO registrations VALUES ('S', '7', ?1)", [&json]).unwrap();
    connection.execute("INSERT INTO changes VALUES (3, 'registered', 50, ?1)", [&json]).unwrap();
    MIGRATIONS[1..].iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    let which = Which { service: Some("S".to_owned()), limit: 10, ..Which::default() };
    assert_eq!(entries(&connection, &which).unwrap()[0].instance_id, "7");
    assert_eq!(state(&connection, At::Revision(3), None).unwrap().1.len(), 1);
    assert!(matches!(state(&connection, At::Revision(2), None), Err(AtError::Gone { revision: 3, .. })));
    put(&connection, &record(4, 7, ChangeKind::Expired), 60, KEPT).unwrap();
    fold(&connection, KEPT, 1_000_000).unwrap();
    assert_eq!(state(&connection, At::Revision(4), None).unwrap(), (4, vec![]));
}

proptest::proptest! {
    #[test]
    fn every_kept_state_is_what_a_map_says(
        changes in proptest::collection::vec((0..6_u8, 0..3_u8, 0..200_i64, proptest::bool::ANY), 1..60)
    ) {
        let connection = open();
        let mut now: BTreeMap<u8, u64> = BTreeMap::new();
        let mut states = vec![(0, now.clone())];
        let mut at_ms = 0;
        for (instance, kind, later_ms, folds) in changes {
            let kind = match (kind, now.contains_key(&instance)) {
                (0, true) => ChangeKind::Expired,
                (_, true) => ChangeKind::Updated,
                (_, false) => ChangeKind::Registered,
            };
            at_ms += later_ms;
            let revision = states.len() as u64;
            put(&connection, &record(revision, instance, kind), at_ms, KEPT).unwrap();
            if kind.removes() { now.remove(&instance); } else { now.insert(instance, revision); }
            states.push((at_ms, now.clone()));
            if folds {
                fold(&connection, KEPT, at_ms).unwrap();
            }
        }
        let read = |at| state(&connection, at, None).map(|(revision, list)| {
            let key = |r: &Registration| r.instance_id.parse::<u8>().unwrap();
            (revision, list.iter().map(|r| (key(r), r.revision)).collect::<BTreeMap<_, _>>())
        });
        let mut kept = 0;
        for (revision, (at_ms, want)) in (0..).zip(&states) {
            match read(At::Revision(revision)) {
                Ok(state) => {
                    kept += 1;
                    assert_eq!(state, (revision, want.clone()));
                    let last = states.iter().rposition(|(at, _)| at <= at_ms).unwrap();
                    assert_eq!(read(At::Time(*at_ms)).unwrap(), (last as u64, states[last].1.clone()));
                }
                Err(error) => assert!(matches!(error, AtError::Gone { .. }) && kept == 0),
            }
        }
        assert!(kept >= states.len().min(2));
        assert!(matches!(read(At::Revision(states.len() as u64)), Err(AtError::Ahead(_))));
    }
}
