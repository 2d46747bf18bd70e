//! Who does well now.

use super::App;
use crate::registry::state::Entry;
use crate::runtime::error::ApiError;
use crate::runtime::extract::Path;
use crate::runtime::probe::{Kind, Spec};
use axum::extract::State;
use chrono::Utc;
use futures_util::StreamExt;
use shared::wire::monitor::{Maintenance, Phase, Status};
use shared::wire::registry::{InstanceHealth, Registration, ServiceHealth};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the monitor may take to say what it holds of whom.
const MONITOR_MAX: Duration = Duration::from_millis(500);
/// Probes at a time for one request.
const PROBES_OF_ONE_MAX: usize = 32;

/// Whether a service answers, by probing it now
///
/// An instance is probed at most once a second: until then the last probe counts.
/// Of one that reports by itself it says what the monitor has heard.
#[utoipa::path(get, path = "/health/{name}", tag = "registry", params(("name" = String, Path)),
    responses((status = 200, body = ServiceHealth)))]
pub(super) async fn probe(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<axum::Json<ServiceHealth>, ApiError> {
    let (_, entries) = app.core.list(Some(&name));
    if entries.is_empty() {
        return Err(ApiError::unknown(format!("no service '{name}' is registered")));
    }
    let instances = app.probe(&entries.iter().collect::<Vec<_>>()).await;
    Ok(axum::Json(ServiceHealth {
        service_name: name,
        healthy: instances.iter().any(|instance| instance.healthy),
        latency: instances.iter().filter_map(|instance| instance.latency).min(),
        instances,
    }))
}

impl App {
    /// Of these those that do well now and are not taken out of use.
    pub(super) async fn healthy<'e>(&self, entries: Vec<&'e Arc<Entry>>) -> Vec<&'e Arc<Entry>> {
        let (healthy, maintenances) = tokio::join!(self.probe(&entries), self.maintenances());
        let now = Utc::now();
        let in_use = |r: &Registration| {
            !maintenances.iter().filter(|of| of.is_in_force(now)).any(|of| {
                of.service == r.service_name
                    && of.instance.as_ref().is_none_or(|instance| *instance == r.instance_id)
            })
        };
        let judged = entries.into_iter().zip(healthy);
        judged
            .filter(|(entry, health)| health.healthy && in_use(&entry.registration))
            .map(|(e, _)| e)
            .collect()
    }

    /// What operators take out of use; nothing while the monitor is away.
    async fn maintenances(&self) -> Vec<Maintenance> {
        tokio::time::timeout(MONITOR_MAX, self.monitor.maintenances())
            .await
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default()
    }

    /// Probes instances, in the order given; a probe of the last second counts.
    async fn probe(&self, entries: &[&Arc<Entry>]) -> Vec<InstanceHealth> {
        let target =
            |r: &Registration| (r.instance_id.clone(), r.revision, Spec::of(r.probe_url(), &r.metadata));
        let targets: Vec<_> = entries.iter().map(|entry| target(&entry.registration)).collect();
        let reports = |(.., spec): &(String, u64, Spec)| matches!(spec.kind, Kind::Push);
        let reporting: Vec<bool> = targets.iter().map(reports).collect();
        let probing = futures_util::stream::iter(targets)
            .map(|(instance_id, revision, spec)| async move {
                let outcome = self.probes.probe(revision, spec).await;
                let latency = u64::try_from(outcome.latency.as_millis()).unwrap_or(u64::MAX);
                InstanceHealth {
                    instance_id,
                    healthy: outcome.failure.is_none(),
                    latency: outcome.failure.is_none().then_some(latency),
                    reason: outcome.failure.map(|f| format!("{}: {}", f.phase.as_str(), f.detail)),
                }
            })
            .buffered(PROBES_OF_ONE_MAX)
            .collect::<Vec<_>>();
        if !reporting.contains(&true) {
            return probing.await;
        }
        let (mut found, unhealthy) = tokio::join!(probing, self.unhealthy());
        for ((entry, found), _) in
            entries.iter().zip(&mut found).zip(reporting).filter(|(_, reports)| *reports)
        {
            let Registration { service_name, instance_id, .. } = &entry.registration;
            found.latency = None;
            if let Some(reason) = unhealthy.get(&(service_name.clone(), instance_id.clone())) {
                (found.healthy, found.reason) = (false, Some(reason.clone()));
            }
        }
        found
    }

    /// The instances that the monitor holds to be unhealthy, and why. Who reports
    /// by itself reports there; while it is away everyone counts as healthy.
    async fn unhealthy(&self) -> BTreeMap<(String, String), String> {
        let statuses =
            tokio::time::timeout(MONITOR_MAX, self.monitor.health()).await.ok().and_then(Result::ok);
        let mut unhealthy = BTreeMap::new();
        for service in statuses.unwrap_or_default() {
            for instance in service.instances.into_iter().filter(|one| one.probed == Status::Unhealthy) {
                let phase = instance.reason.map(Phase::as_str);
                let why =
                    [phase, instance.detail.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
                unhealthy.insert((service.name.clone(), instance.instance_id), why);
            }
        }
        unhealthy
    }
}
