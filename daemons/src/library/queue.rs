//! The outbox on disk: records in the order in which they happened, and the
//! batch under way.
//!
//! The numbers of the rows have no gaps: a row goes in with the change that it
//! tells of, and only the first rows are ever taken away. The last row of the
//! batch under way is on disk before the batch is sent, so that a retry after a
//! crash sends the same records under the same key.

use crate::runtime::database::columns::{json, to_json};
use rusqlite::{Connection, OptionalExtension, params};
use shared::wire::log::NewRecord;

/// Records that wait. When there are so many, the log has been away for a very
/// long time; changes are refused then, rather than their records lost.
pub const WAITING_MAX: u32 = 1_000_000;
/// Records in one batch.
const BATCH_MAX: i64 = 500;
/// Records set aside that are kept.
const SET_ASIDE_MAX: i64 = 10_000;

/// Records that are sent together, by the numbers of their rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The number of the first.
    pub first: i64,
    /// The number of the last.
    pub last: i64,
    /// All of them.
    pub records: Vec<NewRecord>,
}

impl Batch {
    /// The key under which it is sent. It names the records: no other batch of
    /// this library or another ever has it.
    pub fn key(&self, library: &str) -> String {
        format!("library-{library}-{}-{}", self.first, self.last)
    }

    /// How many records it has.
    pub fn len(&self) -> u64 {
        self.records.len().try_into().unwrap_or(u64::MAX)
    }
}

/// Puts a record at the end; how many wait then.
pub fn push(connection: &Connection, record: &NewRecord) -> rusqlite::Result<u32> {
    let json = to_json(record)?;
    connection.prepare_cached("INSERT INTO outbox (record) VALUES (?1)")?.execute([json])?;
    waiting(connection)
}

/// How many records wait.
pub fn waiting(connection: &Connection) -> rusqlite::Result<u32> {
    connection
        .prepare_cached("SELECT coalesce((SELECT max(n) FROM outbox) - (SELECT min(n) FROM outbox) + 1, 0)")?
        .query_row([], |row| row.get(0))
}

/// The batch under way. When there is none, its end is fixed now; nothing when
/// nothing waits.
pub fn batch(connection: &Connection) -> rusqlite::Result<Option<Batch>> {
    let fixed: Option<i64> = connection.query_row("SELECT shipping_to FROM library", [], |row| row.get(0))?;
    let last = match fixed {
        Some(last) => last,
        None => {
            let last: Option<i64> = connection.query_row(
                "SELECT max(n) FROM (SELECT n FROM outbox ORDER BY n LIMIT ?1)",
                [BATCH_MAX],
                |row| row.get(0),
            )?;
            let Some(last) = last else { return Ok(None) };
            ship_to(connection, Some(last))?;
            last
        }
    };
    let mut statement = connection.prepare_cached("SELECT n, record FROM outbox WHERE n <= ?1 ORDER BY n")?;
    let rows: Vec<(i64, NewRecord)> =
        statement.query_map([last], |row| Ok((row.get(0)?, json(row, 1)?)))?.collect::<Result<_, _>>()?;
    let first = rows.first().map_or(last, |(n, _)| *n);
    Ok(Some(Batch { first, last, records: rows.into_iter().map(|(_, record)| record).collect() }))
}

/// The log has the batch: its records need wait no longer.
pub fn acknowledge(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM outbox WHERE n <= ?1")?.execute([batch.last])?;
    ship_to(connection, None)
}

/// The log refuses the batch for what is in it. The first half of it becomes
/// the batch; of a batch of one, the record is set aside, with the reason.
pub fn refuse(connection: &Connection, batch: &Batch, reason: &str) -> rusqlite::Result<()> {
    if batch.first < batch.last {
        return ship_to(connection, Some(batch.first + (batch.last - batch.first) / 2));
    }
    let record: Option<String> = connection
        .query_row("SELECT record FROM outbox WHERE n = ?1", [batch.last], |row| row.get(0))
        .optional()?;
    connection.execute("INSERT INTO set_aside VALUES (?1, ?2, ?3)", params![batch.last, record, reason])?;
    connection.execute(
        "DELETE FROM set_aside WHERE n <= (SELECT n FROM set_aside ORDER BY n DESC LIMIT 1 OFFSET ?1)",
        [SET_ASIDE_MAX],
    )?;
    acknowledge(connection, batch)
}

fn ship_to(connection: &Connection, last: Option<i64>) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE library SET shipping_to = ?1")?.execute([last])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::store;
    use super::*;

    fn outbox(records: i64) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(store::MIGRATIONS[0]).unwrap();
        store::begin(&connection).unwrap();
        (1..=records).for_each(|n| {
            push(&connection, &record(n)).unwrap();
        });
        connection
    }

    fn record(n: i64) -> NewRecord {
        NewRecord { message: format!("record {n}"), ..NewRecord::default() }
    }

    fn bounds(connection: &Connection) -> Option<(i64, i64)> {
        batch(connection).unwrap().map(|batch| (batch.first, batch.last))
    }

    #[test]
    fn a_batch_keeps_its_records_whatever_is_added_meanwhile() {
        let connection = outbox(3);
        let before = batch(&connection).unwrap().unwrap();
        push(&connection, &record(4)).unwrap();
        let again = batch(&connection).unwrap().unwrap();
        assert_eq!(before, again);
        assert_eq!(before.key("x"), "library-x-1-3");
        acknowledge(&connection, &again).unwrap();
        assert_eq!(bounds(&connection), Some((4, 4)));
    }

    #[test]
    fn a_batch_is_bounded_and_the_rest_follows() {
        let connection = outbox(BATCH_MAX + 1);
        let first = batch(&connection).unwrap().unwrap();
        assert_eq!((first.first, first.last, first.len()), (1, BATCH_MAX, 500));
        acknowledge(&connection, &first).unwrap();
        assert_eq!(bounds(&connection), Some((BATCH_MAX + 1, BATCH_MAX + 1)));
        assert_eq!(waiting(&connection).unwrap(), 1);
    }

    #[test]
    fn numbers_are_not_used_again_when_the_outbox_was_empty() {
        let connection = outbox(2);
        let all = batch(&connection).unwrap().unwrap();
        acknowledge(&connection, &all).unwrap();
        assert_eq!((bounds(&connection), waiting(&connection).unwrap()), (None, 0));
        push(&connection, &record(3)).unwrap();
        assert_eq!(bounds(&connection), Some((3, 3)));
    }

    #[test]
    fn a_record_that_is_refused_is_found_by_halves_and_set_aside_alone() {
        let connection = outbox(5);
        let mut arrived = Vec::new();
        // The log will not take record 4, nor a batch that has it.
        while let Some(batch) = batch(&connection).unwrap() {
            if (batch.first..=batch.last).contains(&4) {
                refuse(&connection, &batch, "too odd").unwrap();
            } else {
                arrived.extend(batch.first..=batch.last);
                acknowledge(&connection, &batch).unwrap();
            }
        }
        assert_eq!(arrived, [1, 2, 3, 5]);
        let (n, reason): (i64, String) = connection
            .query_row("SELECT n, reason FROM set_aside", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!((n, reason.as_str()), (4, "too odd"));
    }
}
