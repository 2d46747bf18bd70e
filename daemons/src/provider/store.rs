//! Subscriptions on disk: an outbox. A notice is here before it is sent, and
//! what it leads to is here before the next one is made.

use super::subscription::{Owner, Pending, Standing, Wish};
use crate::runtime::error::ApiError;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, params};
use shared::wire::provider::Notice;
use shared::wire::registry::Registration;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Subscriptions that are kept of each kind, so that those that registrations ask
/// for leave room for requests, and the other way round; each is a task and at
/// times a connection.
const SUBSCRIPTIONS_MAX: u32 = 4_096;

/// The tables. An owner's names are empty where a request made the subscription.
pub const MIGRATIONS: &[&str] = &["
    CREATE TABLE subscriptions (
        id TEXT PRIMARY KEY,
        service TEXT NOT NULL,
        callback_url TEXT NOT NULL,
        owner_service TEXT NOT NULL,
        owner_instance TEXT NOT NULL,
        created_at INTEGER NOT NULL,  -- milliseconds since 1970
        revision INTEGER NOT NULL,    -- of the last notice delivered
        number INTEGER NOT NULL,      -- of notices written down
        pending TEXT,                 -- the notice that is being delivered, as JSON
        last_error TEXT,
        UNIQUE (service, callback_url, owner_service, owner_instance)
    );
    CREATE TABLE delivered (
        subscription TEXT NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
        instance TEXT NOT NULL,
        registration TEXT NOT NULL,   -- JSON
        PRIMARY KEY (subscription, instance)
    ) WITHOUT ROWID;
"];

/// Who asks for a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A registration.
    Automatic,
    /// A request.
    Requested,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Automatic => "automatic",
            Self::Requested => "requested",
        })
    }
}

/// Why a subscription is not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// One too many.
    #[error("there are {SUBSCRIPTIONS_MAX} {0} subscriptions already")]
    Full(Kind),
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Full(_) => Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
            CreateError::Database(error) => Self::internal(error),
        }
    }
}

/// All subscriptions.
pub fn load(connection: &Connection) -> rusqlite::Result<Vec<Standing>> {
    let mut delivered: BTreeMap<String, Vec<Registration>> = BTreeMap::new();
    let mut statement = connection.prepare("SELECT subscription, registration FROM delivered")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        delivered.entry(row.get(0)?).or_default().push(json(&row.get::<_, String>(1)?)?);
    }
    let mut statement = connection.prepare(
        "SELECT id, service, callback_url, owner_service, owner_instance, created_at, revision, number, \
         pending, last_error FROM subscriptions",
    )?;
    let standings = statement.query_map([], |row| {
        let id: String = row.get(0)?;
        let owner = Owner { service: row.get(3)?, instance: row.get(4)? };
        let owner = Some(owner).filter(|owner| !owner.service.is_empty());
        let pending: Option<String> = row.get(8)?;
        let pending =
            pending.map(|body| Ok::<_, rusqlite::Error>(Pending { notice: json::<Notice>(&body)?, body }));
        let delivered = delivered.remove(&id).unwrap_or_default();
        Ok(Standing {
            id,
            wish: Wish { service: row.get(1)?, callback_url: row.get(2)?, owner },
            created_at: DateTime::from_timestamp_millis(row.get(5)?).unwrap_or_default(),
            delivered: delivered.into_iter().map(|r| (r.instance_id.clone(), Arc::new(r))).collect(),
            delivered_revision: unsigned(row.get(6)?),
            number: unsigned(row.get(7)?),
            pending: pending.transpose()?,
            last_error: row.get(9)?,
        })
    })?;
    standings.collect()
}

/// Makes a subscription in place of one that asks for the same, and tells which
/// that was.
pub fn create(
    connection: &Connection,
    id: &str,
    wish: &Wish,
    now: DateTime<Utc>,
) -> Result<Option<String>, CreateError> {
    let (owner_service, owner_instance) = owner(wish);
    let same = params![wish.service, wish.callback_url, owner_service, owner_instance];
    let replaced: Vec<String> = connection
        .prepare_cached(
            "DELETE FROM subscriptions WHERE service = ?1 AND callback_url = ?2 AND owner_service = ?3 \
             AND owner_instance = ?4 RETURNING id",
        )?
        .query_map(same, |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let count: u32 = connection
        .prepare_cached("SELECT count(*) FROM subscriptions WHERE (owner_service = '') = (?1 = '')")?
        .query_row([owner_service], |row| row.get(0))?;
    if count >= SUBSCRIPTIONS_MAX {
        let kind = if owner_service.is_empty() { Kind::Requested } else { Kind::Automatic };
        return Err(CreateError::Full(kind));
    }
    connection
        .prepare_cached("INSERT INTO subscriptions VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, NULL, NULL)")?
        .execute(params![
            id,
            wish.service,
            wish.callback_url,
            owner_service,
            owner_instance,
            now.timestamp_millis()
        ])?;
    Ok(replaced.into_iter().next())
}

/// Takes a subscription away; whether it was there.
pub fn delete(connection: &Connection, id: &str) -> rusqlite::Result<bool> {
    Ok(connection.prepare_cached("DELETE FROM subscriptions WHERE id = ?1")?.execute([id])? > 0)
}

/// Writes down the notice that is sent next.
pub fn begin(connection: &Connection, id: &str, number: u64, body: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE subscriptions SET pending = ?2, number = ?3 WHERE id = ?1")?
        .execute(params![id, body, signed(number)])
        .map(drop)
}

/// The notice that was pending has been accepted.
pub fn accepted(connection: &Connection, id: &str, notice: &Notice) -> rusqlite::Result<()> {
    let here = connection
        .prepare_cached(
            "UPDATE subscriptions SET pending = NULL, revision = ?2, last_error = NULL WHERE id = ?1",
        )?
        .execute(params![id, signed(notice.revision)])?;
    if here == 0 {
        // It was deleted meanwhile.
        return Ok(());
    }
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO delivered VALUES (?1, ?2, ?3)")?;
    for registration in notice.added.iter().chain(&notice.updated) {
        let body = serde_json::to_string(registration)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        put.execute(params![id, registration.instance_id, body])?;
    }
    let mut remove =
        connection.prepare_cached("DELETE FROM delivered WHERE subscription = ?1 AND instance = ?2")?;
    for registration in &notice.removed {
        remove.execute(params![id, registration.instance_id])?;
    }
    Ok(())
}

/// An attempt has failed.
pub fn failed(connection: &Connection, id: &str, error: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE subscriptions SET last_error = ?2 WHERE id = ?1")?
        .execute(params![id, error])
        .map(drop)
}

fn owner(wish: &Wish) -> (&str, &str) {
    wish.owner.as_ref().map_or(("", ""), |owner| (&owner.service, &owner.instance))
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, e.into()))
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_bound_and_what_is_there_can_be_asked_for_again() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        let ask = |number: u32, owner: Option<&str>| {
            let owner = owner.map(|name| Owner { service: name.to_owned(), instance: name.to_owned() });
            let wish = Wish { service: number.to_string(), callback_url: "http://h/".to_owned(), owner };
            create(&connection, &format!("{:016x}", fastrand::u64(..)), &wish, Utc::now())
        };
        for (owner, kind) in [(Some("O"), "automatic"), (None, "requested")] {
            let name = owner.unwrap_or_default();
            connection
                .execute_batch(&format!(
                    "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n \
                        WHERE n < {SUBSCRIPTIONS_MAX} - 1) \
                     INSERT INTO subscriptions SELECT hex(randomblob(8)), n, 'http://h/', '{name}', '{name}', \
                        0, 0, 0, NULL, NULL FROM n"
                ))
                .unwrap();
            assert!(ask(0, owner).unwrap().is_none(), "there is room for one");
            assert!(ask(0, owner).unwrap().is_some(), "it takes its own place");
            let error = ask(SUBSCRIPTIONS_MAX, owner).unwrap_err().to_string();
            assert_eq!(error, format!("there are 4096 {kind} subscriptions already"));
        }
    }
}
