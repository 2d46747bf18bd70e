//! Notices on their way: a row for each that waits for a subscription.
//!
//! A row is there before its notice is first sent and until it was accepted.
//! Notices go in the order of their numbers; subscription and number are the
//! key of a notice, and whoever has seen the key has seen the body. When too
//! many changes wait for one subscription, all but the first notice, which may
//! be under way, are [folded](super::fold).

use super::change::{Change, notices};
use super::fold::fold;
use crate::runtime::database::columns::{json, signed, to_json, unsigned};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use shared::wire::provider::Notice;
use std::collections::BTreeSet;

/// Changes that may wait for one subscription before they are folded. Where a
/// fold leaves more than half of them, for there are so many instances, twice as
/// many may wait as it left.
const WAITING_MAX: u64 = 1_000;

/// What follows from a write once it is on disk.
#[derive(Debug, Default)]
pub struct Effects {
    /// Subscriptions that are new.
    pub made: Vec<String>,
    /// Subscriptions that are gone.
    pub gone: Vec<String>,
    /// Subscriptions with something more to tell.
    pub woken: BTreeSet<String>,
    /// Those of them whose receiver has just shown that it is there.
    pub present: BTreeSet<String>,
    /// How many notices were folded.
    pub folded: u64,
    /// Whether registrations asked for more than there is room for; none when
    /// that was not looked at.
    pub left_out: Option<bool>,
}

/// The notice that is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// The revision that it leads to.
    pub revision: u64,
    /// How many changes it tells.
    pub changes: u64,
    /// Its JSON: every attempt sends these very bytes.
    pub body: String,
}

/// Who is told.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// Every subscription of the service.
    Subscribers,
    /// As many, of what exists: they have heard of nothing yet.
    Newcomers,
    /// One subscription, of what exists.
    Anew(&'a str),
}

/// Writes down what is told of a service's changes; no row where nobody is
/// to hear of them.
pub fn tell(
    connection: &Connection,
    service: &str,
    found: &[Change],
    revision: u64,
    audience: Audience<'_>,
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    let (column, value, initial) = match audience {
        Audience::Subscribers => ("service", service, false),
        Audience::Newcomers => ("service", service, true),
        Audience::Anew(id) => ("id", id, true),
    };
    let mut over = BTreeSet::new();
    for notice in notices(service, found, revision, initial) {
        over.extend(push(connection, column, value, &notice, effects)?);
    }
    over.iter().try_for_each(|id| fold_waiting(connection, id, service, effects))
}

/// Puts a notice at the end of the rows of each subscription that has this
/// value in this column; those that have too many now.
fn push(
    connection: &Connection,
    column: &str,
    value: &str,
    notice: &Notice,
    effects: &mut Effects,
) -> rusqlite::Result<Vec<String>> {
    let changes = signed(changes(notice));
    let told: Vec<(String, bool)> = connection
        .prepare_cached(&format!(
            "UPDATE subscriptions SET number = number + 1, waiting = waiting + 1, \
             waiting_changes = waiting_changes + ?2 WHERE {column} = ?1 \
             RETURNING id, waiting_changes > folds_at AND waiting > 2"
        ))?
        .query_map(params![value, changes], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    if told.is_empty() {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached("INSERT INTO notices (revision, changes, body) VALUES (?1, ?2, ?3)")?
        .execute(params![signed(notice.revision), changes, to_json(notice)?])?;
    connection
        .prepare_cached(&format!(
            "INSERT INTO outbox SELECT id, number, ?2 FROM subscriptions WHERE {column} = ?1"
        ))?
        .execute(params![value, connection.last_insert_rowid()])?;
    let over = told.iter().filter(|(_, over)| *over).map(|(id, _)| id.clone()).collect();
    effects.woken.extend(told.into_iter().map(|(id, _)| id));
    Ok(over)
}

/// Folds what waits for a subscription, but for the first.
fn fold_waiting(
    connection: &Connection,
    id: &str,
    service: &str,
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    let (numbers, waiting) = connection
        .prepare_cached(
            "SELECT o.number, n.body FROM outbox o JOIN notices n ON n.n = o.notice \
             WHERE o.subscription = ?1 ORDER BY o.number LIMIT -1 OFFSET 1",
        )?
        .query_map([id], |row| Ok((row.get::<_, i64>(0)?, json(row, 1)?)))?
        .collect::<rusqlite::Result<(Vec<i64>, Vec<Notice>)>>()?;
    let Some(first) = numbers.first() else { return Ok(()) };
    connection
        .prepare_cached("DELETE FROM outbox WHERE subscription = ?1 AND number >= ?2")?
        .execute(params![id, first])?;
    let before = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
    let left: u64 = waiting.iter().map(changes).sum();
    let folded = fold(service, waiting);
    let after: u64 = folded.iter().map(changes).sum();
    connection
        .prepare_cached(
            "UPDATE subscriptions SET waiting = 1, waiting_changes = waiting_changes - ?2, \
             folded = folded + ?3, folds_at = max(?4, 2 * (waiting_changes - ?2 + ?5)) WHERE id = ?1",
        )?
        .execute(params![id, signed(left), signed(before), signed(WAITING_MAX), signed(after)])?;
    for notice in &folded {
        push(connection, "id", id, notice, effects)?;
    }
    effects.folded += before;
    Ok(())
}

fn changes(notice: &Notice) -> u64 {
    let count = notice.added.len() + notice.removed.len() + notice.updated.len();
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The notice that is next; none when nothing waits.
pub fn head(connection: &Connection, id: &str) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached(
            "SELECT o.number, n.revision, n.changes, n.body FROM outbox o JOIN notices n ON n.n = o.notice \
             WHERE o.subscription = ?1 ORDER BY o.number LIMIT 1",
        )?
        .query_row([id], |row| {
            let [number, revision, changes] = [row.get(0)?, row.get(1)?, row.get(2)?].map(unsigned);
            Ok(Head { number, revision, changes, body: row.get(3)? })
        })
        .optional()
}

/// The notice was accepted: it need wait no longer.
pub fn accepted(connection: &Connection, id: &str, head: &Head, now: DateTime<Utc>) -> rusqlite::Result<()> {
    let was_waiting = connection
        .prepare_cached("DELETE FROM outbox WHERE subscription = ?1 AND number = ?2")?
        .execute(params![id, signed(head.number)])?;
    if was_waiting == 0 {
        // The subscription was deleted meanwhile.
        return Ok(());
    }
    connection
        .prepare_cached(
            "UPDATE subscriptions SET waiting = waiting - 1, waiting_changes = waiting_changes - ?2, \
             revision = ?3, delivered_at = ?4, last_error = NULL, failing_since = NULL WHERE id = ?1",
        )?
        .execute(params![id, signed(head.changes), signed(head.revision), now.timestamp_millis()])
        .map(drop)
}

/// An attempt has failed.
pub fn failed(connection: &Connection, id: &str, error: &str, now: DateTime<Utc>) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE subscriptions SET last_error = ?2, failing_since = coalesce(failing_since, ?3) \
             WHERE id = ?1",
        )?
        .execute(params![id, error, now.timestamp_millis()])
        .map(drop)
}

/// Notices that wait, for all subscriptions together.
pub fn waiting(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(sum(waiting), 0) FROM subscriptions")?
        .query_row([], |row| row.get(0))
}
