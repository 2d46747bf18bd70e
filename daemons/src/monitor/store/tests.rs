//! What earlier versions stored can be read.

use super::super::core::rules;
use super::super::schema::MIGRATIONS;
use super::*;
use crate::settings::{Given, Settings};

#[test]
fn a_maintenance_of_the_first_version_is_read_and_a_service_without_newer_fields() {
    let connection = Connection::open_in_memory().unwrap();
    let (first, later) = MIGRATIONS.split_at(2);
    first.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    connection
        .execute_batch(
            r#"INSERT INTO maintenance VALUES ('S', NULL, '{"service":"S","reason":"r","owner":"o","until":null}');
               INSERT INTO checks VALUES ('S', 'i', '{"url":"http://h","probe_url":"http://h","check":{"status":"healthy","streak":4}}');
               INSERT INTO incidents VALUES (7, 'S', 0, NULL,
                 '{"id":7,"service":"S","opened_at":"2026-01-01T00:00:00Z","resolved_at":null,"reason":null,"detail":null}');"#,
        )
        .unwrap();
    later.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    let settings = Settings::load(Given::default(), None).unwrap();
    let state = load(&mut Loading::new(&connection, false), rules(&settings.monitor), Utc::now()).unwrap();
    let maintenance = state.maintenances().remove(0);
    assert_eq!((maintenance.service.as_str(), maintenance.instance), ("S", None));
    let instance = state.report_one("S", Utc::now()).unwrap().instances.remove(0);
    assert_eq!((instance.status.as_str(), instance.probed.as_str()), ("maintenance", "healthy"));
    assert_eq!(state.open[&7].dependents, []);
    end_maintenance(&connection, &("S".to_owned(), None)).unwrap();
    let state = load(&mut Loading::new(&connection, false), rules(&settings.monitor), Utc::now()).unwrap();
    assert!(state.maintenances().is_empty());
}

#[test]
fn uptime_that_was_counted_in_probes_keeps_its_share() {
    let connection = Connection::open_in_memory().unwrap();
    let (first, later) = MIGRATIONS.split_at(6);
    first.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    connection
        .execute_batch(
            "INSERT INTO checks VALUES ('S', 'i', '{}'), ('S', 'j', '{}');
             INSERT INTO uptime VALUES ('S', 1, 90, 120), ('gone', 1, 2, 3), ('gone', 2, 0, 0);",
        )
        .unwrap();
    later.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    let sums = |service| {
        let sums = uptime(&connection, service, DateTime::UNIX_EPOCH).unwrap();
        sums.iter().map(|sum| (sum.good_ms, sum.total_ms)).collect::<Vec<_>>()
    };
    assert_eq!(sums("S"), [(900_000, 1_200_000)]);
    assert_eq!(sums("gone"), [(400_000, 600_000), (0, 0)]);
}

#[test]
fn open_incidents_are_listed_before_resolved_ones_and_every_page_states_the_total() {
    let connection = Connection::open_in_memory().unwrap();
    MIGRATIONS.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    let at = |second: i64| DateTime::from_timestamp(second, 0).unwrap();
    let mut batch = Batch::default();
    // 1 and 4 are open; of the others 2 was resolved last.
    for (id, resolved) in [(1, None), (2, Some(90)), (3, Some(30)), (4, None), (5, Some(60))] {
        let resolved_at = resolved.map(at);
        batch.incidents.insert(id, Incident { id, opened_at: at(10), resolved_at, ..Incident::default() });
    }
    let now = at(100);
    write(&connection, &batch, &Rows::default(), now).unwrap();
    for (open_only, limit, offset, ids, total) in [
        (true, 10, 0, vec![4, 1], 2),
        (true, 1, 1, vec![1], 2),
        (false, 3, 0, vec![4, 1, 2], 5),
        (false, 1, 0, vec![4], 5),
        (false, 3, 1, vec![1, 2, 5], 5),
        (false, 9, 3, vec![5, 3], 5),
        (false, 9, 5, vec![], 5),
    ] {
        let (listed, all) = incidents(&connection, open_only, limit, offset).unwrap();
        let listed: Vec<u64> = listed.iter().map(|incident| incident.id).collect();
        assert_eq!((listed, all), (ids, total), "{limit} after {offset}");
    }
}

#[test]
fn the_newest_probes_are_found_without_sorting_all() {
    let connection = Connection::open_in_memory().unwrap();
    MIGRATIONS.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {NEWEST_PROBES}")).unwrap();
    let plan: Vec<String> =
        explained.query_map(params!["S", 9], |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
    assert!(plan.len() == 1 && plan[0].contains("probes_of_service"), "{plan:?}");
}
