//! What is probed because the configuration says so: it is taken up as if it
//! were registered, and probed in the same way.

use crate::runtime::StartError;
use crate::runtime::probe::Spec;
use crate::settings::Probe;
use chrono::DateTime;
use shared::client::Instances;
use shared::wire::registry::Registration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The instance of what is not registered.
const INSTANCE: &str = "configured";

/// What the configuration says of probes.
#[derive(Debug, Default)]
pub struct Configured {
    /// What is not registered, by its name.
    own: BTreeMap<String, Instances>,
    /// How what is registered is probed, by its name.
    ways: BTreeMap<String, BTreeMap<String, String>>,
}

impl Configured {
    /// Takes up the settings.
    ///
    /// # Errors
    /// Which of them makes no sense, and why.
    pub fn new(probes: &[Probe]) -> Result<Self, StartError> {
        let mut configured = Self::default();
        for probe in probes {
            let metadata = probe.metadata();
            // A registered service has a URL of its own; any will do to read the rest.
            let url = probe.url.clone().unwrap_or_else(|| "http://localhost:1".to_owned());
            Spec::parse(&url, &metadata).map_err(|fault| {
                let key = fault.key.strip_prefix("distlog.probe.").or(fault.key.strip_prefix("distlog."));
                let key = key.map_or(fault.key.as_str(), |key| if key == "probe" { "kind" } else { key });
                StartError::Other(format!("probe '{}': {key}: {}", probe.name, fault.reason))
            })?;
            if probe.is_own() {
                let registration = Registration {
                    service_name: probe.name.clone(),
                    service_url: probe.url.clone().unwrap_or_default(),
                    instance_id: INSTANCE.to_owned(),
                    service_version: None,
                    tags: Vec::new(),
                    metadata,
                    health_check_url: None,
                    required_services: probe.requires.clone(),
                    service_update_url: None,
                    ttl_seconds: None,
                    registered_at: DateTime::UNIX_EPOCH,
                    revision: 0,
                };
                let instances = Instances::from([(INSTANCE.to_owned(), Arc::new(registration))]);
                configured.own.insert(probe.name.clone(), instances);
            } else {
                configured.ways.insert(probe.name.clone(), metadata);
            }
        }
        Ok(configured)
    }

    /// The names of what is not registered.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.own.keys()
    }

    /// What is not registered, of one service.
    pub fn of(&self, service: &str) -> Option<&Instances> {
        self.own.get(service)
    }

    /// How a registered service is probed, where the configuration says it.
    pub fn way(&self, service: &str) -> Option<&BTreeMap<String, String>> {
        self.ways.get(service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(text: &str) -> Probe {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_makes_no_sense_is_named_as_it_is_written_in_the_file() {
        for (text, want) in [
            ("name = 'W'\nurl = 'http://h'\nstatus = '2xx'", "probe 'W': status: '2xx' is no list"),
            ("name = 'W'\nurl = 'http://h'\nkind = 'smoke'", "probe 'W': kind: 'smoke' is no probe"),
            ("name = 'W'\nurl = 'nonsense'\nkind = 'tcp'", "probe 'W': url: is not a URL"),
            ("name = 'W'\nkind = 'push'", "probe 'W': interval: is missing"),
            ("name = 'W'\nfailures = 0", "probe 'W': failures: must be"),
        ] {
            let error = Configured::new(&[probe(text)]).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
    }
}
