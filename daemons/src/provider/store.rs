//! The provider's tables, and who has subscribed.
//!
//! * `place` and `fleet` are the copy of the registry up to which everything has
//!   been told: written in the same commit as the notices that it leads to.
//! * `outbox` has a row for every notice that waits for a subscription, by a
//!   number that counts up with each; `notices` has their bodies, once each
//!   however many wait for it.

mod create;

use super::outbox::Effects;
use super::subscription::{Owner, Wish};
use crate::runtime::database::Loading;
use crate::runtime::database::columns::{readable, unsigned};
use chrono::{DateTime, Utc};
pub use create::{CreateError, Kind};
use reqwest::Url;
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared::wire::provider::Subscription;

/// Subscriptions that are kept of each kind, so that those that registrations ask
/// for leave room for requests, and the other way round; each is a task and at
/// times a connection.
const SUBSCRIPTIONS_MAX: u32 = 4_096;

/// Subscriptions that one receiver (scheme, host and port of the callback URL) may
/// have by request, so that one client cannot take up all of them.
const PER_RECEIVER_MAX: usize = 1_024;

/// The tables. An owner's names are empty where a request made the subscription.
pub const MIGRATIONS: &[&str] = &[
    "
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
",
    "
    CREATE TABLE place (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        place TEXT NOT NULL,
        written_at INTEGER NOT NULL   -- milliseconds since 1970
    );
    CREATE TABLE fleet (
        service TEXT NOT NULL,
        instance TEXT NOT NULL,
        registration TEXT NOT NULL,   -- JSON
        PRIMARY KEY (service, instance)
    ) WITHOUT ROWID;
    CREATE TABLE notices (
        n INTEGER PRIMARY KEY,
        revision INTEGER NOT NULL,
        changes INTEGER NOT NULL,     -- how many it tells
        body TEXT NOT NULL            -- JSON, as it is posted
    );
    CREATE TABLE outbox (
        subscription TEXT NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        notice INTEGER NOT NULL,
        PRIMARY KEY (subscription, number)
    ) WITHOUT ROWID;
    CREATE INDEX outbox_notice ON outbox (notice);
    CREATE TRIGGER forget_notice AFTER DELETE ON outbox
        WHEN NOT EXISTS (SELECT 1 FROM outbox WHERE notice = OLD.notice)
        BEGIN DELETE FROM notices WHERE n = OLD.notice; END;

    -- What was under way is repeated with its key; what had been delivered is
    -- the copy from which the next difference is told.
    INSERT INTO notices SELECT rowid, revision, 1, pending FROM subscriptions WHERE pending IS NOT NULL;
    INSERT INTO outbox SELECT id, number, rowid FROM subscriptions WHERE pending IS NOT NULL;
    INSERT OR REPLACE INTO fleet
        SELECT s.service, d.instance, d.registration
        FROM delivered d JOIN subscriptions s ON s.id = d.subscription;
    ALTER TABLE subscriptions ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;         -- notices
    ALTER TABLE subscriptions ADD COLUMN waiting_changes INTEGER NOT NULL DEFAULT 0; -- what they tell
    ALTER TABLE subscriptions ADD COLUMN folds_at INTEGER NOT NULL DEFAULT 1000;     -- changes
    ALTER TABLE subscriptions ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;          -- notices
    ALTER TABLE subscriptions ADD COLUMN delivered_at INTEGER;
    UPDATE subscriptions SET waiting = 1, waiting_changes = 1 WHERE pending IS NOT NULL;
    ALTER TABLE subscriptions DROP COLUMN pending;
    DROP TABLE delivered;
    CREATE INDEX subscriptions_owner ON subscriptions (owner_service, owner_instance);
",
    "
    ALTER TABLE subscriptions ADD COLUMN failing_since INTEGER; -- milliseconds since 1970
",
];

const SUBSCRIPTION: &str = "SELECT id, service, callback_url, owner_service, created_at, waiting, revision, \
    delivered_at, last_error, folded, failing_since FROM subscriptions";

fn subscription(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    Ok(Subscription {
        id: row.get(0)?,
        service: row.get(1)?,
        callback_url: row.get(2)?,
        automatic: !row.get::<_, String>(3)?.is_empty(),
        created_at: DateTime::from_timestamp_millis(row.get(4)?).unwrap_or_default(),
        pending: unsigned(row.get(5)?),
        delivered_revision: unsigned(row.get(6)?),
        last_delivered_at: row.get::<_, Option<i64>>(7)?.and_then(DateTime::from_timestamp_millis),
        last_error: row.get(8)?,
        attempts: 0,
        next_attempt_at: None,
        folded: unsigned(row.get(9)?),
        failing_since: row.get::<_, Option<i64>>(10)?.and_then(DateTime::from_timestamp_millis),
    })
}

/// All subscriptions, at the start.
pub fn load(loading: &mut Loading<'_>) -> rusqlite::Result<Vec<Subscription>> {
    loading.rows("subscriptions", SUBSCRIPTION, subscription)
}

/// All subscriptions, oldest first.
pub fn list(connection: &Connection) -> rusqlite::Result<Vec<Subscription>> {
    let sql = format!("{SUBSCRIPTION} ORDER BY created_at, rowid");
    connection.prepare_cached(&sql)?.query_map([], subscription).and_then(readable)
}

/// One subscription.
pub fn get(connection: &Connection, id: &str) -> rusqlite::Result<Option<Subscription>> {
    let sql = format!("{SUBSCRIPTION} WHERE id = ?1");
    connection.prepare_cached(&sql)?.query_row([id], subscription).optional()
}

/// Makes a subscription in place of one that asks for the same; it is told
/// nothing yet.
pub fn create(
    connection: &Connection,
    wish: &Wish,
    now: DateTime<Utc>,
    effects: &mut Effects,
) -> Result<String, CreateError> {
    let (owner_service, owner_instance) =
        wish.owner.as_ref().map_or(("", ""), |owner| (&owner.service, &owner.instance));
    let same = params![wish.service, wish.callback_url, owner_service, owner_instance];
    let replaced = connection
        .prepare_cached(
            "DELETE FROM subscriptions WHERE service = ?1 AND callback_url = ?2 AND owner_service = ?3 \
             AND owner_instance = ?4 RETURNING id",
        )?
        .query_map(same, |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    if is_full(connection, owner_service)? {
        let kind = if owner_service.is_empty() { Kind::Requested } else { Kind::Automatic };
        return Err(CreateError::Full(kind));
    }
    if owner_service.is_empty()
        && let Some(receiver) = receiver(&wish.callback_url)
        && count_of_receiver(connection, &receiver)? >= PER_RECEIVER_MAX
    {
        return Err(CreateError::ReceiverFull(receiver));
    }
    let id = format!("{:016x}", fastrand::u64(..));
    connection
        .prepare_cached(
            "INSERT INTO subscriptions \
             (id, service, callback_url, owner_service, owner_instance, created_at, revision, number) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)",
        )?
        .execute(params![
            id,
            wish.service,
            wish.callback_url,
            owner_service,
            owner_instance,
            now.timestamp_millis()
        ])?;
    effects.gone.extend(replaced);
    effects.made.push(id.clone());
    Ok(id)
}

/// Whether there is no room for one more, of the kind that such an owner asks for.
fn is_full(connection: &Connection, owner_service: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT count(*) >= ?2 FROM subscriptions WHERE (owner_service = '') = (?1 = '')")?
        .query_row(params![owner_service, SUBSCRIPTIONS_MAX], |row| row.get(0))
}

/// Scheme, host and port of a callback URL.
fn receiver(callback_url: &str) -> Option<String> {
    Some(Url::parse(callback_url).ok()?.origin().ascii_serialization())
}

fn count_of_receiver(connection: &Connection, of: &str) -> rusqlite::Result<usize> {
    let mut statement =
        connection.prepare_cached("SELECT callback_url FROM subscriptions WHERE owner_service = ''")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let url: String = row.get(0)?;
        count += usize::from(receiver(&url).as_deref() == Some(of));
    }
    Ok(count)
}

/// How many subscriptions of the fuller kind there are, and the most there can be.
pub fn occupancy(connection: &Connection) -> rusqlite::Result<(u32, u32)> {
    let fuller = connection.query_row(
        "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM subscriptions GROUP BY owner_service = '')",
        [],
        |row| row.get(0),
    )?;
    Ok((fuller, SUBSCRIPTIONS_MAX))
}

/// Whether registrations could subscribe no more before so many subscriptions
/// went, and can now.
pub fn has_room_again(connection: &Connection, gone: usize) -> rusqlite::Result<bool> {
    let Some(gone) = u32::try_from(gone).ok().filter(|gone| *gone > 0) else { return Ok(false) };
    connection
        .prepare_cached(
            "SELECT count(*) BETWEEN ?1 - ?2 AND ?1 - 1 FROM subscriptions WHERE owner_service <> ''",
        )?
        .query_row(params![SUBSCRIPTIONS_MAX, gone], |row| row.get(0))
}

/// Takes a subscription away, with all that waits; whether it was there.
pub fn delete(connection: &Connection, id: &str, effects: &mut Effects) -> rusqlite::Result<bool> {
    let gone = connection.prepare_cached("DELETE FROM subscriptions WHERE id = ?1")?.execute([id])? > 0;
    effects.gone.extend(gone.then(|| id.to_owned()));
    Ok(gone)
}

/// Takes those subscriptions away that a request made and whose receiver has
/// accepted nothing since before this, and says which; what a registration asks
/// for ends with it.
pub fn give_up(
    connection: &Connection,
    before: DateTime<Utc>,
    effects: &mut Effects,
) -> rusqlite::Result<Vec<Subscription>> {
    let sql = format!("{SUBSCRIPTION} WHERE owner_service = '' AND failing_since < ?1");
    let dead = connection
        .prepare_cached(&sql)?
        .query_map([before.timestamp_millis()], subscription)?
        .collect::<Result<Vec<Subscription>, _>>()?;
    for one in &dead {
        delete(connection, &one.id, effects)?;
    }
    Ok(dead)
}

/// What an instance's registration has been subscribed to, with its ids.
pub fn of_owner(connection: &Connection, owner: &Owner) -> rusqlite::Result<Vec<(String, Wish)>> {
    connection
        .prepare_cached(
            "SELECT id, service, callback_url FROM subscriptions \
             WHERE owner_service = ?1 AND owner_instance = ?2",
        )?
        .query_map([&owner.service, &owner.instance], |row| {
            let (service, callback_url) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, Wish { service, callback_url, owner: Some(owner.clone()) }))
        })?
        .collect()
}

#[cfg(test)]
pub mod tests {
    use super::super::subscription::Owner;
    use super::*;

    /// An empty database.
    pub fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA foreign_keys=ON").unwrap();
        MIGRATIONS.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
        connection
    }

    #[test]
    fn each_kind_has_its_own_bound_and_what_is_there_can_be_asked_for_again() {
        let connection = database();
        let ask = |number: u32, owner: Option<&str>| {
            let owner = owner.map(|name| Owner { service: name.to_owned(), instance: name.to_owned() });
            let callback_url = format!("http://h{number}/");
            let wish = Wish { service: number.to_string(), callback_url, owner };
            let mut effects = Effects::default();
            create(&connection, &wish, Utc::now(), &mut effects).map(|_| effects.gone.len())
        };
        for (owner, kind) in [(Some("O"), "automatic"), (None, "requested")] {
            let name = owner.unwrap_or_default();
            connection
                .execute_batch(&format!(
                    "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n \
                        WHERE n < {SUBSCRIPTIONS_MAX} - 1) \
                     INSERT INTO subscriptions \
                        (id, service, callback_url, owner_service, owner_instance, created_at, revision, number) \
                        SELECT hex(randomblob(8)), n, 'http://h' || n || '/', '{name}', '{name}', 0, 0, 0 FROM n"
                ))
                .unwrap();
            assert_eq!(ask(0, owner).unwrap(), 0, "there is room for one");
            assert_eq!(ask(0, owner).unwrap(), 1, "it takes its own place");
            let error = ask(SUBSCRIPTIONS_MAX, owner).unwrap_err().to_string();
            assert_eq!(error, format!("there are 4096 {kind} subscriptions already"));
        }
    }

    #[test]
    fn one_receiver_cannot_take_up_all_requested_subscriptions() {
        let connection = database();
        let ask = |service: usize, url: &str| {
            let wish = Wish { service: service.to_string(), callback_url: url.to_owned(), owner: None };
            create(&connection, &wish, Utc::now(), &mut Effects::default()).map(drop)
        };
        for service in 0..PER_RECEIVER_MAX {
            ask(service, &format!("http://H:80/{service}")).unwrap();
        }
        let error = ask(0, "http://h/more").unwrap_err().to_string();
        assert!(error.starts_with("http://h has 1024 subscriptions"), "{error}");
        ask(0, "http://h/0").unwrap_err();
        ask(0, "http://h:81/0").unwrap();
    }

    #[test]
    fn a_receiver_that_accepts_nothing_for_long_is_given_up_unless_a_registration_asks() {
        let (connection, now) = (database(), DateTime::UNIX_EPOCH);
        let hour = chrono::TimeDelta::hours(1);
        let make = |url: &str, owner: Option<Owner>| {
            let wish = Wish { service: "S".to_owned(), callback_url: url.to_owned(), owner };
            create(&connection, &wish, now, &mut Effects::default()).unwrap()
        };
        let owner = Owner { service: "O".to_owned(), instance: "o".to_owned() };
        let (dead, quiet, owned) =
            (make("http://d/", None), make("http://q/", None), make("http://o/", Some(owner)));
        for id in [&dead, &owned] {
            super::super::outbox::failed(&connection, id, "refused", now).unwrap();
            super::super::outbox::failed(&connection, id, "no answer", now + hour).unwrap();
        }
        let given_up = |before| {
            let mut effects = Effects::default();
            let dead = give_up(&connection, before, &mut effects).unwrap();
            assert_eq!(dead.into_iter().map(|one| one.id).collect::<Vec<_>>(), effects.gone);
            effects.gone
        };
        assert_eq!(given_up(now), Vec::<String>::new(), "not yet");
        assert_eq!(given_up(now + hour), [dead]);
        assert!([quiet, owned].iter().all(|id| get(&connection, id).unwrap().is_some()));
    }

    #[test]
    fn a_notice_that_was_under_way_before_the_outbox_keeps_its_key_and_body() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO subscriptions VALUES ('id', 'S', 'http://h/', '', '', 5, 7, 3, '{\"a\":1}', 'bad');
                 INSERT INTO delivered VALUES ('id', 'a', '{}');",
            )
            .unwrap();
        MIGRATIONS.iter().skip(1).for_each(|migration| connection.execute_batch(migration).unwrap());
        let head = super::super::outbox::head(&connection, "id").unwrap().unwrap();
        assert_eq!((head.number, head.body.as_str()), (3, "{\"a\":1}"));
        let kept = get(&connection, "id").unwrap().unwrap();
        assert_eq!((kept.pending, kept.delivered_revision, kept.last_error.as_deref()), (1, 7, Some("bad")));
    }
}
