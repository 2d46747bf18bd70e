//! Every setting: its name, its default, what it means.
//!
//! A setting has one row in one of the tables below, and from that row come its
//! flag, its environment variable, its key in the file, its help and its line
//! in `distlogd check-config`. Flag wins over environment, environment over
//! file, file over default.

pub mod channel;
mod check;
mod class;
mod glob;
mod modes;
mod probe;
mod quiet;
mod secret;
mod table;
mod value;

pub use channel::Channel;
pub use class::{Class, Classes};
pub use probe::Probe;
pub use secret::{Secret, Target};
pub use table::{Origin, Row};
pub use value::{Durability, Limit, List, Share, Size};

use serde::de::IgnoredAny;
use shared::daemon::Daemon;
use shared::span::Span;
use std::path::{Path, PathBuf};
use table::settings;

settings! {
    /// What all daemons share.
    General / GeneralGiven in "general" {
        /// Where everything but the live log is kept.
        data_dir: PathBuf = "./distlog-data", "data-dir", "DISTLOG_DATA_DIR";
        /// Addresses to listen on.
        bind: List = "127.0.0.1,::1", "bind", "DISTLOG_BIND";
        /// Listen beyond loopback although nobody is asked who they are.
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        insecure: bool = "false", "insecure", "DISTLOG_INSECURE";
        /// Host names, beside those of loopback, under which a request may come.
        allow_hosts: List = "", "allow-hosts", "DISTLOG_ALLOW_HOSTS";
        /// The host name under which others reach these daemons.
        advertise_host: String = "localhost", "advertise-host", "DISTLOG_ADVERTISE_HOST";
        /// Connections that one daemon serves at a time; one more is refused.
        connections_max: usize = "16384", "connections-max", "DISTLOG_CONNECTIONS_MAX";
        /// Time from an open (or idle) connection to a complete request header.
        header_timeout: Span = "15s", "header-timeout", "DISTLOG_HEADER_TIMEOUT";
        /// Time from the header to the complete body.
        body_timeout: Span = "30s", "body-timeout", "DISTLOG_BODY_TIMEOUT";
        /// Lease of these daemons' own registrations.
        lease: Span = "15s", "lease", "DISTLOG_LEASE";
    }
}

settings! {
    /// The registry.
    Registry / RegistryGiven in "registry" {
        /// Port of the registry.
        port: u16 = "3000", "registry-port", "DISTLOG_REGISTRY_PORT";
        /// Where the others find it; empty: this machine, on that port.
        url: String = "", "registry-url", "DISTLOG_REGISTRY_URL";
        /// Registrations that it keeps; one more is refused.
        registrations_max: usize = "100000", "registry-registrations-max", "DISTLOG_REGISTRY_REGISTRATIONS_MAX";
        /// Registrations without a lease that it keeps; one more is refused.
        leaseless_max: usize = "10000", "registry-leaseless-max", "DISTLOG_REGISTRY_LEASELESS_MAX";
        /// Changes that a watch can resume over.
        changes_kept: usize = "10000", "registry-changes-kept", "DISTLOG_REGISTRY_CHANGES_KEPT";
        /// For how long the history of changes is kept.
        history: Span = "7d", "registry-history", "DISTLOG_REGISTRY_HISTORY";
        /// Changes that the history keeps at most.
        history_max: usize = "100000", "registry-history-max", "DISTLOG_REGISTRY_HISTORY_MAX";
        /// When more than this share of the leases of the fleet, or of one service, runs
        /// out at once, expiry is held back; `100%`: never.
        guard_share: Share = "30%", "registry-guard-share", "DISTLOG_REGISTRY_GUARD_SHARE";
        /// For how long expiry is held back at most.
        guard_hold: Span = "2m", "registry-guard-hold", "DISTLOG_REGISTRY_GUARD_HOLD";
        /// Addresses at which it answers DNS, such as `127.0.0.1:5353`; empty: none.
        dns: List = "", "registry-dns", "DISTLOG_REGISTRY_DNS";
        /// The domain that it answers for.
        dns_domain: String = "distlog", "registry-dns-domain", "DISTLOG_REGISTRY_DNS_DOMAIN";
    }
}

settings! {
    /// The log.
    Log / LogGiven in "log" {
        /// Port of the log.
        port: u16 = "4000", "log-port", "DISTLOG_LOG_PORT";
        /// Where the others find it; empty: this machine, on that port.
        url: String = "", "log-url", "DISTLOG_LOG_URL";
        /// The live log.
        file: PathBuf = "./distributed.log", "log-file", "DISTLOG_LOG_FILE";
        /// When a record is acknowledged: `fsync`, when it is on disk; `os`, when the
        /// kernel has it (a power cut then loses what was acknowledged last).
        durability: Durability = "fsync", "log-durability", "DISTLOG_LOG_DURABILITY";
        /// Size at which the live log is rotated.
        rotate_size: Size = "64MiB", "log-rotate-size", "DISTLOG_LOG_ROTATE_SIZE";
        /// Age at which the live log is rotated.
        rotate_age: Span = "1d", "log-rotate-age", "DISTLOG_LOG_ROTATE_AGE";
        /// Age at which sealed records are deleted; `off`: only for want of room.
        keep_age: Limit<Span> = "off", "log-keep-age", "DISTLOG_LOG_KEEP_AGE";
        /// Size of the log, live and sealed, beyond which the oldest are deleted;
        /// `off`: whatever the disk holds.
        keep_size: Limit<Size> = "50GiB", "log-keep-size", "DISTLOG_LOG_KEEP_SIZE";
        /// Records that are kept for a time of their own, separated by semicolons:
        /// `debug=1d level:<=debug; audit=365d service:audit*`.
        classes: Classes = "", "log-classes", "DISTLOG_LOG_CLASSES";
        /// Age of a sealed segment at which it is compressed harder.
        recompress_after: Span = "1h", "log-recompress-after", "DISTLOG_LOG_RECOMPRESS_AFTER";
        /// Largest body of one request, before and after decompression.
        body_max: Size = "32MiB", "log-body-max", "DISTLOG_LOG_BODY_MAX";
        /// Time after which a search answers with what it has, marked partial.
        query_timeout: Span = "20s", "log-query-timeout", "DISTLOG_LOG_QUERY_TIMEOUT";
        /// Tails at a time; one more is refused.
        tails_max: usize = "12000", "log-tails-max", "DISTLOG_LOG_TAILS_MAX";
        /// Searches at a time; one more waits a little, and is then refused.
        queries_max: usize = "16", "log-queries-max", "DISTLOG_LOG_QUERIES_MAX";
        /// Memory of all searches together; what a search cannot get of it in time
        /// leaves its answer partial, or refused.
        query_memory: Size = "128MiB", "log-query-memory", "DISTLOG_LOG_QUERY_MEMORY";
    }
}

settings! {
    /// The library.
    Library / LibraryGiven in "library" {
        /// Port of the library.
        port: u16 = "5000", "library-port", "DISTLOG_LIBRARY_PORT";
        /// Where the others find it; empty: this machine, on that port.
        url: String = "", "library-url", "DISTLOG_LIBRARY_URL";
    }
}

settings! {
    /// The provider.
    Provider / ProviderGiven in "provider" {
        /// Port of the provider.
        port: u16 = "5001", "provider-port", "DISTLOG_PROVIDER_PORT";
        /// Where the others find it; empty: this machine, on that port.
        url: String = "", "provider-url", "DISTLOG_PROVIDER_URL";
    }
}

settings! {
    /// The web page.
    Web / WebGiven in "web" {
        /// Port of the page.
        port: u16 = "5002", "web-port", "DISTLOG_WEB_PORT";
        /// Where the others find it; empty: this machine, on that port.
        url: String = "", "web-url", "DISTLOG_WEB_URL";
    }
}

settings! {
    /// The monitor.
    Monitor / MonitorGiven in "monitor" {
        /// Port of the monitor.
        port: u16 = "5003", "monitor-port", "DISTLOG_MONITOR_PORT";
        /// Where the others find it; empty: this machine, on that port.
        url: String = "", "monitor-url", "DISTLOG_MONITOR_URL";
        /// Time between two probes of one instance.
        interval: Span = "10s", "monitor-interval", "DISTLOG_MONITOR_INTERVAL";
        /// Time after which a probe has failed.
        timeout: Span = "3s", "monitor-timeout", "DISTLOG_MONITOR_TIMEOUT";
        /// Failures in a row after which an instance is unhealthy.
        failures: u32 = "3", "monitor-failures", "DISTLOG_MONITOR_FAILURES";
        /// Time to the next probe of an instance that has just failed, until its failures
        /// are enough: failures times this is what is tolerated. As long as the interval, it
        /// is patient. For an instance with an interval of its own it is as long a part of that.
        confirm: Span = "400ms", "monitor-confirm", "DISTLOG_MONITOR_CONFIRM";
        /// For how long an instance that has not been well since it registered is pending
        /// instead of unhealthy.
        grace: Span = "30s", "monitor-grace", "DISTLOG_MONITOR_GRACE";
        /// Successes in a row after which an unhealthy instance is healthy again.
        successes: u32 = "2", "monitor-successes", "DISTLOG_MONITOR_SUCCESSES";
        /// Changes of a status within the window that are not too many; one more, and
        /// it is flapping: one incident until it is steady. 0: it never is.
        flap_changes: u32 = "6", "monitor-flap-changes", "DISTLOG_MONITOR_FLAP_CHANGES";
        /// That window; without a change for as long, a status is steady again.
        flap_window: Span = "10m", "monitor-flap-window", "DISTLOG_MONITOR_FLAP_WINDOW";
        /// Probes at a time.
        concurrency: usize = "256", "monitor-concurrency", "DISTLOG_MONITOR_CONCURRENCY";
        /// For how long transitions, incidents and uptime are kept; of single probes the
        /// last 1,000 of each instance.
        history: Span = "7d", "monitor-history", "DISTLOG_MONITOR_HISTORY";
        /// For how long a service whose leases have run out stays listed as unhealthy.
        forget_after: Span = "7d", "monitor-forget-after", "DISTLOG_MONITOR_FORGET_AFTER";
        /// A URL to which alerts are posted as JSON: a [[channel]] named webhook.
        alert_webhook: Target = "", "monitor-alert-webhook", "DISTLOG_MONITOR_ALERT_WEBHOOK";
        /// A URL that is called for as long as the monitor works: a dead-man's switch.
        heartbeat_url: Target = "", "monitor-heartbeat-url", "DISTLOG_MONITOR_HEARTBEAT_URL";
        /// Time between two such calls.
        heartbeat_interval: Span = "1m", "monitor-heartbeat-interval", "DISTLOG_MONITOR_HEARTBEAT_INTERVAL";
    }
}

/// All settings, resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What all daemons share.
    pub general: General,
    /// The registry.
    pub registry: Registry,
    /// The log.
    pub log: Log,
    /// The library.
    pub library: Library,
    /// The provider.
    pub provider: Provider,
    /// The web page.
    pub web: Web,
    /// The monitor.
    pub monitor: Monitor,
    /// What is probed beside what is registered, or in another way.
    pub probes: Vec<Probe>,
    /// Where alerts go.
    pub channels: Vec<Channel>,
    /// One row a setting, with where its value came from.
    pub rows: Vec<Row>,
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
}

/// Settings as they were given, in flags and the environment or in a file.
#[derive(Debug, Default, clap::Args, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Given {
    #[command(flatten)]
    general: GeneralGiven,
    #[command(flatten)]
    registry: RegistryGiven,
    #[command(flatten)]
    log: LogGiven,
    #[command(flatten)]
    library: LibraryGiven,
    #[command(flatten)]
    provider: ProviderGiven,
    #[command(flatten)]
    web: WebGiven,
    #[command(flatten)]
    monitor: MonitorGiven,
    #[arg(skip)]
    probe: Vec<Probe>,
    #[arg(skip)]
    channel: Vec<Channel>,
    // The console's own sections of the same file: it checks them.
    #[arg(skip)]
    #[serde(rename = "console")]
    _console: IgnoredAny,
    #[arg(skip)]
    #[serde(rename = "keys")]
    _keys: IgnoredAny,
}

/// Why the settings do not hold.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {source}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// The line and what is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// Every user can write the file.
    #[error(
        "every user of this machine can write {path}, and so run programs as this daemon: run 'chmod o-w {path}'"
    )]
    Writable {
        /// Which file.
        path: PathBuf,
    },
    /// A value that cannot be.
    #[error("{key}: {reason}")]
    Invalid {
        /// The setting's key in the file; its flag and variable are made alike.
        key: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Two daemons cannot listen on one port.
    #[error(
        "{one}.port and {other}.port are both {port}: each daemon needs a port of its own; give another one with \
         --{one}-port or --{other}-port"
    )]
    SamePort {
        /// Of one daemon.
        one: &'static str,
        /// And of another.
        other: &'static str,
        /// The port.
        port: u16,
    },
}

impl Settings {
    /// Puts flags and environment over the file over the defaults.
    ///
    /// # Errors
    /// When the file cannot be read or holds an unknown key, or a value cannot be.
    pub fn load(given: Given, file: Option<&Path>) -> Result<Self, SettingsError> {
        let file = shared::config::find(file.map(Path::to_owned));
        let written: Given = match &file {
            None => Given::default(),
            Some(path) => {
                modes::check(path)?;
                let text = std::fs::read_to_string(path)
                    .map_err(|source| SettingsError::Read { path: path.clone(), source })?;
                toml::from_str(&text)
                    .map_err(|source| SettingsError::Parse { path: path.clone(), source: Box::new(source) })?
            }
        };
        let mut rows = Vec::new();
        let mut channels = written.channel;
        let mut settings = Self {
            general: given.general.resolve(written.general, &mut rows)?,
            registry: given.registry.resolve(written.registry, &mut rows)?,
            log: given.log.resolve(written.log, &mut rows)?,
            library: given.library.resolve(written.library, &mut rows)?,
            provider: given.provider.resolve(written.provider, &mut rows)?,
            web: given.web.resolve(written.web, &mut rows)?,
            monitor: given.monitor.resolve(written.monitor, &mut rows)?,
            probes: written.probe,
            channels: Vec::new(),
            rows,
            file,
        };
        if !settings.monitor.alert_webhook.is_empty() {
            channels.push(Channel::shortcut(&settings.monitor.alert_webhook));
        }
        settings.channels = channels;
        settings.check()?;
        Ok(settings)
    }

    /// The configured port of a daemon; 0 lets the system choose.
    pub fn port(&self, daemon: Daemon) -> u16 {
        match daemon {
            Daemon::Registry => self.registry.port,
            Daemon::Log => self.log.port,
            Daemon::Library => self.library.port,
            Daemon::Provider => self.provider.port,
            Daemon::Web => self.web.port,
            Daemon::Monitor => self.monitor.port,
        }
    }

    /// The configured URL of a daemon; none where it is to be derived from the port.
    pub fn url(&self, daemon: Daemon) -> Option<&str> {
        let url = match daemon {
            Daemon::Registry => &self.registry.url,
            Daemon::Log => &self.log.url,
            Daemon::Library => &self.library.url,
            Daemon::Provider => &self.provider.url,
            Daemon::Web => &self.web.url,
            Daemon::Monitor => &self.monitor.url,
        };
        Some(url.as_str()).filter(|url| !url.is_empty())
    }
}

#[cfg(test)]
mod tests;
