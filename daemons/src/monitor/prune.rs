//! What is older than the history is to be is forgotten: a bounded piece at a
//! time, for whoever writes waits meanwhile.

use super::maintenance;
use super::uptime::bucket_of;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

/// Rows of one table that are deleted in one piece.
const PIECE: u32 = 2_000;

/// Each takes the horizon, in the table's own unit, and how many at most. Open
/// incidents stay, and the newest event and incident, from which the next ids
/// are drawn.
const BY_TIME: [&str; 4] = [
    "DELETE FROM probes WHERE (service, instance, slot) IN \
     (SELECT service, instance, slot FROM probes WHERE at < ?1 LIMIT ?2)",
    "DELETE FROM events WHERE id IN \
     (SELECT id FROM events WHERE at < ?1 AND id < (SELECT max(id) FROM events) LIMIT ?2)",
    "DELETE FROM incidents WHERE id IN \
     (SELECT id FROM incidents WHERE resolved_at < ?1 AND id < (SELECT max(id) FROM incidents) LIMIT ?2)",
    "DELETE FROM notifications WHERE id IN \
     (SELECT id FROM notifications WHERE settled_at < ?1 \
     AND incident NOT IN (SELECT id FROM incidents WHERE resolved_at IS NULL) LIMIT ?2)",
];
const BY_BUCKET: &str = "DELETE FROM uptime WHERE (service, bucket) IN \
     (SELECT service, bucket FROM uptime WHERE bucket < ?1 LIMIT ?2)";

/// Forgets a piece of what happened before `horizon`; whether more of it is left.
pub fn prune(connection: &Connection, horizon: DateTime<Utc>) -> rusqlite::Result<bool> {
    let mut more = false;
    let by_time = BY_TIME.map(|sql| (sql, horizon.timestamp_millis()));
    for (sql, before) in by_time.into_iter().chain([(BY_BUCKET, bucket_of(horizon))]) {
        more |= connection.prepare_cached(sql)?.execute(params![before, PIECE])? == PIECE as usize;
    }
    Ok(more)
}

/// The maintenances of services and instances of which nothing else is left:
/// they have been off the list for as long as the history is kept.
pub fn forgotten(connection: &Connection) -> rusqlite::Result<Vec<maintenance::Key>> {
    connection
        .prepare_cached(
            "SELECT service, nullif(instance, '') FROM maintenance AS m \
             WHERE NOT EXISTS (SELECT 1 FROM checks \
                WHERE service = m.service AND m.instance IN ('', checks.instance)) \
             AND NOT EXISTS (SELECT 1 FROM probes \
                WHERE service = m.service AND m.instance IN ('', probes.instance)) \
             AND NOT EXISTS (SELECT 1 FROM events WHERE service = m.service)",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::schema::MIGRATIONS;
    use super::super::store;
    use super::*;
    use shared::wire::monitor::Maintenance;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
        connection
    }

    fn under_maintenance(service: impl Into<String>) -> Maintenance {
        Maintenance { service: service.into(), ..Maintenance::default() }
    }

    fn count(connection: &Connection, table: &str) -> u32 {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    /// As many of each as two and a half pieces, all of them from 1970.
    fn aged() -> Connection {
        let connection = database();
        let many = PIECE * 5 / 2;
        connection
            .execute_batch(&format!(
                "CREATE TABLE n AS WITH RECURSIVE n(n) AS \
                    (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {many}) SELECT n FROM n; \
                 INSERT INTO probes SELECT 's', 'i', n, n, NULL, NULL, NULL FROM n; \
                 INSERT INTO uptime SELECT 's', -n, 1, 1 FROM n; \
                 INSERT INTO events SELECT n, n, 'incident', 's', '{{}}' FROM n; \
                 INSERT INTO incidents SELECT n, 's', n, nullif(n, 7), '{{}}' FROM n;"
            ))
            .unwrap();
        connection
    }

    #[test]
    fn what_is_old_goes_in_pieces_but_the_newest_ids_and_what_is_open_stay() {
        let connection = aged();
        let pieces = std::iter::repeat_with(|| prune(&connection, Utc::now()).unwrap());
        assert_eq!(pieces.take_while(|more| *more).count(), 2);
        let counts = ["probes", "uptime", "events", "incidents"].map(|table| count(&connection, table));
        assert_eq!(counts, [0, 0, 1, 2]);
    }

    #[test]
    fn what_is_old_is_found_by_an_index() {
        let connection = database();
        for sql in BY_TIME.into_iter().chain([BY_BUCKET]) {
            let plan: Vec<String> = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap()
                .query_map([1, 1], |row| row.get(3))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            assert!(plan.iter().any(|step| step.contains("_by_age")), "{plan:?}");
        }
    }

    #[test]
    fn a_maintenance_is_forgotten_with_the_last_trace_of_its_service() {
        let connection = aged();
        store::begin_maintenance(&connection, &under_maintenance("s")).unwrap();
        assert_eq!(forgotten(&connection).unwrap(), []);
        // The newest event always stays: here it is of another service.
        connection.execute("INSERT INTO events VALUES (1000000, 0, 'transition', 't', '{}')", []).unwrap();
        while prune(&connection, Utc::now()).unwrap() {}
        assert_eq!(forgotten(&connection).unwrap(), [("s".to_owned(), None)]);
        connection.execute("INSERT INTO checks VALUES ('s', 'i', '{}')", []).unwrap();
        assert_eq!(forgotten(&connection).unwrap(), [], "it is registered again");
    }

    #[test]
    fn there_are_so_many_maintenances_and_no_more_but_each_can_be_changed() {
        let connection = database();
        for n in 0..1_000 {
            store::begin_maintenance(&connection, &under_maintenance(n.to_string())).unwrap();
        }
        store::begin_maintenance(&connection, &under_maintenance("7")).unwrap();
        let error = store::begin_maintenance(&connection, &under_maintenance("one more")).unwrap_err();
        assert!(error.to_string().contains("1000 services"), "{error}");
        assert_eq!(count(&connection, "maintenance"), 1_000);
    }
}
