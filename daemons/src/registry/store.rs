//! The registry on disk: the registrations, and the changes that a watch can
//! resume over. The revision is that of the last change, which is never
//! trimmed.

use rusqlite::{Connection, OptionalExtension, params};
use shared::wire::registry::{Change, ChangeKind, Registration};

/// The oldest changes are forgotten once in so many.
const TRIM_EVERY: u64 = 256;

/// The tables.
pub const MIGRATIONS: &[&str] = &["
    CREATE TABLE epoch (epoch INTEGER NOT NULL);
    CREATE TABLE registrations (
        service TEXT NOT NULL,
        instance TEXT NOT NULL,
        registration TEXT NOT NULL,  -- JSON
        PRIMARY KEY (service, instance)
    ) WITHOUT ROWID;
    CREATE TABLE changes (
        revision INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,          -- registered | updated | deregistered | expired
        at INTEGER NOT NULL,         -- milliseconds since 1970
        registration TEXT NOT NULL   -- JSON
    );
"];

/// The history's epoch; drawn now if there is none.
pub fn epoch(connection: &Connection) -> rusqlite::Result<u64> {
    let known: Option<i64> =
        connection.query_row("SELECT epoch FROM epoch", [], |row| row.get(0)).optional()?;
    let epoch = known.unwrap_or_else(|| fastrand::i64(1..=0xffff_ffff_ffff));
    if known.is_none() {
        connection.execute("INSERT INTO epoch VALUES (?1)", [epoch])?;
    }
    Ok(epoch.unsigned_abs())
}

/// All registrations.
pub fn registrations(connection: &Connection) -> rusqlite::Result<Vec<Registration>> {
    let mut statement = connection.prepare("SELECT registration FROM registrations")?;
    statement.query_map([], |row| parse(&row.get::<_, String>(0)?))?.collect()
}

/// The changes that are kept, oldest first.
pub fn changes(connection: &Connection) -> rusqlite::Result<Vec<Change>> {
    let mut statement = connection.prepare("SELECT kind, registration FROM changes ORDER BY revision")?;
    statement
        .query_map([], |row| {
            let kind = parse::<ChangeKind>(&format!("\"{}\"", row.get::<_, String>(0)?))?;
            Ok(Change { kind, registration: parse(&row.get::<_, String>(1)?)? })
        })?
        .collect()
}

/// Writes one change, and forgets the oldest that need not be kept.
pub fn put(connection: &Connection, change: &Change, at_ms: i64, kept: usize) -> rusqlite::Result<()> {
    let registration = &change.registration;
    let json =
        serde_json::to_string(registration).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    let (service, instance) = (&registration.service_name, &registration.instance_id);
    if change.kind.removes() {
        connection
            .prepare_cached("DELETE FROM registrations WHERE service = ?1 AND instance = ?2")?
            .execute(params![service, instance])?;
    } else {
        connection
            .prepare_cached("INSERT OR REPLACE INTO registrations VALUES (?1, ?2, ?3)")?
            .execute(params![service, instance, json])?;
    }
    let revision = i64::try_from(registration.revision).unwrap_or(i64::MAX);
    connection.prepare_cached("INSERT INTO changes VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        revision,
        change.kind.event_name(),
        at_ms,
        json
    ])?;
    if registration.revision.is_multiple_of(TRIM_EVERY) {
        let kept = i64::try_from(kept.max(1)).unwrap_or(i64::MAX);
        let until = revision.saturating_sub(kept);
        connection.prepare_cached("DELETE FROM changes WHERE revision <= ?1")?.execute([until])?;
    }
    Ok(())
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> rusqlite::Result<T> {
    serde_json::from_str(json)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, e.into()))
}
