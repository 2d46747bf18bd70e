//! What incidents leave in the outbox.

use super::*;
use crate::settings::Target;

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(MIGRATION).unwrap();
    connection.execute_batch(MIGRATION_QUIET).unwrap();
    connection
}

fn channel(name: &str) -> Channel {
    let url: Target = "http://h/".parse().unwrap();
    Channel { name: name.to_owned(), ..Channel::shortcut(&url) }
}

fn channels() -> Channels {
    Channels { all: vec![channel("webhook")], url: "http://monitor".to_owned() }
}

fn incident(id: u64, resolved_at: Option<DateTime<Utc>>) -> BTreeMap<u64, Incident> {
    let (service, opened_at) = ("S".to_owned(), Utc::now());
    let incident = Incident { id, service, opened_at, resolved_at, ..Incident::default() };
    BTreeMap::from([(id, incident)])
}

fn file_all(connection: &Connection, incidents: &BTreeMap<u64, Incident>) {
    file(connection, &channels(), incidents, &BTreeMap::new(), Utc::now()).unwrap();
}

fn states(connection: &Connection) -> Vec<(String, DeliveryState)> {
    let deliveries = list(connection, &Filter::default(), 100, 0).unwrap().0;
    deliveries.into_iter().rev().map(|one| (one.notification.kind.to_string(), one.state)).collect()
}

#[test]
fn an_incident_that_is_written_again_is_told_no_second_time() {
    let connection = database();
    for over in [None, None, Some(Utc::now()), Some(Utc::now())] {
        file_all(&connection, &incident(7, over));
    }
    let pending = DeliveryState::Pending;
    assert_eq!(states(&connection), [("opened".to_owned(), pending), ("resolved".to_owned(), pending)]);
    let waiting = waiting(&connection, "webhook", Utc::now()).unwrap();
    assert_eq!(waiting.iter().map(|one| (one.id, one.incident)).collect::<Vec<_>>(), [(1, 7), (2, 7)]);
}

#[test]
fn a_key_is_the_same_for_ever_and_differs_by_channel() {
    let connection = database();
    file_all(&connection, &incident(7, None));
    let (notification, prepared) = get(&connection, 1).unwrap().unwrap();
    assert!(notification.key.ends_with("-7-opened-webhook") && !prepared, "{}", notification.key);
    hand_on(&connection, &[1], &channel("mail"), Utc::now()).unwrap();
    hand_on(&connection, &[1], &channel("mail"), Utc::now()).unwrap();
    let handed =
        list(&connection, &Filter { channel: Some("mail".to_owned()), state: None }, 100, 0).unwrap().0;
    assert_eq!(handed.len(), 1);
    let key = &handed[0].notification.key;
    assert_eq!(key.strip_suffix("mail"), notification.key.strip_suffix("webhook"));
    assert_eq!(handed[0].fallback_of.as_deref(), Some("webhook"));
}

#[test]
fn what_waits_is_bounded_and_the_oldest_go_first() {
    let connection = database();
    connection
        .execute_batch(&format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {WAITING_MAX}) \
             INSERT INTO notifications SELECT n, n, n, 'webhook', 'opened', 'S', '{{}}', 0, 'pending', 0, 0, n, n, n, \
             n, NULL, NULL, NULL, 0, 0, 0 FROM n"
        ))
        .unwrap();
    file_all(&connection, &incident(20_000, None));
    let standing = standing(&connection, "webhook", Utc::now()).unwrap();
    assert_eq!(standing.pending, u64::from(WAITING_MAX));
    assert_eq!(waiting(&connection, "webhook", Utc::now()).unwrap()[0].id, 2);
}

#[test]
fn what_waits_is_found_by_an_index() {
    let connection = database();
    let plan: Vec<String> = connection
        .prepare(
            "EXPLAIN QUERY PLAN SELECT id FROM notifications WHERE channel = 'x' AND state = 'pending' \
             AND NOT (quiet = 1 AND attempts = 0 AND due_at > 9) ORDER BY id LIMIT 9",
        )
        .unwrap()
        .query_map([], |row| row.get(3))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(plan.len() == 1 && plan[0].contains("notifications_in_order"), "{plan:?}");
}

#[test]
fn a_clock_that_is_set_back_changes_no_order() {
    let connection = database();
    let (now, hour) = (Utc::now(), chrono::TimeDelta::hours(1));
    let write = |over: Option<DateTime<Utc>>, at| {
        file(&connection, &channels(), &incident(7, over), &BTreeMap::new(), at).unwrap();
    };
    write(None, now);
    write(Some(now - hour), now - hour);
    assert_eq!(states(&connection).len(), 2, "it did not wait for the end of quiet hours");
    let waiting = waiting(&connection, "webhook", now - hour).unwrap();
    assert_eq!(waiting.iter().map(|one| one.id).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_channel_that_is_put_back_is_told_what_is_open_under_another_key() {
    let connection = database();
    file_all(&connection, &incident(7, None));
    let none = Channels { all: Vec::new(), ..channels() };
    tidy(&connection, &none, Utc::now()).unwrap();
    file_all(&connection, &incident(7, None));
    file_all(&connection, &incident(7, None));
    let told = [DeliveryState::GivenUp, DeliveryState::Pending].map(|state| ("opened".to_owned(), state));
    assert_eq!(states(&connection), told);
    let (again, _) = get(&connection, 2).unwrap().unwrap();
    assert!(again.key.ends_with("-7-opened.1-webhook"), "{}", again.key);
}

#[test]
fn what_is_handed_on_waits_for_the_end_of_the_other_s_quiet_hours() {
    let connection = database();
    file_all(&connection, &incident(7, None));
    let quiet = serde_json::from_str("\"00:00-24:00\"").unwrap();
    hand_on(&connection, &[1], &Channel { quiet, ..channel("mail") }, Utc::now()).unwrap();
    let now = Utc::now();
    let waiting = waiting(&connection, "mail", now).unwrap();
    assert!(waiting.len() == 1 && waiting[0].due_at > now, "{waiting:?}");
}
