//! The monitor's client.

use super::http::{Http, Part, segment};
use super::{ClientError, sse};
use crate::wire::monitor::{
    Acknowledge, Explanation, History, Incident, Maintenance, ServiceStatus, Transition, UptimeReport,
};
use futures_util::{Stream, StreamExt};
use reqwest::Method;
use std::collections::HashSet;

/// Calls the monitor.
#[derive(Debug, Clone)]
pub struct MonitorClient(Http);

/// What the monitor's events tell.
#[derive(Debug, Clone, PartialEq)]
pub enum MonitorEvent {
    /// A service's status changed.
    Transition(Transition),
    /// An incident was opened or resolved.
    Incident(Incident),
}

impl MonitorClient {
    /// A client of the monitor at `base`.
    pub fn new(base: &str, client: reqwest::Client) -> Self {
        Self(Http::new(base, client))
    }

    /// Every service's health.
    ///
    /// # Errors
    /// As every call here: see [`ClientError`].
    pub async fn health(&self) -> Result<Vec<ServiceStatus>, ClientError> {
        self.0.get("/monitor/health").await
    }

    /// Removes a service without a registered instance from the list: 409 while it
    /// has one, 404 when it is unknown.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn forget(&self, service: &str) -> Result<(), ClientError> {
        let path = format!("/monitor/health/{}", segment(service));
        self.0.send(self.0.call(Method::DELETE, &path)).await.map(drop)
    }

    /// One service's history.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn history(&self, service: &str) -> Result<History, ClientError> {
        self.0.get(&format!("/monitor/history/{}", segment(service))).await
    }

    /// At most `limit` incidents, up to 1,000 a call, after the first `offset`: open
    /// ones, the newest first; then resolved ones, the last resolved first. With
    /// `open`, no resolved ones.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn incidents(
        &self,
        open: bool,
        limit: usize,
        offset: usize,
    ) -> Result<Part<Incident>, ClientError> {
        let call = self.0.call(Method::GET, "/monitor/incidents");
        let call = call.query(&[("open", open)]).query(&[("limit", limit)]);
        // A monitor of an earlier version knows no offset.
        let offset = Some(offset).filter(|offset| *offset > 0);
        self.0.part(call.query(&[("offset", offset)])).await
    }

    /// Every open incident, newest first, up to `max`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn open_incidents(&self, max: usize) -> Result<Part<Incident>, ClientError> {
        const PAGE: usize = 1_000;
        let mut open = self.incidents(true, PAGE, 0).await?;
        while open.rows.len() < open.total.min(max) {
            let page = self.incidents(true, PAGE, open.rows.len()).await?;
            open.total = page.total;
            let known: HashSet<u64> = open.rows.iter().map(|incident| incident.id).collect();
            // One that opened meanwhile moves the pages by a row.
            let before = open.rows.len();
            open.rows.extend(page.rows.into_iter().filter(|incident| !known.contains(&incident.id)));
            if open.rows.len() == before {
                break;
            }
        }
        open.rows.truncate(max);
        Ok(open)
    }

    /// Takes an incident up: says who looks after it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn acknowledge(&self, incident: u64, by: &str) -> Result<Incident, ClientError> {
        let path = format!("/monitor/incidents/{incident}/ack");
        self.0.post(&path, &Acknowledge { by: by.to_owned() }).await
    }

    /// Why a service has the status that it has.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn explain(&self, service: &str) -> Result<Explanation, ClientError> {
        self.0.get(&format!("/monitor/explain/{}", segment(service))).await
    }

    /// How often each service did well over a day, a week, a month; or one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn uptime(&self, service: Option<&str>) -> Result<Vec<UptimeReport>, ClientError> {
        let call = self.0.call(Method::GET, "/monitor/uptime");
        self.0.json(call.query(&[("service", service)])).await
    }

    /// Every maintenance.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn maintenances(&self) -> Result<Vec<Maintenance>, ClientError> {
        self.0.get("/monitor/maintenance").await
    }

    /// Puts a service or one of its instances under maintenance.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn begin_maintenance(&self, maintenance: &Maintenance) -> Result<Maintenance, ClientError> {
        self.0.post("/monitor/maintenance", maintenance).await
    }

    /// Ends the maintenance of a service, or of one of its instances.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn end_maintenance(
        &self,
        service: &str,
        instance: Option<&str>,
    ) -> Result<Maintenance, ClientError> {
        let call = self.0.call(Method::DELETE, "/monitor/maintenance");
        self.0.json(call.query(&[("service", Some(service)), ("instance", instance)])).await
    }

    /// Follows transitions and incidents.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn events(
        &self,
    ) -> Result<impl Stream<Item = Result<MonitorEvent, ClientError>> + Send + use<>, ClientError> {
        let response = self.0.open(self.0.stream("/monitor/events")).await?;
        let base = self.0.base().to_owned();
        Ok(sse::events(base.clone(), response).filter_map(move |event| {
            let event = event.and_then(|event| parse(&base, &event)).transpose();
            async move { event }
        }))
    }
}

fn parse(base: &str, event: &sse::Event) -> Result<Option<MonitorEvent>, ClientError> {
    let unexpected = |e| ClientError::unexpected(base, e);
    match event.name.as_str() {
        "transition" => {
            Ok(Some(MonitorEvent::Transition(serde_json::from_str(&event.data).map_err(unexpected)?)))
        }
        "incident" => {
            Ok(Some(MonitorEvent::Incident(serde_json::from_str(&event.data).map_err(unexpected)?)))
        }
        _ => Ok(None),
    }
}
