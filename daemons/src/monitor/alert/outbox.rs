//! The outbox on disk: a notification is here in the commit that opens or
//! resolves its incident, and until it is delivered or given up.

mod list;

pub use list::{Filter, Standing, list, standing};

use super::message::compose;
use super::queue::Waiting;
use super::route::{Step, Told, route};
use crate::runtime::database::columns::{json, signed, time, to_json, unsigned, word};
use crate::settings::Channel;
use chrono::{DateTime, Local, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared::wire::alert::{DeliveryState, Evidence, Notification};
use shared::wire::monitor::Incident;
use std::collections::BTreeMap;

/// Notifications that may wait in one channel; the oldest are given up first.
const WAITING_MAX: u32 = 10_000;
/// Of those that wait, how many are looked at together.
const LOOK: u32 = 1_000;
/// Alerts that are told again together.
const AGAIN_MAX: u32 = 1_000;

/// The tables. Times are milliseconds since 1970.
pub const MIGRATION: &str = "
    CREATE TABLE alerting (
        epoch TEXT NOT NULL,          -- a part of every key; there is one row
        tidied_at INTEGER NOT NULL
    );
    INSERT INTO alerting VALUES (lower(hex(randomblob(6))), 0);
    CREATE TABLE notifications (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        incident INTEGER NOT NULL,
        channel TEXT NOT NULL,
        kind TEXT NOT NULL,           -- opened | resolved
        service TEXT NOT NULL,        -- as it is told
        body TEXT NOT NULL,           -- JSON
        prepared INTEGER NOT NULL,    -- whether all of its evidence is in the body
        state TEXT NOT NULL,          -- pending | delivered | given_up | suppressed
        attempts INTEGER NOT NULL,
        refused INTEGER NOT NULL,     -- whether the last attempt was, for what it says
        created_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        tried_at INTEGER NOT NULL,    -- when it was made, if it was never tried
        next_at INTEGER NOT NULL,
        settled_at INTEGER,
        last_error TEXT,
        fallback_of TEXT,
        handed_on INTEGER NOT NULL    -- whether the fallback has it
    );
    CREATE INDEX notifications_by_state ON notifications (channel, state, due_at, id);
    CREATE INDEX notifications_of_incident ON notifications (incident);
    CREATE INDEX notifications_by_age ON notifications (settled_at);
";

/// Quiet hours have a column of their own: a time that is to come may also be
/// of a clock that was set back. And what was given up with its channel is told
/// anew when that is put back.
pub const MIGRATION_QUIET: &str = "
    ALTER TABLE notifications ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0;   -- waits for the end of quiet hours
    ALTER TABLE notifications ADD COLUMN removed INTEGER NOT NULL DEFAULT 0; -- given up with its channel
    UPDATE notifications SET quiet = 1 WHERE state = 'pending' AND due_at > created_at;
    UPDATE notifications SET removed = 1 WHERE last_error = 'the channel is no longer configured';
    CREATE INDEX notifications_in_order ON notifications (channel, state, id);
";

/// Who is told: what is to be known where notifications are made.
#[derive(Debug)]
pub struct Channels {
    /// All of them.
    pub all: Vec<Channel>,
    /// Where the monitor lists its incidents.
    pub url: String,
}

/// Writes down which notifications these incidents make.
pub fn file(
    connection: &Connection,
    channels: &Channels,
    incidents: &BTreeMap<u64, Incident>,
    facts: &BTreeMap<u64, Evidence>,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    if channels.all.is_empty() {
        return Ok(());
    }
    let epoch: String = connection.query_row("SELECT epoch FROM alerting", [], |row| row.get(0))?;
    for incident in incidents.values() {
        let told = told(connection, incident.id)?;
        for step in route(incident, &told, &channels.all, &now.with_timezone(&Local)) {
            match step {
                Step::Suppress { id } => settle(connection, id, DeliveryState::Suppressed, None, now)?,
                Step::Tell { channel, kind, quiet_until, service } => {
                    let is_same = |told: &&Told| told.removed && told.channel == channel && told.kind == kind;
                    let again = match told.iter().filter(is_same).count() {
                        0 => String::new(),
                        times => format!(".{times}"),
                    };
                    let mut notification = Notification {
                        key: format!("{epoch}-{}-{kind}{again}-{channel}", incident.id),
                        kind,
                        channel,
                        at: now,
                        title: String::new(),
                        text: String::new(),
                        service,
                        incident: incident.clone(),
                        url: channels.url.clone(),
                        evidence: facts.get(&incident.id).cloned(),
                    };
                    compose(&mut notification);
                    insert(connection, &notification, quiet_until, None, now)?;
                }
            }
        }
    }
    for channel in &channels.all {
        give_up_what_is_too_much(connection, &channel.name, now)?;
    }
    Ok(())
}

fn insert(
    connection: &Connection,
    notification: &Notification,
    quiet_until: Option<DateTime<Utc>>,
    fallback_of: Option<&str>,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO notifications (key, incident, channel, kind, service, body, prepared, state, \
             attempts, refused, created_at, due_at, tried_at, next_at, fallback_of, handed_on, quiet) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 'pending', 0, 0, ?7, ?8, ?7, ?8, ?9, 0, ?10)",
        )?
        .execute(params![
            notification.key,
            signed(notification.incident.id),
            notification.channel,
            notification.kind.as_str(),
            notification.service,
            to_json(notification)?,
            now.timestamp_millis(),
            quiet_until.unwrap_or(now).timestamp_millis(),
            fallback_of,
            quiet_until.is_some(),
        ])
        .map(drop)
}

fn give_up_what_is_too_much(
    connection: &Connection,
    channel: &str,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE notifications SET state = 'given_up', settled_at = ?3, last_error = 'too many waited' \
             WHERE id IN (SELECT id FROM notifications WHERE channel = ?1 AND state = 'pending' \
             ORDER BY id DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![channel, WAITING_MAX, now.timestamp_millis()])
        .map(drop)
}

fn told(connection: &Connection, incident: u64) -> rusqlite::Result<Vec<Told>> {
    connection
        .prepare_cached(
            "SELECT id, channel, kind, state, attempts, due_at, service, quiet, removed FROM notifications \
             WHERE incident = ?1",
        )?
        .query_map([signed(incident)], |row| {
            Ok(Told {
                id: unsigned(row.get(0)?),
                channel: row.get(1)?,
                kind: word(row, 2)?,
                state: word(row, 3)?,
                attempts: row.get(4)?,
                due_at: time(row, 5)?,
                service: row.get(6)?,
                quiet: row.get(7)?,
                removed: row.get(8)?,
            })
        })?
        .collect()
}

/// What waits in a channel, in the order in which it is to be told: in which it
/// was made, whatever the clock said then. Of what waits for the end of quiet
/// hours only the first is among them.
pub fn waiting(connection: &Connection, channel: &str, now: DateTime<Utc>) -> rusqlite::Result<Vec<Waiting>> {
    const COLUMNS: &str = "id, incident, attempts, refused, due_at, next_at, handed_on, tried_at";
    const QUIET: &str = "(quiet = 1 AND attempts = 0 AND due_at > ?2)";
    let read = |row: &Row<'_>| {
        Ok(Waiting {
            id: unsigned(row.get(0)?),
            incident: unsigned(row.get(1)?),
            attempts: row.get(2)?,
            refused: row.get(3)?,
            due_at: time(row, 4)?,
            next_at: time(row, 5)?,
            handed_on: row.get(6)?,
            tried_at: time(row, 7)?,
        })
    };
    let mut waiting = Vec::new();
    for (which, order, most) in [(format!("NOT {QUIET}"), "id", LOOK), (QUIET.to_owned(), "due_at, id", 1)] {
        let sql = format!(
            "SELECT {COLUMNS} FROM notifications WHERE channel = ?1 AND state = 'pending' AND {which} \
             ORDER BY {order} LIMIT ?3"
        );
        let mut rows = connection.prepare_cached(&sql)?;
        for row in rows.query_map(params![channel, now.timestamp_millis(), most], read)? {
            waiting.push(row?);
        }
    }
    Ok(waiting)
}

/// A notification, and whether all of its evidence is in it.
pub fn get(connection: &Connection, id: u64) -> rusqlite::Result<Option<(Notification, bool)>> {
    connection
        .prepare_cached("SELECT body, prepared FROM notifications WHERE id = ?1")?
        .query_row([signed(id)], |row| Ok((json(row, 0)?, row.get(1)?)))
        .optional()
}

/// Writes down a notification as it is sent from now on.
pub fn prepare(connection: &Connection, id: u64, notification: &Notification) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE notifications SET body = ?2, prepared = 1 WHERE id = ?1")?
        .execute(params![signed(id), to_json(notification)?])
        .map(drop)
}

/// The receiver has accepted it.
pub fn delivered(connection: &Connection, id: u64, now: DateTime<Utc>) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE notifications SET state = 'delivered', attempts = attempts + 1, settled_at = ?2, \
             last_error = NULL WHERE id = ?1",
        )?
        .execute(params![signed(id), now.timestamp_millis()])
        .map(drop)
}

/// An attempt has failed.
pub fn failed(
    connection: &Connection,
    id: u64,
    error: &str,
    refused: bool,
    (now, next_at): (DateTime<Utc>, DateTime<Utc>),
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE notifications SET attempts = attempts + 1, last_error = ?2, refused = ?3, tried_at = ?4, \
             next_at = ?5 WHERE id = ?1",
        )?
        .execute(params![signed(id), error, refused, now.timestamp_millis(), next_at.timestamp_millis()])
        .map(drop)
}

/// A notification will not be sent any more.
pub fn settle(
    connection: &Connection,
    id: u64,
    state: DeliveryState,
    why: Option<&str>,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE notifications SET state = ?2, settled_at = ?3, last_error = coalesce(?4, last_error) \
             WHERE id = ?1",
        )?
        .execute(params![signed(id), state.as_str(), now.timestamp_millis(), why])
        .map(drop)
}

/// Lets another channel have notifications that one could not deliver in time.
/// That one tries on; during the other's quiet hours they wait for their end.
pub fn hand_on(
    connection: &Connection,
    ids: &[u64],
    to: &Channel,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let quiet_until = to.quiet.until(&now.with_timezone(&Local));
    let to = to.name.as_str();
    for id in ids {
        let Some((mut notification, _)) = get(connection, *id)? else { continue };
        let from = std::mem::replace(&mut notification.channel, to.to_owned());
        // The channel is the last part of the key.
        let stem = notification.key.strip_suffix(&from).unwrap_or(&notification.key);
        notification.key = format!("{stem}{to}");
        insert(connection, &notification, quiet_until, Some(&from), now)?;
        connection
            .prepare_cached("UPDATE notifications SET handed_on = 1 WHERE id = ?1")?
            .execute([signed(*id)])?;
    }
    Ok(())
}

/// Gives up what waits in channels that are no longer there, and notes when it
/// did so: one write at least, which shows whether any is possible.
pub fn tidy(connection: &Connection, channels: &Channels, now: DateTime<Utc>) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE alerting SET tidied_at = ?1")?.execute([now.timestamp_millis()])?;
    let waiting: Vec<String> = connection
        .prepare("SELECT DISTINCT channel FROM notifications WHERE state = 'pending'")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for channel in waiting.iter().filter(|name| channels.all.iter().all(|there| there.name != **name)) {
        connection.execute(
            "UPDATE notifications SET state = 'given_up', removed = 1, settled_at = ?2, \
             last_error = 'the channel is no longer configured' WHERE channel = ?1 AND state = 'pending'",
            params![channel, now.timestamp_millis()],
        )?;
    }
    Ok(())
}

/// Open incidents that a channel was told of.
pub fn open_alerts(connection: &Connection, channel: &str) -> rusqlite::Result<Vec<Notification>> {
    connection
        .prepare_cached(
            "SELECT n.body FROM incidents AS i JOIN notifications AS n ON n.incident = i.id \
             WHERE i.resolved_at IS NULL AND n.channel = ?1 AND n.kind = 'opened' AND n.state = 'delivered' \
             ORDER BY n.id LIMIT ?2",
        )?
        .query_map(params![channel, AGAIN_MAX], |row| json(row, 0))?
        .collect()
}

#[cfg(test)]
mod tests;
