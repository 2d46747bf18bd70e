//! The six daemons: their names, their default ports.

use serde::{Deserialize, Serialize};

/// One of the six daemons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Daemon {
    /// Who runs where: registrations, leases, watches.
    Registry,
    /// The durable central log.
    Log,
    /// Books to borrow: the sample business service.
    Library,
    /// Discovery, and notices to those who depend on a changed service.
    Provider,
    /// One HTML page.
    Web,
    /// Health probes, their history, incidents.
    Monitor,
}

impl Daemon {
    /// All six, in the order in which `distlogd all` starts them.
    pub const ALL: [Self; 6] =
        [Self::Registry, Self::Log, Self::Library, Self::Provider, Self::Web, Self::Monitor];

    /// The port it listens on when nothing else is configured.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Registry => 3000,
            Self::Log => 4000,
            Self::Library => 5000,
            Self::Provider => 5001,
            Self::Web => 5002,
            Self::Monitor => 5003,
        }
    }

    /// `registry`, `log`, …: the subcommand and the word in settings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Log => "log",
            Self::Library => "library",
            Self::Provider => "provider",
            Self::Web => "web",
            Self::Monitor => "monitor",
        }
    }

    /// `Log Service`: what people read in start-up lines and titles.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Registry => "Registry Service",
            Self::Log => "Log Service",
            Self::Library => "Library Service",
            Self::Provider => "Provider Service",
            Self::Web => "Web Service",
            Self::Monitor => "Monitor Service",
        }
    }

    /// `LogService`: the name under which it registers and logs.
    pub const fn service_name(self) -> &'static str {
        match self {
            Self::Registry => "RegistryService",
            Self::Log => "LogService",
            Self::Library => "LibraryService",
            Self::Provider => "ProviderService",
            Self::Web => "WebService",
            Self::Monitor => "MonitorService",
        }
    }

    /// Where it is found when nothing else is configured.
    pub fn default_url(self) -> String {
        format!("http://localhost:{}", self.default_port())
    }
}
