//! The past, read from disk: what happened, and how things stood.

use crate::runtime::database::StoreFailure;
use crate::runtime::database::columns::{json, readable, word};
use chrono::{DateTime, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, named_params};
use shared::wire::registry::{Cause, Effect, HistoryEntry, HistoryId, Registration};

/// Which entries of the history to read.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Of this service.
    pub service: Option<String>,
    /// Of this instance.
    pub instance: Option<String>,
    /// Not before, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Before, in milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// After this entry.
    pub after: Option<HistoryId>,
    /// Before this entry.
    pub before: Option<HistoryId>,
    /// Oldest first.
    pub ascending: bool,
    /// At most so many.
    pub limit: usize,
}

/// A point of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After this revision.
    Revision(u64),
    /// At this time, in milliseconds since 1970.
    Time(i64),
}

/// Why there is no state of that point.
#[derive(Debug, thiserror::Error)]
pub enum AtError {
    /// It was folded.
    #[error("that is not kept any more: the history begins at revision {revision}, {}", time(*.at_ms))]
    Gone {
        /// The earliest revision that can be asked for.
        revision: i64,
        /// When it was, in milliseconds since 1970.
        at_ms: i64,
    },
    /// It has not been yet.
    #[error("the registry has only come to revision {0}")]
    Ahead(i64),
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl StoreFailure for AtError {
    fn store(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

/// The entries that are asked for.
pub fn entries(connection: &Connection, which: &Which) -> rusqlite::Result<Vec<HistoryEntry>> {
    let order = if which.ascending { "ASC" } else { "DESC" };
    // Each of the two is in this order already: a page is read, and no more.
    let which_of = "(:service IS NULL OR service = :service) AND (:instance IS NULL OR instance = :instance)
            AND at >= :since AND at < :until";
    let mut statement = connection.prepare_cached(&format!(
        "SELECT * FROM (
            SELECT revision, 0 AS note, at, kind, service, instance, detail, registration FROM changes
            WHERE revision >= :after AND revision <= :before
              AND (revision, 0) > (:after, :after_note) AND (revision, 0) < (:before, :before_note)
              AND {which_of} ORDER BY revision {order} LIMIT :limit)
         UNION ALL SELECT * FROM (
            SELECT revision, id AS note, at, 'held', service, instance, detail, NULL FROM holds
            WHERE (revision, id) > (:after, :after_note) AND (revision, id) < (:before, :before_note)
              AND {which_of} ORDER BY id {order} LIMIT :limit)
         ORDER BY revision {order}, note {order} LIMIT :limit"
    ))?;
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let after = which.after.map_or((-1, 0), |id| (number(id.revision), number(id.note)));
    let before = which.before.map_or((i64::MAX, 0), |id| (number(id.revision), number(id.note)));
    readable(statement.query_map(
        named_params! {
            ":service": which.service, ":instance": which.instance,
            ":since": which.since_ms.unwrap_or(i64::MIN), ":until": which.until_ms.unwrap_or(i64::MAX),
            ":after": after.0, ":after_note": after.1, ":before": before.0, ":before_note": before.1,
            ":limit": number(which.limit as u64),
        },
        entry,
    )?)
}

fn entry(row: &Row) -> rusqlite::Result<HistoryEntry> {
    let cause: Cause = word(row, "kind")?;
    let registration = match row.get_ref("registration")? {
        ValueRef::Null => None,
        _ => Some(json(row, "registration")?),
    };
    let id = HistoryId {
        revision: row.get::<_, i64>("revision")?.unsigned_abs(),
        note: row.get::<_, i64>("note")?.unsigned_abs(),
    };
    Ok(HistoryEntry {
        id,
        revision: id.revision,
        at: time(row.get("at")?),
        change: match cause {
            Cause::Registered => Effect::Added,
            Cause::Updated => Effect::Updated,
            Cause::Deregistered | Cause::Expired => Effect::Removed,
            Cause::Held => Effect::None,
        },
        cause,
        detail: row.get("detail")?,
        service: row.get("service")?,
        instance_id: row.get("instance")?,
        registration,
    })
}

/// The registrations as they stood, of one service or of all, and the revision
/// of that state: the baseline and what came after it.
pub fn state(
    connection: &Connection,
    at: At,
    service: Option<&str>,
) -> Result<(u64, Vec<Registration>), AtError> {
    let revision = revision(connection, at)?;
    // Beside max() SQLite gives the other columns of the row that has it.
    let mut statement = connection.prepare_cached(
        "SELECT CASE revision
            WHEN 0 THEN (SELECT registration FROM baseline AS b
                         WHERE b.service = last.service AND b.instance = last.instance)
            ELSE (SELECT registration FROM changes AS c WHERE c.revision = last.revision) END
         FROM (
            SELECT service, instance, kind, max(revision) AS revision FROM (
                SELECT service, instance, 'registered' AS kind, 0 AS revision FROM baseline
                UNION ALL
                SELECT service, instance, kind, revision FROM changes
                WHERE revision > (SELECT revision FROM horizon) AND revision <= :revision)
            WHERE :service IS NULL OR service = :service
            GROUP BY service, instance) AS last
         WHERE kind IN ('registered', 'updated')
         ORDER BY service, instance",
    )?;
    let found = statement
        .query_map(named_params! {":revision": revision, ":service": service}, |row| json(row, 0))?;
    let registrations = readable(found)?;
    Ok((revision.unsigned_abs(), registrations))
}

/// The revision of a point of the past.
fn revision(connection: &Connection, at: At) -> Result<i64, AtError> {
    let (horizon, horizon_ms): (i64, i64) =
        connection.query_row("SELECT revision, at FROM horizon", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let last: i64 =
        connection.query_row("SELECT coalesce(max(revision), 0) FROM changes", [], |row| row.get(0))?;
    let gone = AtError::Gone { revision: horizon, at_ms: horizon_ms };
    match at {
        At::Revision(revision) => match i64::try_from(revision).unwrap_or(i64::MAX) {
            revision if revision < horizon => Err(gone),
            revision if revision > last.max(horizon) => Err(AtError::Ahead(last)),
            revision => Ok(revision),
        },
        At::Time(at_ms) if at_ms < horizon_ms => Err(gone),
        At::Time(at_ms) => {
            let known: Option<i64> = connection.query_row(
                "SELECT max(revision) FROM changes WHERE at <= ?1 AND revision > ?2",
                [at_ms, horizon],
                |row| row.get(0),
            )?;
            Ok(known.unwrap_or(horizon))
        }
    }
}

fn time(at_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default()
}
