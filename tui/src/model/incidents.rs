//! Incidents, open ones first, and whose history is shown beside them.

use super::{Cursor, Fleet};
use shared::wire::monitor::Incident;

/// How many incidents are kept.
const INCIDENTS_MAX: usize = 500;

/// The state of the incidents tab.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IncidentsPane {
    /// Open ones first, each group newest first.
    pub incidents: Vec<Incident>,
    /// The selected incident.
    pub cursor: Cursor,
    /// The service whose history was asked for; without one, see [`Self::service`].
    pub picked: Option<String>,
}

impl IncidentsPane {
    /// Takes over what the monitor says. False where nothing is new.
    pub fn set(&mut self, mut incidents: Vec<Incident>) -> bool {
        incidents.sort_by_key(|i| (i.resolved_at.is_some(), std::cmp::Reverse(i.opened_at)));
        incidents.truncate(INCIDENTS_MAX);
        let news = self.incidents != incidents;
        self.incidents = incidents;
        news
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.incidents.iter().take_while(|incident| incident.resolved_at.is_none()).count()
    }

    /// Moves to another incident, and to the history of its service.
    pub fn step(&mut self, by: isize) {
        self.cursor.step(by, self.incidents.len());
        let selected = self.cursor.index(self.incidents.len()).and_then(|at| self.incidents.get(at));
        if let Some(incident) = selected {
            self.picked = Some(incident.service.clone());
        }
    }

    /// Moves to the history of a neighbouring service, round the end.
    pub fn step_service(&mut self, forward: bool, fleet: &Fleet) {
        let len = fleet.services.len();
        if len == 0 {
            return;
        }
        let shown = self.service(fleet);
        let here = fleet.services.iter().position(|service| Some(service.name.as_str()) == shown);
        let next = match here {
            Some(at) if forward => (at + 1) % len,
            Some(at) => (at + len - 1) % len,
            None => 0,
        };
        self.picked = fleet.services.get(next).map(|service| service.name.clone());
    }

    /// The service whose history is shown: the one that was asked for, else the
    /// root of the newest open incident, else the first of the fleet.
    pub fn service<'a>(&'a self, fleet: &'a Fleet) -> Option<&'a str> {
        let open = || self.incidents.first().filter(|incident| incident.resolved_at.is_none());
        self.picked
            .as_deref()
            .or_else(|| open().map(|incident| incident.service.as_str()))
            .or_else(|| fleet.services.first().map(|service| service.name.as_str()))
    }
}
