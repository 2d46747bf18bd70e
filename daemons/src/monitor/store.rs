//! The monitor on disk.
//!
//! A check or a service is one row of JSON: it is read once, at the start.
//! Probes stand in a ring of [`PROBES_PER_INSTANCE`] for each instance, which
//! bounds those of an instance that is registered; [`prune`](super::prune) sweeps
//! out what is old, and with it what is left of instances that are gone. An
//! event's id is never used again, not even when all events were pruned: the
//! newest one always stays.

use super::batch::{Batch, EventData};
use super::maintenance;
use super::service::{Instance, Record, Service};
use super::state::{Rules, State};
use super::uptime::{Bucket, before_a_day, bucket_of};
use crate::runtime::database::columns::{json, readable, signed, time, to_json, unsigned};
use crate::runtime::database::{Loading, StoreFailure};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared::wire::monitor::{Acknowledgement, Incident, Maintenance, Phase, ProbeRecord, Transition};

/// Probes that are kept of one instance: somewhat less than three hours of them
/// at an interval of ten seconds. What they sum up to is kept longer.
pub const PROBES_PER_INSTANCE: u64 = 1_000;

/// An event as it is told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: &'static str,
    /// What it tells, as JSON.
    pub data: String,
}

/// Ids that are left out when some of those that were used may be lost.
const IDS_LOST: u64 = 1_000_000;

/// Reads the state back.
pub fn load(loading: &mut Loading<'_>, rules: Rules, now: DateTime<Utc>) -> rusqlite::Result<State> {
    let mut state = State::new(rules);
    let services = loading.rows("services", "SELECT name, record FROM services", |row| {
        Ok((row.get(0)?, Service { record: json::<Record>(row, 1)?, ..Service::new(now) }))
    })?;
    state.services.extend(services);
    let checks = loading.rows("checks", "SELECT service, instance, body FROM checks", |row| {
        Ok((row.get(0)?, row.get(1)?, json::<Instance>(row, 2)?))
    })?;
    for (service, id, mut instance) in checks {
        let service = state.services.entry(service).or_insert_with(|| Service::new(now));
        instance.read();
        service.instances.insert(id, instance);
    }
    state.gone = state.services.extract_if(.., |_, service| service.instances.is_empty()).collect();
    let sums = format!(
        "SELECT service, bucket, good, total FROM uptime WHERE bucket > {} ORDER BY service, bucket",
        before_a_day(now)
    );
    for (name, bucket) in
        loading.rows("uptime", &sums, |row| Ok((row.get::<_, String>(0)?, bucket(row, 1)?)))?
    {
        let listed = state.services.get_mut(&name);
        if let Some(service) = listed.or_else(|| state.gone.get_mut(&name)) {
            service.uptime.restore(bucket);
        }
    }
    let open = "SELECT body FROM incidents WHERE resolved_at IS NULL";
    let open: Vec<Incident> = loading.rows("incidents", open, |row| json(row, 0))?;
    state.open.extend(open.into_iter().map(|incident| (incident.id, incident)));
    for maintenance in loading.rows("maintenance", "SELECT body FROM maintenance", |row| json(row, 0))? {
        state.maintenance.insert(maintenance, now);
    }
    state.hold_all();
    state.carry_silence(now);
    let lost = if loading.is_rebuilt { IDS_LOST } else { 0 };
    state.next_event = newest(loading.connection, "events")?.saturating_add(1 + lost);
    state.next_incident = newest(loading.connection, "incidents")?.saturating_add(1 + lost);
    Ok(state)
}

fn newest(connection: &Connection, table: &'static str) -> rusqlite::Result<u64> {
    let id: Option<i64> =
        connection.query_row(&format!("SELECT max(id) FROM {table}"), [], |row| row.get(0))?;
    Ok(unsigned(id.unwrap_or(0)))
}

/// Rows that are ready to be written: what a batch names, read from the state.
#[derive(Debug, Default)]
pub struct Rows {
    checks: Vec<(String, String, Option<String>)>,
    services: Vec<(String, Option<String>)>,
}

impl Rows {
    /// What the state says now of what the batch names.
    ///
    /// # Errors
    /// When one of them cannot be written as JSON.
    pub fn of(batch: &Batch, state: &State) -> rusqlite::Result<Self> {
        let check = |(service, id): &(String, String)| {
            let instance = state.services.get(service).and_then(|service| service.instances.get(id));
            Ok((service.clone(), id.clone(), instance.map(to_json).transpose()?))
        };
        let service = |name: &String| {
            let service = state.services.get(name).or_else(|| state.gone.get(name));
            Ok((name.clone(), service.map(|service| to_json(&service.record)).transpose()?))
        };
        Ok(Self {
            checks: batch.checks.iter().map(check).collect::<rusqlite::Result<_>>()?,
            services: batch.services.iter().map(service).collect::<rusqlite::Result<_>>()?,
        })
    }
}

/// Writes a batch.
pub fn write(
    connection: &Connection,
    batch: &Batch,
    rows: &Rows,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO checks VALUES (?1, ?2, ?3)")?;
    let mut drop = connection.prepare_cached("DELETE FROM checks WHERE service = ?1 AND instance = ?2")?;
    for (service, instance, body) in &rows.checks {
        match body {
            Some(body) => put.execute(params![service, instance, body])?,
            None => drop.execute(params![service, instance])?,
        };
    }
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO services VALUES (?1, ?2)")?;
    let mut drop = connection.prepare_cached("DELETE FROM services WHERE name = ?1")?;
    for (name, record) in &rows.services {
        match record {
            Some(record) => put.execute(params![name, record])?,
            None => drop.execute([name])?,
        };
    }
    let mut put =
        connection.prepare_cached("INSERT OR REPLACE INTO probes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for row in &batch.probes {
        let record = &row.record;
        put.execute(params![
            row.service,
            record.instance_id,
            signed(row.number % PROBES_PER_INSTANCE),
            record.at.timestamp_millis(),
            record.latency.map(signed),
            record.reason.map(Phase::as_str),
            record.detail,
        ])?;
    }
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO uptime VALUES (?1, ?2, ?3, ?4)")?;
    for ((service, _), bucket) in &batch.uptime {
        put.execute(params![service, bucket.number, signed(bucket.good_ms), signed(bucket.total_ms)])?;
    }
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO events VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (id, data) in &batch.events {
        let service = match data {
            EventData::Transition(transition) => &transition.name,
            EventData::Incident(incident) => &incident.service,
        };
        put.execute(params![signed(*id), now.timestamp_millis(), data.name(), service, to_json(data)?])?;
    }
    let mut put =
        connection.prepare_cached("INSERT OR REPLACE INTO incidents VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for incident in batch.incidents.values() {
        put.execute(params![
            signed(incident.id),
            incident.service,
            incident.opened_at.timestamp_millis(),
            incident.resolved_at.map(|at| at.timestamp_millis()),
            to_json(incident)?,
        ])?;
    }
    // Only what has ended: it may have begun anew since.
    let mut end = connection
        .prepare_cached("DELETE FROM maintenance WHERE service = ?1 AND instance = ?2 AND until <= ?3")?;
    for (service, instance) in &batch.maintenance_ended {
        end.execute(params![service, instance.as_deref().unwrap_or_default(), now.timestamp_millis()])?;
    }
    Ok(())
}

/// Maintenances at a time.
const MAINTENANCES_MAX: u32 = 1_000;

/// Why a maintenance does not begin.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// One too many.
    #[error("{MAINTENANCES_MAX} services and instances are under maintenance already; end one of them first")]
    Full,
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl StoreFailure for MaintenanceError {
    fn store(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

/// Writes a maintenance, in place of one of the same service or instance.
pub fn begin_maintenance(connection: &Connection, maintenance: &Maintenance) -> Result<(), MaintenanceError> {
    let instance = maintenance.instance.as_deref().unwrap_or_default();
    let others: u32 = connection
        .prepare_cached("SELECT count(*) FROM maintenance WHERE service <> ?1 OR instance <> ?2")?
        .query_row([maintenance.service.as_str(), instance], |row| row.get(0))?;
    if others >= MAINTENANCES_MAX {
        return Err(MaintenanceError::Full);
    }
    let until = maintenance.until.map(|until| until.timestamp_millis());
    connection
        .prepare_cached("INSERT OR REPLACE INTO maintenance VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![maintenance.service, instance, until, to_json(maintenance)?])?;
    Ok(())
}

/// Takes a maintenance away.
pub fn end_maintenance(
    connection: &Connection,
    (service, instance): &maintenance::Key,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM maintenance WHERE service = ?1 AND instance = ?2")?
        .execute([service.as_str(), instance.as_deref().unwrap_or_default()])
        .map(drop)
}

/// Why an incident is not taken up.
#[derive(Debug, thiserror::Error)]
pub enum AcknowledgeError {
    /// No such incident.
    #[error("there is no incident {0}")]
    Unknown(u64),
    /// It is over.
    #[error("incident {0} is resolved already")]
    Resolved(u64),
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl StoreFailure for AcknowledgeError {
    fn store(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

/// Writes down who has taken an open incident up, in place of who had before.
pub fn acknowledge(
    connection: &Connection,
    id: u64,
    acknowledged: &Acknowledgement,
) -> Result<Incident, AcknowledgeError> {
    let incident: Option<Incident> = connection
        .prepare_cached("SELECT body FROM incidents WHERE id = ?1")?
        .query_row([signed(id)], |row| json(row, 0))
        .optional()?;
    let incident = incident.ok_or(AcknowledgeError::Unknown(id))?;
    if incident.resolved_at.is_some() {
        return Err(AcknowledgeError::Resolved(id));
    }
    let incident = Incident { acknowledged: Some(acknowledged.clone()), ..incident };
    connection
        .prepare_cached("UPDATE incidents SET body = ?2 WHERE id = ?1")?
        .execute(params![signed(id), to_json(&incident)?])?;
    Ok(incident)
}

const NEWEST_PROBES: &str = "SELECT at, instance, latency, reason, detail FROM probes \
     WHERE service = ?1 ORDER BY at DESC LIMIT ?2";

/// The last transitions and probes of a service, newest first.
pub fn history(
    connection: &Connection,
    service: &str,
    limit: usize,
) -> rusqlite::Result<(Vec<Transition>, Vec<ProbeRecord>)> {
    let limit = signed(limit);
    let transitions = connection
        .prepare_cached(
            "SELECT data FROM events WHERE service = ?1 AND name = 'transition' ORDER BY id DESC LIMIT ?2",
        )?
        .query_map(params![service, limit], |row| json(row, 0))
        .and_then(readable)?;
    let probes = connection
        .prepare_cached(NEWEST_PROBES)?
        .query_map(params![service, limit], probe)
        .and_then(readable)?;
    Ok((transitions, probes))
}

fn bucket(row: &Row<'_>, number: usize) -> rusqlite::Result<Bucket> {
    let ms = |column| Ok::<_, rusqlite::Error>(unsigned(row.get(column)?));
    Ok(Bucket { number: row.get(number)?, good_ms: ms(number + 1)?, total_ms: ms(number + 2)? })
}

/// A service's sums of probes since a moment, oldest first.
pub fn uptime(connection: &Connection, service: &str, since: DateTime<Utc>) -> rusqlite::Result<Vec<Bucket>> {
    connection
        .prepare_cached(
            "SELECT bucket, good, total FROM uptime WHERE service = ?1 AND bucket >= ?2 ORDER BY bucket",
        )?
        .query_map(params![service, bucket_of(since)], |row| bucket(row, 0))?
        .collect()
}

/// A probe: time, instance, latency, reason and detail.
pub fn probe(row: &Row<'_>) -> rusqlite::Result<ProbeRecord> {
    let reason: Option<String> = row.get(3)?;
    let reason = reason.and_then(|word| serde_json::from_value(serde_json::Value::String(word)).ok());
    Ok(ProbeRecord {
        at: time(row, 0)?,
        instance_id: row.get(1)?,
        healthy: reason.is_none(),
        latency: row.get::<_, Option<i64>>(2)?.map(unsigned),
        reason,
        detail: row.get(4)?,
    })
}

/// Incidents and how many there are: open ones first, the newest first; then the
/// resolved ones, the one that was resolved last first.
///
/// Both come from one read transaction, so a page and its total agree.
pub fn incidents(
    connection: &Connection,
    open_only: bool,
    limit: usize,
    offset: usize,
) -> rusqlite::Result<(Vec<Incident>, u64)> {
    let snapshot = connection.unchecked_transaction()?;
    let open = "SELECT count(*) FROM incidents WHERE resolved_at IS NULL";
    let open = unsigned(snapshot.prepare_cached(open)?.query_row([], |row| row.get(0))?);
    let rows = |sql: &str, limit: usize, offset: usize| -> rusqlite::Result<Vec<Incident>> {
        let mut statement = snapshot.prepare_cached(sql)?;
        statement.query_map([signed(limit), signed(offset)], |row| json(row, 0)).and_then(readable)
    };
    // Two queries, each in the order of an index: one over both groups sorts all rows.
    let open_rows =
        "SELECT body FROM incidents WHERE resolved_at IS NULL ORDER BY id DESC LIMIT ?1 OFFSET ?2";
    let mut incidents = rows(open_rows, limit, offset)?;
    if open_only {
        return Ok((incidents, open));
    }
    let resolved = "SELECT body FROM incidents WHERE resolved_at IS NOT NULL \
         ORDER BY resolved_at DESC, id DESC LIMIT ?1 OFFSET ?2";
    let skipped = offset.saturating_sub(usize::try_from(open).unwrap_or(usize::MAX));
    incidents.extend(rows(resolved, limit - incidents.len().min(limit), skipped)?);
    let all = "SELECT count(*) FROM incidents";
    let all = unsigned(snapshot.prepare_cached(all)?.query_row([], |row| row.get(0))?);
    Ok((incidents, all))
}

/// The ids of the oldest and the newest event that are kept; 0 where there is none.
pub fn event_range(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let range = connection.query_row("SELECT min(id), max(id) FROM events", [], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
    });
    let (oldest, newest) = range.optional()?.unwrap_or_default();
    Ok((unsigned(oldest.unwrap_or(0)), unsigned(newest.unwrap_or(0))))
}

/// Events after one, in order.
pub fn events_after(connection: &Connection, after: u64, limit: usize) -> rusqlite::Result<Vec<Told>> {
    connection
        .prepare_cached("SELECT id, name, data FROM events WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map(params![signed(after), signed(limit)], |row| {
            let name: String = row.get(1)?;
            let name = if name == "incident" { "incident" } else { "transition" };
            Ok(Told { id: unsigned(row.get(0)?), name, data: row.get(2)? })
        })?
        .collect()
}

/// Takes each row.
pub fn each(
    connection: &Connection,
    sql: &str,
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
