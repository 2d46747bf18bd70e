//! Which notifications an incident makes: pure.
//!
//! * An incident that is open is told once to each channel that hears of its
//!   service. That its list grows or its root moves tells nobody again; the
//!   resolved one has the final state.
//! * A channel that is only the fallback of others is told what those could not
//!   deliver, and nothing else.
//! * During quiet hours an incident waits for their end. One that is over before
//!   that is told to nobody there.
//! * That an incident is over is told to every channel that was told of it, or
//!   may have been, or will be: also during quiet hours, and also where the
//!   incident was never tried because its channel is away. Then both are
//!   delivered, in order: a page that is late is better than an outage that
//!   nobody hears of.
//! * One that was over before it could be written, for the disk was full, is told
//!   of from its beginning to its end as soon as it is written.

use crate::settings::Channel;
use chrono::{DateTime, TimeZone, Utc};
use shared::wire::alert::{DeliveryState, NotificationKind};
use shared::wire::monitor::Incident;
use std::collections::BTreeSet;

/// A notification that an incident has made already.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its number.
    pub id: u64,
    /// The channel.
    pub channel: String,
    /// What it is about.
    pub kind: NotificationKind,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was to be sent.
    pub due_at: DateTime<Utc>,
    /// Whether that was the end of quiet hours.
    pub quiet: bool,
    /// Whether it was given up because there was no such channel any more.
    pub removed: bool,
    /// The service that it names.
    pub service: String,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Tell a channel.
    Tell {
        /// Which.
        channel: String,
        /// Of what.
        kind: NotificationKind,
        /// When its quiet hours end, if it is to wait for that.
        quiet_until: Option<DateTime<Utc>>,
        /// The service that failed, as the channel knows it.
        service: String,
    },
    /// Take a notification back.
    Suppress {
        /// Which.
        id: u64,
    },
}

/// The steps that an incident leads to, after those that it has led to.
pub fn route<Tz: TimeZone>(
    incident: &Incident,
    told: &[Told],
    channels: &[Channel],
    now: &DateTime<Tz>,
) -> Vec<Step> {
    let is_over = incident.resolved_at.is_some();
    if is_over && !told.is_empty() {
        return resolved(told, channels, now.to_utc());
    }
    let fallbacks: BTreeSet<&str> =
        channels.iter().filter_map(|channel| channel.fallback.as_deref()).collect();
    let is_told = |channel: &Channel| told.iter().any(|told| told.channel == channel.name && !told.removed);
    let tell = |channel: &Channel, kind| Step::Tell {
        channel: channel.name.clone(),
        kind,
        quiet_until: channel.quiet.until(now),
        service: incident.service.clone(),
    };
    let kinds: &[NotificationKind] = match is_over {
        true => &[NotificationKind::Opened, NotificationKind::Resolved],
        false => &[NotificationKind::Opened],
    };
    channels
        .iter()
        .filter(|channel| !fallbacks.contains(channel.name.as_str()))
        .filter(|channel| channel.hears_of(&incident.service) && !is_told(channel))
        .filter(|channel| !is_over || channel.quiet.until(now).is_none())
        .flat_map(|channel| kinds.iter().map(move |kind| tell(channel, *kind)))
        .collect()
}

fn resolved(told: &[Told], channels: &[Channel], now: DateTime<Utc>) -> Vec<Step> {
    let has_heard = |channel: &str| {
        let of_this = |told: &&Told| !told.removed && told.channel == channel;
        told.iter().filter(of_this).any(|told| told.kind == NotificationKind::Resolved)
    };
    let is_there = |channel: &str| channels.iter().any(|there| there.name == channel);
    told.iter()
        .filter(|told| !told.removed && told.kind == NotificationKind::Opened)
        .filter(|told| told.state != DeliveryState::Suppressed)
        .filter(|told| is_there(&told.channel) && !has_heard(&told.channel))
        .map(|told| {
            let waits =
                told.quiet && told.state == DeliveryState::Pending && told.attempts == 0 && told.due_at > now;
            if waits {
                return Step::Suppress { id: told.id };
            }
            Step::Tell {
                channel: told.channel.clone(),
                kind: NotificationKind::Resolved,
                quiet_until: None,
                service: told.service.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::FixedOffset;

    fn channels() -> Vec<Channel> {
        #[derive(serde::Deserialize)]
        struct File {
            channel: Vec<Channel>,
        }
        let text = r#"
            [[channel]]
            name = "day"
            type = "command"
            argv = ["x"]
            quiet = "22:00-07:00"
            [[channel]]
            name = "shop"
            type = "command"
            argv = ["x"]
            services = ["shop*"]
            fallback = "mail"
            [[channel]]
            name = "mail"
            type = "command"
            argv = ["x"]
        "#;
        toml::from_str::<File>(text).unwrap().channel
    }

    fn at(hour: u32) -> DateTime<FixedOffset> {
        format!("2026-01-05T{hour:02}:00:00+02:00").parse().unwrap()
    }

    fn incident(service: &str, over: bool) -> Incident {
        serde_json::from_value(serde_json::json!({
            "id": 7, "service": service, "opened_at": at(9),
            "resolved_at": over.then(|| at(12)), "reason": null, "detail": null,
        }))
        .unwrap()
    }

    fn told(channel: &str, kind: NotificationKind, state: DeliveryState, attempts: u32, due: u32) -> Told {
        let (channel, service) = (channel.to_owned(), "old root".to_owned());
        let (due_at, quiet, removed) = (at(due).to_utc(), false, false);
        Told { id: 1, channel, kind, state, attempts, due_at, quiet, removed, service }
    }

    /// `channel kind hour`, or `suppress id`.
    fn steps(incident: &Incident, told: &[Told], hour: u32) -> Vec<String> {
        let steps = route(incident, told, &channels(), &at(hour));
        let offset = *at(0).offset();
        steps
            .into_iter()
            .map(|step| match step {
                Step::Tell { channel, kind, quiet_until, service } => {
                    let due_at = quiet_until.map_or(at(hour), |until| until.with_timezone(&offset));
                    format!("{channel} {kind} {service} {}", due_at.format("%H"))
                }
                Step::Suppress { id } => format!("suppress {id}"),
            })
            .collect()
    }

    #[test]
    fn an_incident_is_told_once_to_each_channel_that_hears_of_it() {
        assert_eq!(steps(&incident("bank", false), &[], 9), ["day opened bank 09"]);
        assert_eq!(
            steps(&incident("shop-cart", false), &[], 23),
            ["day opened shop-cart 07", "shop opened shop-cart 23"]
        );
        let before = [told("day", NotificationKind::Opened, DeliveryState::Delivered, 1, 9)];
        assert_eq!(steps(&incident("bank", false), &before, 10), [""; 0]);
    }

    #[test]
    fn one_that_was_over_before_it_could_be_written_is_told_of_unless_it_is_quiet() {
        let over = incident("bank", true);
        assert_eq!(steps(&over, &[], 9), ["day opened bank 09", "day resolved bank 09"]);
        assert_eq!(steps(&over, &[], 23), [""; 0]);
    }

    #[test]
    fn a_channel_that_was_taken_out_and_put_back_is_told_anew() {
        let mut gone = told("day", NotificationKind::Opened, DeliveryState::GivenUp, 3, 9);
        gone.removed = true;
        assert_eq!(steps(&incident("bank", false), &[gone.clone()], 10), ["day opened bank 10"]);
        assert_eq!(steps(&incident("bank", true), &[gone.clone()], 10), [""; 0], "it was told nothing");
        let anew = told("day", NotificationKind::Opened, DeliveryState::Delivered, 1, 10);
        assert_eq!(steps(&incident("bank", true), &[gone, anew], 11), ["day resolved old root 11"]);
    }

    #[test]
    fn that_it_is_over_is_told_to_whoever_was_told_also_in_quiet_hours() {
        use DeliveryState::{Delivered, GivenUp, Pending, Suppressed};
        use NotificationKind::{Opened, Resolved};
        let over = incident("bank", true);
        for (state, attempts, due, want) in [
            (Delivered, 1, 9, "day resolved old root 23"),
            // It may have arrived although no answer did.
            (Pending, 1, 23, "day resolved old root 23"),
            (GivenUp, 9, 9, "day resolved old root 23"),
            // Its channel is away: both will be told.
            (Pending, 0, 22, "day resolved old root 23"),
        ] {
            assert_eq!(steps(&over, &[told("day", Opened, state, attempts, due)], 23), [want]);
        }
        let mut late = told("day", Opened, Pending, 0, 23);
        late.due_at += chrono::TimeDelta::hours(8);
        let set_back = steps(&over, &[late.clone()], 23);
        assert_eq!(set_back, ["day resolved old root 23"], "the clock was set back: it is told in order");
        late.quiet = true;
        assert_eq!(steps(&over, &[late], 23), ["suppress 1"], "it waited for the end of quiet hours");
        assert_eq!(steps(&over, &[told("day", Opened, Suppressed, 0, 9)], 12), [""; 0]);
        assert_eq!(
            steps(&over, &[told("gone", Opened, Delivered, 1, 9)], 12),
            [""; 0],
            "no such channel now"
        );
        let both = [told("day", Opened, Delivered, 1, 9), told("day", Resolved, Pending, 0, 9)];
        assert_eq!(steps(&over, &both, 12), [""; 0]);
        let fallback = [told("mail", Opened, Delivered, 1, 9)];
        assert_eq!(steps(&over, &fallback, 12), ["mail resolved old root 12"]);
    }
}
