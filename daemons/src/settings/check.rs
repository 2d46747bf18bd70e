//! The bounds of every setting.

use super::{Settings, SettingsError, channel, probe};
use shared::credentials::without_password;
use shared::daemon::Daemon;
use std::collections::BTreeMap;

/// The largest number of anything that is counted.
const COUNT_MAX: usize = 1_000_000;

impl Settings {
    /// Whether these daemons can listen on one machine, each on its port.
    ///
    /// # Errors
    /// When two of them have the same port.
    pub fn check_ports(&self, daemons: &[Daemon]) -> Result<(), SettingsError> {
        let mut seen: BTreeMap<u16, Daemon> = BTreeMap::new();
        for daemon in daemons {
            let port = self.port(*daemon);
            // With 0 the system chooses, and never the same.
            if port != 0
                && let Some(one) = seen.insert(port, *daemon)
            {
                return Err(SettingsError::SamePort { one: one.word(), other: daemon.word(), port });
            }
        }
        Ok(())
    }

    /// Whether every value is one that can be.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let invalid = |key, reason: &str| Err(SettingsError::Invalid { key, reason: reason.to_owned() });
        let second = std::time::Duration::from_secs(1);
        for daemon in Daemon::ALL {
            let speaks_http = |url: &str| {
                reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
            };
            if let Some(url) = self.url(daemon)
                && !speaks_http(url)
            {
                return Err(SettingsError::Invalid {
                    key: daemon.word(),
                    reason: format!(
                        "url: '{}' is not a URL; write it as http://host:port",
                        without_password(url)
                    ),
                });
            }
        }
        if !(1..=COUNT_MAX).contains(&self.general.connections_max) {
            return invalid("general.connections_max", "must be from 1 to 1000000");
        }
        if !(second..=second * 86_400).contains(&self.general.lease.0) {
            return invalid("general.lease", "must be from 1s to 1d");
        }
        if self.general.header_timeout.0.is_zero() || self.general.body_timeout.0.is_zero() {
            return invalid("general", "header_timeout and body_timeout must be more than nothing");
        }
        if !(second..=second * 86_400 * 3_650).contains(&self.registry.history.0) {
            return invalid("registry.history", "must be from 1s to 3650d");
        }
        if !(1..=COUNT_MAX).contains(&self.registry.history_max) {
            return invalid("registry.history_max", "must be from 1 to 1000000");
        }
        for address in &self.registry.dns.0 {
            if address.parse::<std::net::SocketAddr>().is_err() {
                let reason = format!("'{address}' is no address; write it as 127.0.0.1:5353");
                return Err(SettingsError::Invalid { key: "registry.dns", reason });
            }
        }
        if let Err(error) = hickory_proto::rr::Name::from_utf8(&self.registry.dns_domain) {
            let reason = format!("'{}' is no domain: {error}", self.registry.dns_domain);
            return Err(SettingsError::Invalid { key: "registry.dns_domain", reason });
        }
        for (key, count) in [
            ("registry.registrations_max", self.registry.registrations_max),
            ("registry.leaseless_max", self.registry.leaseless_max),
            ("registry.changes_kept", self.registry.changes_kept),
        ] {
            if !(1..=COUNT_MAX).contains(&count) {
                return invalid(key, "must be from 1 to 1000000");
            }
        }
        if self.registry.guard_hold.0 > second * 3_600 {
            return invalid("registry.guard_hold", "must be at most 1h: who is gone has to go");
        }
        if !(1..=1 << 30).contains(&self.log.body_max.0) {
            return invalid("log.body_max", "must be from 1 to 1GiB");
        }
        if self.log.rotate_size.0 < 1024 {
            return invalid("log.rotate_size", "must be at least 1KiB");
        }
        if self.log.rotate_age.0 < second {
            return invalid("log.rotate_age", "must be at least 1s");
        }
        if self.log.keep_age.0.is_some_and(|age| age.0 < second) {
            return invalid("log.keep_age", "must be at least 1s, or off");
        }
        // The live log counts, and only sealed files are deleted.
        if self.log.keep_size.0.is_some_and(|size| size.0 / 2 < self.log.rotate_size.0) {
            return invalid("log.keep_size", "must be at least twice log.rotate_size, or off");
        }
        for (key, count) in [("log.queries_max", self.log.queries_max), ("log.tails_max", self.log.tails_max)]
        {
            if !(1..=COUNT_MAX).contains(&count) {
                return invalid(key, "must be from 1 to 1000000");
            }
        }
        if !(16 << 20..=1 << 40).contains(&self.log.query_memory.0) {
            return invalid("log.query_memory", "must be from 16MiB to 1TiB");
        }
        if self.monitor.interval.0.as_millis() < 100 {
            return invalid("monitor.interval", "must be at least 100ms");
        }
        if self.monitor.failures == 0 || self.monitor.successes == 0 {
            return invalid("monitor", "failures and successes must be at least 1");
        }
        if self.monitor.flap_changes > 1_000 {
            return invalid("monitor.flap_changes", "must be at most 1000");
        }
        if self.monitor.flap_window.0 < second {
            return invalid("monitor.flap_window", "must be at least 1s");
        }
        if !(1..=COUNT_MAX).contains(&self.monitor.concurrency) {
            return invalid("monitor.concurrency", "must be from 1 to 1000000");
        }
        probe::check(&self.probes).map_err(|reason| SettingsError::Invalid { key: "probe", reason })?;
        if self.monitor.confirm.0.as_millis() < 100 {
            return invalid("monitor.confirm", "must be at least 100ms");
        }
        if self.monitor.grace.0 > second * 3_600 {
            return invalid("monitor.grace", "must be at most 1h");
        }
        if !(second..=second * 86_400 * 3_650).contains(&self.monitor.forget_after.0) {
            return invalid("monitor.forget_after", "must be from 1s to 3650d");
        }
        if self.monitor.timeout.0.is_zero() {
            return invalid("monitor.timeout", "must be more than nothing");
        }
        if self.monitor.heartbeat_interval.0 < second {
            return invalid("monitor.heartbeat_interval", "must be at least 1s");
        }
        channel::check(&self.channels).map_err(|reason| SettingsError::Invalid { key: "channel", reason })
    }
}
