//! Levels and services, to be shown or hidden one by one.

use super::filter::{Filter, Levels, ServiceFilter};
use super::lines::Lines;
use shared::wire::log::Level;
use std::collections::BTreeSet;

/// How many services are listed.
const SERVICES_LISTED: usize = 500;

/// A level or a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facet {
    /// A level.
    Level(Level),
    /// A service.
    Service(String),
}

impl Facet {
    /// All that can be toggled: the levels, gravest first; then the services of
    /// the fleet, of the records that are held, and of the filter.
    pub fn all<'a>(filter: &'a Filter, lines: &'a Lines, fleet: impl Iterator<Item = &'a str>) -> Vec<Self> {
        let named = match &filter.services {
            ServiceFilter::All => [].as_slice(),
            ServiceFilter::Only(names) | ServiceFilter::But(names) => names,
        };
        let mut services: BTreeSet<&str> = named.iter().map(String::as_str).chain(fleet).collect();
        for service in lines.services() {
            if services.len() < SERVICES_LISTED {
                services.insert(service);
            }
        }
        let services = services.into_iter().map(|name| Self::Service(name.to_owned()));
        Level::ALL.into_iter().rev().map(Self::Level).chain(services).collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Level(level) => level.as_str(),
            Self::Service(name) => name,
        }
    }

    /// Whether a filter shows it.
    pub fn is_shown(&self, filter: &Filter) -> bool {
        match self {
            Self::Level(level) => filter.levels.has(*level),
            Self::Service(name) => filter.services.has(name),
        }
    }

    /// The filter with it shown where it was not, or the other way round.
    pub fn toggled(&self, filter: &Filter) -> Filter {
        match self {
            Self::Level(level) => Filter { levels: filter.levels.toggled(*level), ..filter.clone() },
            Self::Service(name) => Filter { services: filter.services.toggled(name), ..filter.clone() },
        }
    }

    /// The filter with it shown alone; with all of its kind where it already is.
    pub fn only(&self, filter: &Filter) -> Filter {
        let alone = match self {
            Self::Level(level) => Filter { levels: Levels::only(*level), ..filter.clone() },
            Self::Service(name) => {
                Filter { services: ServiceFilter::Only(vec![name.clone()]), ..filter.clone() }
            }
        };
        if alone != *filter {
            return alone;
        }
        match self {
            Self::Level(_) => Filter { levels: Levels::default(), ..alone },
            Self::Service(_) => Filter { services: ServiceFilter::All, ..alone },
        }
    }
}
