//! The table of services: its order, what is found, selected and opened.

use super::fleet::rank;
use super::{Finder, Fleet, Instance, Lease, Selected};
use std::cmp::Ordering;

/// A service and one of its instances.
pub type InstanceKey = (String, String);

/// What the table is sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortBy {
    /// The service, and within it the instance.
    #[default]
    Service,
    /// The status, the worst first.
    Status,
    /// The instance.
    Instance,
    /// The URL.
    Url,
    /// The latency, the slowest first.
    Latency,
    /// The length of the lease.
    Lease,
    /// The version.
    Version,
}

impl SortBy {
    /// All of them, in the order in which they are gone through.
    pub const ALL: [Self; 7] =
        [Self::Service, Self::Status, Self::Latency, Self::Lease, Self::Version, Self::Url, Self::Instance];

    /// The next one whose column a table of so many cells shows, round the end.
    #[must_use]
    pub fn next(self, cells: u16) -> Self {
        let at = Self::ALL.iter().position(|by| *by == self).unwrap_or(0);
        let mut others = Self::ALL.into_iter().cycle().skip(at + 1).take(Self::ALL.len());
        others.find(|by| by.shown_from() <= cells).unwrap_or_default()
    }

    /// The width of the table from which on its column is shown.
    pub const fn shown_from(self) -> u16 {
        match self {
            Self::Version => 90,
            Self::Instance => 110,
            _ => 0,
        }
    }

    /// Whether the highest goes first: the worst status, the longest latency.
    pub const fn falls(self) -> bool {
        matches!(self, Self::Status | Self::Latency)
    }

    /// The heading of its column.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Status => "STATUS",
            Self::Instance => "INSTANCE",
            Self::Url => "URL",
            Self::Latency => "LATENCY",
            Self::Lease => "TTL",
            Self::Version => "VERSION",
        }
    }

    fn order(self, a: &Instance, b: &Instance) -> Ordering {
        let (left, right) = (&a.registration, &b.registration);
        match self {
            Self::Service => Ordering::Equal,
            Self::Status => rank(Some(a.status)).cmp(&rank(Some(b.status))),
            Self::Instance => left.instance_id.cmp(&right.instance_id),
            Self::Url => left.service_url.cmp(&right.service_url),
            Self::Latency => b.latency.cmp(&a.latency),
            Self::Lease => left.ttl_seconds.cmp(&right.ttl_seconds),
            Self::Version => left.service_version.cmp(&right.service_version),
        }
    }
}

/// The state of the services tab.
#[derive(Debug, Clone, Default)]
pub struct ServicesPane {
    /// The rows, as places in [`Fleet::instances`].
    rows: Vec<usize>,
    /// The keys of the rows.
    keys: Vec<InstanceKey>,
    /// The selected row.
    pub selected: Selected<InstanceKey>,
    /// What the table is sorted by.
    pub sort: SortBy,
    /// Whether it is sorted the other way round.
    pub reversed: bool,
    /// What narrows the table.
    pub finder: Finder,
    /// The instance whose detail is open.
    pub detail: Option<InstanceKey>,
    /// By how many lines the detail is scrolled.
    pub scroll: usize,
    /// The lease of the opened instance.
    pub lease: Option<Lease>,
}

impl ServicesPane {
    /// How many rows there are.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row.
    pub fn row<'a>(&self, at: usize, fleet: &'a Fleet) -> Option<&'a Instance> {
        fleet.instances.get(*self.rows.get(at)?)
    }

    /// Draws the rows anew, after the fleet, the order or what is sought has
    /// changed; the same instance stays selected.
    pub fn arrange(&mut self, fleet: &Fleet) {
        let words = self.finder.words();
        let found = fleet
            .instances
            .iter()
            .enumerate()
            .filter(|(_, instance)| words.is_empty() || words.are_in(&texts(instance)));
        self.rows = found.map(|(at, _)| at).collect();
        let (sort, reversed) = (self.sort, self.reversed);
        // The fleet is sorted by service and instance, and this keeps that order.
        self.rows.sort_by(|a, b| match (fleet.instances.get(*a), fleet.instances.get(*b)) {
            (Some(a), Some(b)) => sort.order(a, b),
            _ => Ordering::Equal,
        });
        if reversed {
            self.rows.reverse();
        }
        let key = |instance: &Instance| (instance.key().0.to_owned(), instance.key().1.to_owned());
        self.keys = self.rows.iter().filter_map(|at| fleet.instances.get(*at)).map(key).collect();
        self.selected.keep(&self.keys);
    }

    /// Moves by so many rows.
    pub fn step(&mut self, by: isize) {
        self.selected.step(by, &self.keys);
    }

    /// The selected instance, which stays selected from now on.
    pub fn key_selected(&mut self) -> Option<InstanceKey> {
        self.selected.pin(&self.keys);
        self.selected.key().cloned()
    }

    /// Selects an instance.
    pub fn select(&mut self, key: &InstanceKey) {
        self.selected.select(key, &self.keys);
    }

    /// Opens the detail of an instance.
    pub fn open(&mut self, key: InstanceKey) {
        self.selected.select(&key, &self.keys);
        self.detail = Some(key);
        (self.scroll, self.lease) = (0, None);
    }

    /// The instance that keys act upon: the opened one, else the selected one.
    pub fn subject<'a>(&self, fleet: &'a Fleet) -> Option<&'a Instance> {
        match &self.detail {
            Some((service, instance)) => fleet.instances.iter().find(|i| i.key() == (service, instance)),
            None => self.row(self.selected.index(self.rows.len())?, fleet),
        }
    }
}

/// What of an instance is looked through.
fn texts(instance: &Instance) -> Vec<&str> {
    let it = &instance.registration;
    let metadata = it.metadata.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    [&*it.service_name, &*it.instance_id, &*it.service_url, instance.status.as_str()]
        .into_iter()
        .chain(it.service_version.as_deref())
        .chain(it.tags.iter().map(String::as_str))
        .chain(metadata)
        .collect()
}
