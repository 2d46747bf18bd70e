//! The provider's lists as they stand on a terminal.

use crate::runtime::listing::{TableRow, ago, or_dash, shortened};
use serde::Serialize;
use shared::credentials::without_password;
use shared::wire::provider::{Discovered, Edge, Subscription};

/// The widest error in a table; the whole of it is in the JSON.
const ERROR_MAX: usize = 40;

/// An instance in the table of all.
#[derive(Serialize)]
pub struct DiscoveredRow(pub Discovered);

impl TableRow for DiscoveredRow {
    const HEADS: &'static [&'static str] = &["service", "instance", "url", "health", "latency", "checked"];

    fn cells(&self) -> Vec<String> {
        let found = &self.0;
        vec![
            found.registration.service_name.clone(),
            found.registration.instance_id.clone(),
            without_password(&found.registration.service_url).into_owned(),
            if found.healthy { "healthy" } else { "unhealthy" }.to_owned(),
            or_dash(found.latency.map(|ms| format!("{ms} ms"))),
            or_dash(found.last_check.map(ago)),
        ]
    }
}

impl TableRow for Edge {
    const HEADS: &'static [&'static str] = &["service", "requires", "satisfied"];

    fn cells(&self) -> Vec<String> {
        vec![self.from.clone(), self.to.clone(), if self.satisfied { "yes" } else { "no" }.to_owned()]
    }
}

impl TableRow for Subscription {
    const HEADS: &'static [&'static str] =
        &["id", "service", "callback", "made by", "pending", "delivered", "last error"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.service.clone(),
            self.callback_url.clone(),
            if self.automatic { "registration" } else { "request" }.to_owned(),
            self.pending.to_string(),
            self.delivered_revision.to_string(),
            or_dash(self.last_error.as_deref().map(|error| shortened(error, ERROR_MAX))),
        ]
    }
}
