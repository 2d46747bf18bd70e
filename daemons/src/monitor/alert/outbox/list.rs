//! What the outbox tells of itself.

use crate::runtime::database::columns::{json, signed, time, unsigned, word};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use shared::wire::alert::{Delivery, DeliveryState};

/// How a channel stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many wait.
    pub pending: u64,
    /// Since when the oldest that is due waits.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Why the oldest one that was tried has failed.
    pub last_error: Option<String>,
    /// When one was delivered last.
    pub last_delivered: Option<DateTime<Utc>>,
    /// When one was given up last.
    pub last_given_up: Option<DateTime<Utc>>,
}

/// How a channel stands now.
pub fn standing(connection: &Connection, channel: &str, now: DateTime<Utc>) -> rusqlite::Result<Standing> {
    let last = |state: &str| {
        connection
            .prepare_cached(
                "SELECT settled_at FROM notifications WHERE channel = ?1 AND state = ?2 \
                 ORDER BY due_at DESC, id DESC LIMIT 1",
            )?
            .query_row([channel, state], |row| time(row, 0))
            .optional()
    };
    let (pending, oldest): (i64, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*), min(due_at) FROM notifications WHERE channel = ?1 AND state = 'pending'",
        )?
        .query_row([channel], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let last_error: Option<Option<String>> = connection
        .prepare_cached(
            "SELECT last_error FROM notifications WHERE channel = ?1 AND state = 'pending' AND attempts > 0 \
             ORDER BY due_at, id LIMIT 1",
        )?
        .query_row([channel], |row| row.get(0))
        .optional()?;
    Ok(Standing {
        pending: unsigned(pending),
        waiting_since: oldest.and_then(DateTime::from_timestamp_millis).filter(|oldest| *oldest <= now),
        last_error: last_error.flatten(),
        last_delivered: last("delivered")?,
        last_given_up: last("given_up")?,
    })
}

/// Which deliveries are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only those of this channel.
    pub channel: Option<String>,
}

/// Deliveries, newest first.
///
/// The second value is how many notifications match, on all pages.
pub fn list(
    connection: &Connection,
    filter: &Filter,
    limit: usize,
    offset: usize,
) -> rusqlite::Result<(Vec<Delivery>, u64)> {
    let snapshot = connection.unchecked_transaction()?;
    let state = filter.state.map(DeliveryState::as_str);
    let total = snapshot
        .prepare_cached(
            "SELECT count(*) FROM notifications WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR channel = ?2)",
        )?
        .query_row(params![state, filter.channel], |row| row.get(0))?;
    let deliveries = snapshot
        .prepare_cached(
            "SELECT id, incident, channel, state, attempts, due_at, settled_at, last_error, fallback_of, body \
             FROM notifications WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR channel = ?2) \
             ORDER BY id DESC LIMIT ?3 OFFSET ?4",
        )?
        .query_map(params![state, filter.channel, signed(limit), signed(offset)], |row| {
            Ok(Delivery {
                id: unsigned(row.get(0)?),
                incident: unsigned(row.get(1)?),
                channel: row.get(2)?,
                state: word(row, 3)?,
                attempts: row.get(4)?,
                due_at: time(row, 5)?,
                settled_at: row.get::<_, Option<i64>>(6)?.and_then(DateTime::from_timestamp_millis),
                last_error: row.get(7)?,
                fallback_of: row.get(8)?,
                notification: json(row, 9)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok((deliveries, unsigned(total)))
}
