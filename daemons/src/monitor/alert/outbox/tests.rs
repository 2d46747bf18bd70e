//! What incidents leave in the outbox.

use super::*;
use crate::settings::Target;

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(MIGRATION).unwrap();
    connection
}

fn book() -> Book {
    let url: Target = "http://h/".parse().unwrap();
    Book { channels: vec![Channel::shortcut(&url)], url: "http://monitor".to_owned() }
}

fn incident(id: u64, resolved_at: Option<DateTime<Utc>>) -> BTreeMap<u64, Incident> {
    let (service, opened_at) = ("S".to_owned(), Utc::now());
    let incident = Incident { id, service, opened_at, resolved_at, ..Incident::default() };
    BTreeMap::from([(id, incident)])
}

fn file_all(connection: &Connection, incidents: &BTreeMap<u64, Incident>) {
    file(connection, &book(), incidents, &BTreeMap::new(), Utc::now()).unwrap();
}

fn states(connection: &Connection) -> Vec<(String, DeliveryState)> {
    let deliveries = list(connection, &Filter::default(), 100).unwrap();
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
    let waiting = waiting(&connection, "webhook").unwrap();
    assert_eq!(waiting.iter().map(|one| (one.id, one.incident)).collect::<Vec<_>>(), [(1, 7), (2, 7)]);
}

#[test]
fn a_key_is_the_same_for_ever_and_differs_by_channel() {
    let connection = database();
    file_all(&connection, &incident(7, None));
    let (notification, prepared) = get(&connection, 1).unwrap().unwrap();
    assert!(notification.key.ends_with("-7-opened-webhook") && !prepared, "{}", notification.key);
    hand_on(&connection, &[1], "mail", Utc::now()).unwrap();
    hand_on(&connection, &[1], "mail", Utc::now()).unwrap();
    let handed = list(&connection, &Filter { channel: Some("mail".to_owned()), state: None }, 100).unwrap();
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
             n, NULL, NULL, NULL, 0 FROM n"
        ))
        .unwrap();
    file_all(&connection, &incident(20_000, None));
    let standing = standing(&connection, "webhook", Utc::now()).unwrap();
    assert_eq!(standing.pending, u64::from(WAITING_MAX));
    assert_eq!(waiting(&connection, "webhook").unwrap()[0].id, 2);
}

#[test]
fn what_waits_is_found_by_an_index() {
    let connection = database();
    let plan: Vec<String> = connection
        .prepare(
            "EXPLAIN QUERY PLAN SELECT id FROM notifications WHERE channel = 'x' AND state = 'pending' \
             ORDER BY due_at, id LIMIT 9",
        )
        .unwrap()
        .query_map([], |row| row.get(3))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(plan.len() == 1 && plan[0].contains("notifications_by_state"), "{plan:?}");
}
