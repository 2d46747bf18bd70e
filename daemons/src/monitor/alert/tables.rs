//! The lists of alerts as they stand on a terminal.

use crate::runtime::listing::{TableRow, or_dash};
use chrono::{DateTime, Utc};
use shared::wire::alert::{AlertTested, ChannelStatus, Delivery};

impl TableRow for Delivery {
    const HEADS: &'static [&'static str] =
        &["id", "made", "channel", "what", "state", "attempts", "settled", "title", "last error"];

    fn cells(&self) -> Vec<String> {
        let notification = &self.notification;
        vec![
            self.id.to_string(),
            second(notification.at),
            self.channel.clone(),
            notification.kind.to_string(),
            self.state.to_string(),
            self.attempts.to_string(),
            or_dash(self.settled_at.map(second)),
            notification.title.clone(),
            or_dash(self.last_error.as_ref()),
        ]
    }
}

impl TableRow for ChannelStatus {
    const HEADS: &'static [&'static str] = &[
        "channel",
        "type",
        "target",
        "pending",
        "waiting since",
        "last delivered",
        "quiet until",
        "last error",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.kind.clone(),
            self.target.clone(),
            self.pending.to_string(),
            or_dash(self.waiting_since.map(second)),
            or_dash(self.last_delivered.map(second)),
            or_dash(self.quiet_until.map(second)),
            or_dash(self.last_error.as_ref()),
        ]
    }
}

impl TableRow for AlertTested {
    const HEADS: &'static [&'static str] = &["channel", "result", "latency", "error"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.channel.clone(),
            if self.ok { "ok" } else { "failed" }.to_owned(),
            format!("{} ms", self.latency),
            or_dash(self.error.as_ref()),
        ]
    }
}

fn second(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
