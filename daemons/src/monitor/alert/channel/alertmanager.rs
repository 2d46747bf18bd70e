//! Alertmanager, API version 2.
//!
//! It knows an alert by its labels, so those of the end are those of the
//! beginning. It forgets an alert at its `endsAt`, which is set to a few minutes
//! from now and moved on every minute: an alert whose monitor is gone ends
//! there, which is what the dead-man's switch is for.
//!
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use super::SendError;
use super::http::Post;
use crate::settings::channel;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use shared::wire::alert::{Notification, NotificationKind};
use std::collections::BTreeMap;

/// For how long it is to remember an alert that it is not told again.
const REMEMBER: TimeDelta = TimeDelta::minutes(5);
/// For how long a test burns.
const TEST: TimeDelta = TimeDelta::minutes(1);

pub struct Alertmanager {
    post: Post,
    labels: BTreeMap<String, String>,
}

impl Alertmanager {
    pub fn new(one: &channel::Alertmanager, client: &reqwest::Client) -> Result<Self, String> {
        let url = format!("{}/api/v2/alerts", one.url.reveal().trim_end_matches('/'));
        let post = Post::new(client, &url, "application/json")?.token(&one.token, &one.token_file)?;
        Ok(Self { post, labels: one.labels.clone() })
    }

    pub async fn send(&self, notifications: &[Notification]) -> Result<(), SendError> {
        let now = Utc::now();
        let alerts: Vec<Value> = notifications.iter().map(|one| alert(one, &self.labels, now)).collect();
        let key = match notifications {
            [one] => Some(one.key.as_str()),
            _ => None,
        };
        self.post.send(key, Value::Array(alerts).to_string()).await
    }
}

fn alert(notification: &Notification, more: &BTreeMap<String, String>, now: DateTime<Utc>) -> Value {
    let incident = &notification.incident;
    let (name, severity, starts_at, ends_at) = match notification.kind {
        NotificationKind::Opened => ("ServiceDown", "critical", incident.opened_at, now + REMEMBER),
        NotificationKind::Resolved => {
            ("ServiceDown", "critical", incident.opened_at, incident.resolved_at.unwrap_or(now))
        }
        NotificationKind::Test => ("AlertTest", "none", now, now + TEST),
    };
    let own = [
        ("alertname", name.to_owned()),
        ("service", notification.service.clone()),
        ("severity", severity.to_owned()),
        ("incident", incident.id.to_string()),
        ("source", "distlog".to_owned()),
    ];
    let mut labels: Map<String, Value> =
        own.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    labels.extend(more.iter().map(|(name, value)| (name.clone(), value.clone().into())));
    let rfc3339 = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let affected: Vec<String> = incident.affected.iter().map(ToString::to_string).collect();
    json!({
        "labels": labels,
        "annotations": {
            "summary": notification.title,
            "description": notification.text,
            "affected": affected.join(", "),
        },
        "startsAt": rfc3339(starts_at),
        "endsAt": rfc3339(ends_at),
        "generatorURL": notification.url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_has_the_labels_of_the_beginning() {
        let now: DateTime<Utc> = "2026-01-05T10:00:00Z".parse().unwrap();
        let sample = |kind| super::super::super::sample("ops", kind, "http://monitor".to_owned(), now);
        let more =
            BTreeMap::from([("team".to_owned(), "a".to_owned()), ("severity".to_owned(), "page".to_owned())]);
        let opened = alert(&sample(NotificationKind::Opened), &more, now);
        let mut over = sample(NotificationKind::Resolved);
        over.incident.service = "the root that it turned out to be".to_owned();
        over.incident.resolved_at = Some(now + TimeDelta::seconds(90));
        let resolved = alert(&over, &more, now + TimeDelta::minutes(9));
        assert_eq!(opened["labels"], resolved["labels"]);
        assert_eq!((&opened["labels"]["team"], &opened["labels"]["severity"]), (&json!("a"), &json!("page")));
        assert_eq!(opened["endsAt"], "2026-01-05T10:05:00.000Z");
        assert_eq!(resolved["endsAt"], "2026-01-05T10:01:30.000Z");
        assert_eq!(opened["startsAt"], resolved["startsAt"]);
    }
}
