//! Where the daemons are: flag over environment over file over default.

use clap::Args;
use shared::daemon::Daemon;
use std::fmt;
use std::str::FromStr;

/// Where the daemons are, as far as it was said.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Given {
    /// Where the registry is [default: http://localhost:3000]
    #[arg(long = "registry-url", env = "DISTLOG_REGISTRY_URL", value_name = "URL", global = true)]
    registry: Option<Endpoint>,
    /// Where the log service is [default: http://localhost:4000]
    #[arg(long = "log-url", env = "DISTLOG_LOG_URL", value_name = "URL", global = true)]
    log: Option<Endpoint>,
    /// Where the library is [default: http://localhost:5000]
    #[arg(long = "library-url", env = "DISTLOG_LIBRARY_URL", value_name = "URL", global = true)]
    library: Option<Endpoint>,
    /// Where the monitor is [default: http://localhost:5003]
    #[arg(long = "monitor-url", env = "DISTLOG_MONITOR_URL", value_name = "URL", global = true)]
    monitor: Option<Endpoint>,
}

impl Given {
    /// What was said, else what the file says.
    pub(crate) fn over(self, file: Endpoints) -> Endpoints {
        Endpoints {
            registry: self.registry.unwrap_or(file.registry),
            log: self.log.unwrap_or(file.log),
            library: self.library.unwrap_or(file.library),
            monitor: self.monitor.unwrap_or(file.monitor),
        }
    }
}

/// Where the daemons are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Where the registry is.
    pub registry: Endpoint,
    /// Where the log service is.
    pub log: Endpoint,
    /// Where the library is.
    pub library: Endpoint,
    /// Where the monitor is.
    pub monitor: Endpoint,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            registry: Endpoint::of(Daemon::Registry, None),
            log: Endpoint::of(Daemon::Log, None),
            library: Endpoint::of(Daemon::Library, None),
            monitor: Endpoint::of(Daemon::Monitor, None),
        }
    }
}

impl Endpoints {
    /// Each of them with the daemon that it is, and the beginning of its flags.
    fn all(&self) -> [(Daemon, &'static str, &Endpoint); 4] {
        [
            (Daemon::Registry, "registry", &self.registry),
            (Daemon::Log, "log", &self.log),
            (Daemon::Library, "library", &self.library),
            (Daemon::Monitor, "monitor", &self.monitor),
        ]
    }

    /// Those that are not where they are by default.
    fn moved(&self) -> impl Iterator<Item = (&'static str, &Endpoint)> {
        let moved = |(daemon, _, endpoint): &(Daemon, _, &Endpoint)| {
            endpoint.port != Some(daemon.default_port()) || !endpoint.is_here()
        };
        let all = self.all().into_iter().filter(moved);
        all.map(|(_, flag, endpoint)| (flag, endpoint))
    }

    /// Whether all of them are on this machine.
    pub fn are_here(&self) -> bool {
        self.all().iter().all(|(_, _, endpoint)| endpoint.is_here())
    }

    /// The flags with which `distlogd` listens there: ` --log-port 4001`.
    pub fn port_flags(&self) -> String {
        let flag = |(name, endpoint): (&str, &Endpoint)| {
            endpoint.port.map_or_else(String::new, |port| format!(" --{name}-port {port}"))
        };
        self.moved().map(flag).collect()
    }

    /// The flags with which the console looks there: ` --log-url http://…`.
    pub fn url_flags(&self) -> String {
        self.moved().map(|(name, endpoint)| format!(" --{name}-url {endpoint}")).collect()
    }
}

/// The URL of a daemon: scheme, host and perhaps a port, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    port: Option<u16>,
}

/// A text that is no [`Endpoint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as http://host:port")]
pub struct EndpointError;

impl Endpoint {
    /// Where a daemon of this machine is, on a port or on its default port.
    pub fn of(daemon: Daemon, port: Option<u16>) -> Self {
        let port = port.unwrap_or(daemon.default_port());
        Self { url: format!("http://localhost:{port}"), port: Some(port) }
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether it is on this machine, without TLS: where `distlogd` listens when
    /// it is only started.
    fn is_here(&self) -> bool {
        let host = self.url.strip_prefix("http://").unwrap_or_default();
        ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|here| host.strip_prefix(here).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
    }

    /// The port, where the URL names one.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let url = text.trim_end_matches('/');
        let rest =
            url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).ok_or(EndpointError)?;
        // The colons of an IPv6 address stand inside brackets.
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or(EndpointError)?)),
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(str::parse::<u16>).transpose().map_err(|_| EndpointError)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
        if host.is_empty() || !host.chars().all(plain) {
            return Err(EndpointError);
        }
        Ok(Self { url: url.to_owned(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_the_daemons_names_the_ports_that_are_not_the_usual_ones() {
        let at = |registry: &str| Endpoints { registry: registry.parse().unwrap(), ..Endpoints::default() };
        for (url, here, flags) in [
            ("http://localhost:3000", true, ""),
            ("http://127.0.0.1:23000", true, " --registry-port 23000"),
            ("http://[::1]:3000", true, ""),
            ("http://localhost.example.org:3000", false, " --registry-port 3000"),
            ("https://localhost:3000", false, " --registry-port 3000"),
        ] {
            let endpoints = at(url);
            assert_eq!((endpoints.are_here(), endpoints.port_flags().as_str()), (here, flags), "{url}");
        }
        assert_eq!(at("http://localhost:23000").url_flags(), " --registry-url http://localhost:23000");
    }

    #[test]
    fn an_endpoint_is_a_scheme_a_host_and_perhaps_a_port() {
        for (text, url, port) in [
            ("http://localhost:3000", "http://localhost:3000", Some(3000)),
            ("http://localhost:3000/", "http://localhost:3000", Some(3000)),
            ("https://log.example.org", "https://log.example.org", None),
            ("http://[::1]:4000", "http://[::1]:4000", Some(4000)),
        ] {
            assert_eq!(text.parse(), Ok(Endpoint { url: url.to_owned(), port }), "{text}");
        }
        for text in ["", "localhost:3000", "ftp://x", "http://", "http://a b", "http://x:port", "http://x/y"]
        {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError), "{text}");
        }
    }
}
