//! What is read from the disk.

use super::super::explain::PROBES_TOLD;
use super::super::report;
use super::super::store::{self, Told};
use super::super::uptime::Bucket;
use super::Core;
use crate::runtime::database::DatabaseError;
use chrono::{DateTime, Utc};
use shared::wire::monitor::{Explanation, History, Incident, UptimeReport};
use std::sync::Arc;
use tokio::sync::broadcast;

/// Probes that are read to explain a status.
const READ_MAX: usize = 1_000;

/// Why nothing was read.
type Failed = DatabaseError<rusqlite::Error>;

impl Core {
    /// The history of a service; none when nothing is known of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn history(&self, service: &str, limit: usize) -> Result<Option<History>, Failed> {
        let name = service.to_owned();
        let (transitions, probes) =
            self.database.read(move |connection| store::history(connection, &name, limit)).await?;
        let listed = self.report_one(service);
        if listed.is_none() && transitions.is_empty() && probes.is_empty() {
            return Ok(None);
        }
        let uptime = listed.and_then(|service| service.uptime);
        Ok(Some(History { name: service.to_owned(), uptime, transitions, probes }))
    }

    /// Why a service has its status; none when it is not listed.
    ///
    /// # Errors
    /// When its probes cannot be read.
    pub async fn explain(&self, service: &str) -> Result<Option<Explanation>, Failed> {
        let Some(instances) = self.report_one(service).map(|service| service.instances.len()) else {
            return Ok(None);
        };
        // About as many of each: they are probed as often as each other, mostly.
        let (name, limit) = (service.to_owned(), instances.saturating_mul(PROBES_TOLD * 2).min(READ_MAX));
        let (_, probes) =
            self.database.read(move |connection| store::history(connection, &name, limit)).await?;
        Ok(self.inner().state.explain(service, &probes, Utc::now()))
    }

    /// A service's sums of probes since a moment, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn uptime(&self, service: &str, since: DateTime<Utc>) -> Result<Vec<Bucket>, Failed> {
        let name = service.to_owned();
        self.database.read(move |connection| store::uptime(connection, &name, since)).await
    }

    /// How often each service did well, or one of them, by name.
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn uptimes(&self, service: Option<String>) -> Result<Vec<UptimeReport>, Failed> {
        let now = Utc::now();
        self.database.read(move |connection| report::uptimes(connection, service.as_deref(), now)).await
    }

    /// Incidents and how many there are: open ones first, then those resolved last.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn incidents(
        &self,
        open_only: bool,
        limit: usize,
        offset: usize,
    ) -> Result<(Vec<Incident>, u64), Failed> {
        self.database.read(move |connection| store::incidents(connection, open_only, limit, offset)).await
    }

    /// The events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Told>> {
        self.told.subscribe()
    }

    /// Stored events after one.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Told>, Failed> {
        self.database.read(move |connection| store::events_after(connection, after, limit)).await
    }

    /// The ids of the oldest and the newest stored event.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn event_range(&self) -> Result<(u64, u64), Failed> {
        self.database.read(store::event_range).await
    }
}
