//! The registry on disk: the registrations, and the changes that led to them.
//!
//! * The revision is that of the last change, which is never folded.
//! * The oldest changes are *folded*: the baseline is the state after the last
//!   one that was, so that baseline and later changes together give the state
//!   at any revision from the horizon on.
//! * A registration and a change have a checksum. A row that does not match its
//!   own is skipped at the start; its owner registers again when its heartbeat
//!   finds nothing.
//! * A hold is what the guard did to an instance. It changes no registration
//!   and has no revision; it stands after the change of its revision.

use crate::runtime::database::Loading;
use crate::runtime::database::columns::{json, signed, to_json, word};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, params};
use shared::wire::registry::{Change, Registration};
use xxhash_rust::xxh3::Xxh3;

/// The oldest changes are folded once in so many, and on every tidying.
const FOLD_EVERY: u64 = 256;
/// Changes that are folded in one write: more than come in between.
const FOLD_MAX: i64 = 1_024;

/// The tables.
pub const MIGRATIONS: &[&str] = &[
    "
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
    ",
    // What was changed before is known, but not from what: the horizon is now.
    "
    ALTER TABLE changes ADD COLUMN service TEXT NOT NULL DEFAULT '';
    ALTER TABLE changes ADD COLUMN instance TEXT NOT NULL DEFAULT '';
    ALTER TABLE changes ADD COLUMN detail TEXT;
    UPDATE changes SET
        service = json_extract(registration, '$.serviceName'),
        instance = json_extract(registration, '$.instanceId');
    CREATE TABLE baseline (
        service TEXT NOT NULL,
        instance TEXT NOT NULL,
        registration TEXT NOT NULL,  -- JSON
        PRIMARY KEY (service, instance)
    ) WITHOUT ROWID;
    CREATE TABLE horizon (
        revision INTEGER NOT NULL,   -- of the baseline
        at INTEGER NOT NULL          -- milliseconds since 1970
    );
    CREATE TABLE holds (
        id INTEGER PRIMARY KEY,
        revision INTEGER NOT NULL,
        at INTEGER NOT NULL,         -- milliseconds since 1970
        service TEXT NOT NULL,
        instance TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    INSERT INTO baseline SELECT service, instance, registration FROM registrations;
    INSERT INTO horizon SELECT coalesce(max(revision), 0), coalesce(max(at), 0) FROM changes;
    ",
    // What was written before has no checksum, and is believed.
    "
    ALTER TABLE registrations ADD COLUMN sum INTEGER;
    ALTER TABLE changes ADD COLUMN sum INTEGER;
    ",
];

/// A change, and in words how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The change.
    pub change: Change,
    /// Who or what made it, where that is not clear from its kind.
    pub detail: Option<String>,
}

/// How much of the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// No change older than this.
    pub age_ms: i64,
    /// No more changes than this.
    pub count: i64,
}

/// What the registry begins with.
#[derive(Debug)]
pub struct Loaded {
    /// The history's epoch.
    pub epoch: u64,
    /// All registrations.
    pub registrations: Vec<Registration>,
    /// The last changes without a gap, oldest first.
    pub changes: Vec<Change>,
    /// The revision of the last change.
    pub revision: u64,
}

/// Reads the registry back, with at most so many changes.
pub fn load(loading: &mut Loading<'_>, changes_max: usize) -> rusqlite::Result<Loaded> {
    let epoch = epoch(loading)?;
    let registrations = loading.rows(
        "registrations",
        "SELECT registration, service, instance, sum FROM registrations",
        |row| {
            let (text, service, instance): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            check(row, ["", &service, &instance, &text])?;
            let registration: Registration = json(row, 0)?;
            check_names(&registration, &service, &instance)?;
            Ok(registration)
        },
    )?;
    let sql = format!(
        "SELECT registration, service, instance, sum, kind, revision FROM changes \
         ORDER BY revision DESC LIMIT {}",
        changes_max.max(1)
    );
    let found = loading.rows("changes", &sql, |row| Ok((row.get(5)?, change(row))))?;
    let damaged: Vec<i64> = found.iter().filter(|(_, change)| change.is_err()).map(|(at, _)| *at).collect();
    for at in &damaged {
        loading.skip("changes");
        // Its number may be in the way of a change to come. On a full disk it stays.
        let _ = loading.connection.execute("DELETE FROM changes WHERE revision = ?1", [at]);
    }
    // Each of the newest that cannot be read had a revision.
    let lost = found.iter().take_while(|(_, change)| change.is_err()).count() as u64;
    let newest = found.iter().find_map(|(_, change)| Some(change.as_ref().ok()?.registration.revision));
    let known = registrations.iter().map(|registration| registration.revision).max();
    let revision = newest.unwrap_or(0).saturating_add(lost).max(known.unwrap_or(0));
    // A watch can be resumed from where all that follows is known.
    let mut next = revision.saturating_add(1);
    let mut changes: Vec<Change> = found
        .into_iter()
        .map_while(|(_, change)| {
            let change = change.ok()?;
            next = next.checked_sub(1).filter(|next| *next == change.registration.revision)?;
            Some(change)
        })
        .collect();
    changes.reverse();
    Ok(Loaded { epoch, registrations, changes, revision })
}

/// A change, if it is as it was written.
fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    let (text, service, instance): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let kind: String = row.get(4)?;
    check(row, [&kind, &service, &instance, &text])?;
    let change = Change { kind: word(row, 4)?, registration: json(row, 0)? };
    check_names(&change.registration, &service, &instance)?;
    let revision: i64 = row.get(5)?;
    if signed(change.registration.revision) == revision { Ok(change) } else { Err(damaged("revision")) }
}

/// The checksum of a row's words: JSON with a flipped bit is JSON still, mostly.
fn sum(words: [&str; 4]) -> i64 {
    let mut hash = Xxh3::new();
    for word in words {
        hash.update(&word.len().to_le_bytes());
        hash.update(word.as_bytes());
    }
    hash.digest().cast_signed()
}

/// Whether the words of a row are what was written. What an earlier version
/// wrote has no checksum.
fn check(row: &Row<'_>, words: [&str; 4]) -> rusqlite::Result<()> {
    match row.get::<_, Option<i64>>(3)? {
        Some(written) if written != sum(words) => Err(damaged("checksum")),
        _ => Ok(()),
    }
}

fn check_names(registration: &Registration, service: &str, instance: &str) -> rusqlite::Result<()> {
    if registration.service_name == service && registration.instance_id == instance {
        return Ok(());
    }
    Err(damaged("names"))
}

fn damaged(what: &str) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, format!("the {what} of the row do not match it").into())
}

/// The history's epoch; drawn now if there is none, or if a part of the history
/// was lost.
fn epoch(loading: &Loading<'_>) -> rusqlite::Result<u64> {
    let connection = loading.connection;
    if loading.is_rebuilt {
        connection.execute("DELETE FROM epoch", [])?;
    }
    let known: Option<i64> =
        connection.query_row("SELECT epoch FROM epoch", [], |row| row.get(0)).optional()?;
    let epoch = known.unwrap_or_else(|| fastrand::i64(1..=0xffff_ffff_ffff));
    if known.is_none() {
        connection.execute("INSERT INTO epoch VALUES (?1)", [epoch])?;
    }
    Ok(epoch.unsigned_abs())
}

/// Writes one change, and folds the oldest that need not be kept.
pub fn put(connection: &Connection, record: &Record, at_ms: i64, kept: Kept) -> rusqlite::Result<()> {
    let Record { change: Change { kind, registration }, detail } = record;
    let json = to_json(registration)?;
    let (service, instance) = (&registration.service_name, &registration.instance_id);
    if kind.removes() {
        connection
            .prepare_cached("DELETE FROM registrations WHERE service = ?1 AND instance = ?2")?
            .execute(params![service, instance])?;
    } else {
        connection
            .prepare_cached("INSERT OR REPLACE INTO registrations VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![service, instance, json, sum(["", service, instance, &json])])?;
    }
    let revision = signed(registration.revision);
    connection
        .prepare_cached(
            "INSERT INTO changes (revision, kind, at, registration, service, instance, detail, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            revision,
            kind.event_name(),
            at_ms,
            json,
            service,
            instance,
            detail,
            sum([kind.event_name(), service, instance, &json])
        ])?;
    if registration.revision.is_multiple_of(FOLD_EVERY) {
        fold(connection, kept, at_ms)?;
    }
    Ok(())
}

/// Notes that the guard holds these instances.
pub fn hold<'a>(
    connection: &Connection,
    revision: u64,
    at_ms: i64,
    held: impl Iterator<Item = (&'a (String, String), &'a str)>,
) -> rusqlite::Result<()> {
    let revision = signed(revision);
    let mut statement = connection.prepare_cached(
        "INSERT INTO holds (revision, at, service, instance, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for ((service, instance), detail) in held {
        statement.execute(params![revision, at_ms, service, instance, detail])?;
    }
    Ok(())
}

/// Folds the oldest changes into the baseline: those that are too old or too
/// many, and in one write only so many of them. Whether some were folded.
pub fn fold(connection: &Connection, kept: Kept, now_ms: i64) -> rusqlite::Result<bool> {
    let (before_ms, count) = (now_ms.saturating_sub(kept.age_ms), kept.count);
    // Of the oldest, those before the first that is to be kept.
    let until: Option<i64> = connection
        .prepare_cached(
            "WITH oldest AS (SELECT revision, at FROM changes ORDER BY revision LIMIT ?3),
                  last AS (SELECT max(revision) AS revision FROM changes)
             SELECT max(revision) FROM oldest
             WHERE revision < (SELECT revision FROM last)
               AND revision < coalesce(
                   (SELECT min(revision) FROM oldest
                    WHERE at >= ?1 AND revision > (SELECT revision FROM last) - ?2),
                   (SELECT revision FROM last))",
        )?
        .query_row([before_ms, count, FOLD_MAX], |row| row.get(0))?;
    connection
        .prepare_cached(
            "DELETE FROM holds WHERE id IN (SELECT id FROM holds ORDER BY id LIMIT ?3)
             AND (at < ?1 OR id <= (SELECT max(id) FROM holds) - ?2)",
        )?
        .execute([before_ms, count, FOLD_MAX])?;
    let Some(until) = until else { return Ok(false) };
    let folded = "changes WHERE revision > (SELECT revision FROM horizon) AND revision <= ?1";
    connection
        .prepare_cached(&format!(
            "DELETE FROM baseline WHERE (service, instance) IN (SELECT service, instance FROM {folded})"
        ))?
        .execute([until])?;
    // Of each instance the last. Beside max() SQLite gives the row that has it.
    connection
        .prepare_cached(&format!(
            "INSERT INTO baseline SELECT service, instance, registration FROM (
                SELECT service, instance, kind, registration, max(revision) FROM {folded}
                GROUP BY service, instance)
             WHERE kind IN ('registered', 'updated')"
        ))?
        .execute([until])?;
    connection
        .prepare_cached(
            "UPDATE horizon SET revision = ?1,
                at = max(at, (SELECT max(at) FROM changes WHERE revision <= ?1))
             WHERE revision < ?1",
        )?
        .execute([until])?;
    connection.prepare_cached("DELETE FROM changes WHERE revision <= ?1")?.execute([until])?;
    Ok(true)
}

#[cfg(test)]
mod flips;
#[cfg(test)]
mod tests;
