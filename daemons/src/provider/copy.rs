//! The copy of the registry on disk, and what each step of it amounts to.
//!
//! Everything here runs on the writing thread, one step after the other, and
//! asks the database alone what was before: a commit that fails leaves nothing
//! behind, and a step that is told again changes nothing.

use super::change::{Change, changes};
use super::outbox::{Audience, Effects, tell};
use super::store::{self, CreateError};
use super::subscription::{Owner, Wish, wishes};
use crate::runtime::database::Loading;
use crate::runtime::database::columns::{json, readable, time, to_json};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, params};
use shared::client::{Fleet, Instances};
use shared::wire::registry::{Change as Event, Place, Registration};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

/// What is to be made part of the copy.
#[derive(Debug, Clone)]
pub enum Taken {
    /// One change, and the place after it.
    Change(Place, Arc<Event>),
    /// All there is, whatever led to it.
    Fleet(Arc<Fleet>),
}

/// The copy, to go on from. Where a row cannot be read all is asked for again.
pub fn load(loading: &mut Loading<'_>, now: DateTime<Utc>) -> rusqlite::Result<Fleet> {
    let Some((place, written_at)) = place(loading.connection)? else { return Ok(Fleet::default()) };
    let age = (now - written_at).max(TimeDelta::zero()).to_std().unwrap_or_default();
    let found = loading.rows("fleet", KEPT, registered)?;
    let is_whole = !loading.is_rebuilt && loading.skipped("fleet") == 0;
    let services = by_service(found).into_iter().map(|(name, instances)| (name, Arc::new(instances)));
    Ok(Fleet {
        revision: place.revision,
        place: is_whole.then_some(place),
        services: services.collect(),
        known: true,
        // It may have been watched for long after it was last written.
        lost_at: Instant::now().checked_sub(age),
        ..Fleet::default()
    })
}

/// Makes steps part of the copy, and writes down what is told of them.
pub fn take(connection: &Connection, steps: &[Taken], now: DateTime<Utc>) -> rusqlite::Result<Effects> {
    let mut effects = Effects::default();
    for step in steps {
        let at = place(connection)?.map(|(place, _)| place);
        match step {
            Taken::Change(place, event) => {
                // Not what the copy has already, nor what is left of another history.
                if at.is_some_and(|at| at.epoch == place.epoch && at.revision < place.revision) {
                    reach(connection, *place, now)?;
                    one(connection, event, now, &mut effects)?;
                }
            }
            Taken::Fleet(fleet) => {
                if let Some(place) = fleet.place {
                    reach(connection, place, now)?;
                    all(connection, fleet, at.is_none(), now, &mut effects)?;
                }
            }
        }
    }
    if store::has_room_again(connection, effects.gone.len())? {
        look_for_those_left_out(connection, now, &mut effects)?;
    }
    Ok(effects)
}

fn reach(connection: &Connection, place: Place, now: DateTime<Utc>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO place VALUES (1, ?1, ?2)")?
        .execute(params![place.to_string(), now.timestamp_millis()])
        .map(drop)
}

/// Subscribes, and tells what exists.
pub fn subscribe(
    connection: &Connection,
    wish: &Wish,
    now: DateTime<Utc>,
    effects: &mut Effects,
) -> Result<String, CreateError> {
    let id = store::create(connection, wish, now, effects)?;
    tell_anew(connection, &id, &wish.service, effects)?;
    Ok(id)
}

/// Takes one change.
fn one(
    connection: &Connection,
    event: &Event,
    now: DateTime<Utc>,
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    let registration = Arc::new(event.registration.clone());
    let (service, instance) = (&registration.service_name, &registration.instance_id);
    let before: Option<String> = connection
        .prepare_cached("SELECT registration FROM fleet WHERE service = ?1 AND instance = ?2")?
        .query_row([service, instance], |row| row.get(0))
        .optional()?;
    let change = match (event.kind.removes(), before) {
        (true, None) => return Ok(()),
        (true, Some(_)) => Change::Removed(Arc::clone(&registration)),
        (false, None) => Change::Added(Arc::clone(&registration)),
        (false, Some(_)) => Change::Updated(Arc::clone(&registration)),
    };
    keep(connection, std::slice::from_ref(&change))?;
    let revision = registration.revision;
    let found = std::slice::from_ref(&change);
    tell(connection, service, found, revision, Audience::Subscribers, effects)?;
    own(connection, &change, now, effects)
}

/// Takes all there is, as the difference from what was.
fn all(
    connection: &Connection,
    fleet: &Fleet,
    is_first: bool,
    now: DateTime<Utc>,
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    let before = kept(connection)?;
    let none = Instances::new();
    let names: BTreeSet<&String> = before.keys().chain(fleet.services.keys()).collect();
    let mut found = Vec::new();
    let is_new = is_first && before.is_empty();
    let audience = if is_new { Audience::Newcomers } else { Audience::Subscribers };
    for name in names {
        let after = fleet.services.get(name).map_or(&none, |instances| instances.as_ref());
        let changes = changes(before.get(name).unwrap_or(&none), after);
        keep(connection, &changes)?;
        tell(connection, name, &changes, fleet.revision, audience, effects)?;
        found.extend(changes);
    }
    for change in &found {
        own(connection, change, now, effects)?;
    }
    if is_first && !before.is_empty() {
        // What there was before there was a place was told to some and not to others.
        for subscription in store::list(connection)? {
            tell_anew(connection, &subscription.id, &subscription.service, effects)?;
        }
    }
    Ok(())
}

/// Makes changes part of the copy.
fn keep(connection: &Connection, changes: &[Change]) -> rusqlite::Result<()> {
    for change in changes {
        let registration = change.registration();
        let (service, instance) = (&registration.service_name, &registration.instance_id);
        if matches!(change, Change::Removed(_)) {
            connection
                .prepare_cached("DELETE FROM fleet WHERE service = ?1 AND instance = ?2")?
                .execute([service, instance])?;
        } else {
            connection
                .prepare_cached("INSERT OR REPLACE INTO fleet VALUES (?1, ?2, ?3)")?
                .execute(params![service, instance, to_json(&**registration)?])?;
        }
    }
    Ok(())
}

/// Subscribes what a registration asks for, tells it anew what it was told
/// before (whoever registers again may have forgotten), and unsubscribes what
/// it asks for no more.
fn own(
    connection: &Connection,
    change: &Change,
    now: DateTime<Utc>,
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    let registration = change.registration();
    let is_gone = matches!(change, Change::Removed(_));
    let mut wanted = if is_gone { BTreeSet::new() } else { wishes(registration) };
    let owner =
        Owner { service: registration.service_name.clone(), instance: registration.instance_id.clone() };
    for (id, wish) in store::of_owner(connection, &owner)? {
        if wanted.remove(&wish) {
            tell_anew(connection, &id, &wish.service, effects)?;
        } else {
            store::delete(connection, &id, effects)?;
        }
    }
    subscribe_all(connection, &wanted, now, effects)
}

/// Subscribes registrations for which there was no room before.
fn look_for_those_left_out(
    connection: &Connection,
    now: DateTime<Utc>,
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    effects.left_out = Some(false);
    for registration in kept(connection)?.into_values().flat_map(Instances::into_values) {
        subscribe_all(connection, &unfulfilled(connection, &registration)?, now, effects)?;
    }
    Ok(())
}

/// Whether a registration asks for what there was no room for.
pub fn is_anyone_left_out(connection: &Connection) -> rusqlite::Result<bool> {
    for registration in kept(connection)?.into_values().flat_map(Instances::into_values) {
        if !unfulfilled(connection, &registration)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a registration asks for and is not subscribed to.
fn unfulfilled(connection: &Connection, registration: &Registration) -> rusqlite::Result<BTreeSet<Wish>> {
    let mut wanted = wishes(registration);
    if let Some(owner) = wanted.first().and_then(|wish| wish.owner.clone()) {
        let here = store::of_owner(connection, &owner)?;
        wanted.retain(|wish| here.iter().all(|(_, known)| known != wish));
    }
    Ok(wanted)
}

fn subscribe_all(
    connection: &Connection,
    wanted: &BTreeSet<Wish>,
    now: DateTime<Utc>,
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    for wish in wanted {
        match subscribe(connection, wish, now, effects) {
            Ok(_) => {}
            Err(CreateError::Full(_) | CreateError::ReceiverFull(_)) => effects.left_out = Some(true),
            Err(CreateError::Database(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Tells one subscription what exists.
fn tell_anew(
    connection: &Connection,
    id: &str,
    service: &str,
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    let changes: Vec<Change> = connection
        .prepare_cached("SELECT registration FROM fleet WHERE service = ?1 ORDER BY instance")?
        .query_map([service], |row| json(row, 0).map(|registration| Change::Added(Arc::new(registration))))
        .and_then(readable)?;
    let revision = place(connection)?.map_or(0, |(place, _)| place.revision);
    effects.present.insert(id.to_owned());
    tell(connection, service, &changes, revision, Audience::Anew(id), effects)
}

/// How far the copy goes, and when it was last written.
fn place(connection: &Connection) -> rusqlite::Result<Option<(Place, DateTime<Utc>)>> {
    let row: Option<(String, DateTime<Utc>)> = connection
        .prepare_cached("SELECT place, written_at FROM place")?
        .query_row([], |row| Ok((row.get(0)?, time(row, 1)?)))
        .optional()?;
    // A place that cannot be read is none: the next snapshot gives another.
    Ok(row.and_then(|(place, at)| Some((place.parse().ok()?, at))))
}

const KEPT: &str = "SELECT registration, service, instance FROM fleet";

fn registered(row: &Row<'_>) -> rusqlite::Result<Registration> {
    let registration: Registration = json(row, 0)?;
    let (service, instance): (String, String) = (row.get(1)?, row.get(2)?);
    if registration.service_name == service && registration.instance_id == instance {
        return Ok(registration);
    }
    Err(Error::FromSqlConversionFailure(0, Type::Text, "the registration is of another name".into()))
}

/// Every registration of the copy.
fn kept(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Instances>> {
    let mut statement = connection.prepare_cached(KEPT)?;
    let found: Vec<Registration> = readable(statement.query_map([], registered)?)?;
    Ok(by_service(found))
}

fn by_service(found: Vec<Registration>) -> BTreeMap<String, Instances> {
    let mut kept: BTreeMap<String, Instances> = BTreeMap::new();
    for registration in found {
        let instances = kept.entry(registration.service_name.clone()).or_default();
        instances.insert(registration.instance_id.clone(), Arc::new(registration));
    }
    kept
}

#[cfg(test)]
mod tests;
