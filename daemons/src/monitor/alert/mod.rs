//! Alerts: who is told of an incident, and that it is over.
//!
//! * The notifications that an incident makes ([`route`]) are written in the
//!   commit that opens or resolves it ([`outbox`]): what is in the list of
//!   incidents has paged, or will. They are made from the incidents, not from
//!   the events, of which some may be dropped while the disk is away.
//! * Each is delivered at least once, with the same key and the same words on
//!   every attempt, also after `kill -9` ([`delivery`], [`queue`]). (Alertmanager's
//!   `endsAt` moves on, see there.) A channel tells in order, has a task of its
//!   own, and delays no other.
//! * What a channel could not deliver in time its fallback gets as well, once.
//! * A notification carries its evidence ([`evidence`], [`records`]). The log service may hold
//!   it up for a moment, and no longer.
//! * What opened and was over while nothing could be written is told to nobody:
//!   there was no such incident. That nothing can be written is what `/health` and
//!   the dead-man's switch tell.

mod api;
mod channel;
mod delivery;
mod evidence;
mod measure;
mod message;
pub mod outbox;
mod queue;
mod records;
mod route;
mod tables;

pub use api::routes;
#[cfg(fuzzing)]
pub use channel::any_template;
pub use evidence::facts;

use super::core::Core;
use crate::runtime::{Context, StartError};
use crate::settings::{Channel, Settings};
use channel::Sender;
use chrono::{DateTime, Utc};
use measure::Measures;
use outbox::Channels;
use shared::client::LogClient;
use shared::daemon::Daemon;
use shared::wire::alert::{Evidence, InstanceEvidence, Lease, Notification, NotificationKind};
use shared::wire::monitor::{Incident, Phase, Status};
use std::sync::Arc;
use tokio::sync::watch;

/// What the writing of incidents needs to know of alerts.
pub struct Desk {
    /// Who is told.
    pub channels: Channels,
    news: watch::Sender<()>,
}

impl Desk {
    /// As the settings say.
    pub fn new(context: &Context) -> Self {
        let channels = Channels {
            all: context.settings.channels.clone(),
            url: format!("{}/monitor/incidents", context.url),
        };
        Self { channels, news: watch::Sender::new(()) }
    }

    /// There may be something new in the outbox.
    pub fn tell(&self) {
        self.news.send_replace(());
    }

    /// Hears when there may be.
    pub fn listen(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }
}

/// The channels, ready to send.
pub struct Alerts {
    core: Arc<Core>,
    senders: Vec<Arc<Sender>>,
}

/// Sets the channels up.
///
/// # Errors
/// When one of them cannot be used: its template is none, a file cannot be read.
pub fn senders(settings: &Settings, client: &reqwest::Client) -> Result<Vec<Sender>, StartError> {
    let one = |channel| Sender::new(channel, client).map_err(|e| StartError::Other(e.to_string()));
    settings.channels.iter().map(one).collect()
}

/// Delivers in the background: a task a channel.
pub fn spawn(context: &Context, core: &Arc<Core>, senders: Vec<Sender>) -> Arc<Alerts> {
    let alerts =
        Arc::new(Alerts { core: Arc::clone(core), senders: senders.into_iter().map(Arc::new).collect() });
    let measures = Measures::register(&context.metrics);
    let log = LogClient::new(context.peer(Daemon::Log), context.client.clone());
    let records = Arc::new(records::Records::default());
    for (sender, channel) in alerts.senders.iter().zip(&core.desk().channels.all) {
        let is_fallback = |other: &&Channel| Some(&other.name) == channel.fallback.as_ref();
        let fallback = core.desk().channels.all.iter().find(is_fallback);
        let delivery = delivery::Delivery {
            core: Arc::clone(core),
            sender: Arc::clone(sender),
            fallback: fallback.cloned().map(|fallback| (fallback, channel.fallback_after)),
            log: log.clone(),
            records: Arc::clone(&records),
            measures: measures.clone(),
        };
        context.spawn_part("alerts", delivery.run());
    }
    let tidied = Arc::clone(core);
    context.spawn(async move {
        if let Err(error) = tidied.tidy().await {
            tracing::warn!("cannot give up what waits in channels that are gone: {error}");
        }
    });
    context.spawn(measure::report(Arc::clone(core), measures, Arc::clone(&context.health)));
    alerts
}

/// A notification of nothing, to try channels and templates with.
fn sample(channel: &str, kind: NotificationKind, url: String, now: DateTime<Utc>) -> Notification {
    let service = "sample".to_owned();
    let detail = Some("Connection refused (os error 111)".to_owned());
    let phase = Some(Phase::Connect);
    let incident = Incident {
        id: 0,
        service: service.clone(),
        opened_at: now,
        resolved_at: (kind == NotificationKind::Resolved).then_some(now),
        reason: phase,
        detail: detail.clone(),
        ..Incident::default()
    };
    let instance = InstanceEvidence {
        instance_id: "sample-1".to_owned(),
        url: "http://sample.example".to_owned(),
        status: Status::Unhealthy,
        lease: Lease::Held,
        since: Some(now),
        phase,
        detail: detail.clone(),
        streak: -3,
    };
    let evidence = Evidence {
        status: Status::Unhealthy,
        since: Some(now),
        phase,
        detail,
        latency: Some(2),
        last_good_latency: Some(12),
        streak: -3,
        verdict: "the lease is held although the probe fails".to_owned(),
        instances: vec![instance],
        log: Vec::new(),
        log_missing: None,
    };
    let mut sample = Notification {
        key: format!("test-{:016x}-{channel}", fastrand::u64(..)),
        kind,
        channel: channel.to_owned(),
        at: now,
        title: String::new(),
        text: String::new(),
        service,
        incident,
        url,
        evidence: Some(evidence),
    };
    message::compose(&mut sample);
    sample
}
