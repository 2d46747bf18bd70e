//! The addresses of instances, whose URLs may name a host.

use super::zone::Instance;
use futures_util::stream::{self, StreamExt};
use hickory_proto::rr::Name;
use reqwest::Url;
use shared::wire::registry::Registration;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::lookup_host;

/// How long an address is believed.
const FRESH: Duration = Duration::from_secs(30);
/// How long the system may take to find one; a client of DNS waits no longer.
const LOOKUP_MAX: Duration = Duration::from_secs(1);
/// Host names that are remembered.
const HOSTS_MAX: usize = 10_000;
/// Host names that are looked up at a time for one question.
const LOOKUPS_MAX: usize = 16;

type Found = Arc<[IpAddr]>;

/// The addresses of host names, for as long as they are fresh. One that cannot
/// be found is remembered as well.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<HashMap<String, (Instant, Found)>>);

impl Hosts {
    /// Where instances are.
    pub async fn locate(&self, registered: &[Registration]) -> Vec<Instance> {
        let parsed: Vec<(Url, u16)> = registered.iter().filter_map(parse).collect();
        stream::iter(parsed)
            .map(|(url, weight)| self.locate_one(url, weight))
            .buffered(LOOKUPS_MAX)
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    async fn locate_one(&self, url: Url, weight: u16) -> Option<Instance> {
        let port = url.port_or_known_default()?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        if let Ok(address) = host.parse() {
            return Some(Instance { host: None, addresses: vec![address], port, weight });
        }
        let addresses = self.addresses(&host).await.to_vec();
        let mut name = Name::from_utf8(&host).ok()?;
        name.set_fqdn(true);
        // Only this machine's own resolver knows who that is to itself.
        let host = (host != "localhost").then_some(name);
        Some(Instance { host, addresses, port, weight })
    }

    async fn addresses(&self, host: &str) -> Found {
        let now = Instant::now();
        if let Some((until, found)) = self.lock().get(host)
            && now < *until
        {
            return Arc::clone(found);
        }
        let found: Found = match tokio::time::timeout(LOOKUP_MAX, lookup_host((host, 0))).await {
            Ok(Ok(addresses)) => addresses.map(|address| address.ip()).collect(),
            _ => Arc::default(),
        };
        let mut known = self.lock();
        if known.len() >= HOSTS_MAX {
            known.retain(|_, (until, _)| now < *until);
        }
        if known.len() < HOSTS_MAX {
            known.insert(host.to_owned(), (now + FRESH, Arc::clone(&found)));
        }
        found
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Found)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an instance is, and its weight: `metadata.weight`, 1 by default.
fn parse(registration: &Registration) -> Option<(Url, u16)> {
    let weight = registration.metadata.get("weight").and_then(|weight| weight.parse::<f64>().ok());
    let weight =
        weight.filter(|weight| *weight >= 0.0).map_or(1, |weight| weight.min(65_535.0).round() as u16);
    Some((Url::parse(&registration.service_url).ok()?, weight))
}
