//! What differs between two states of a service: pure.

use shared::client::Instances;
use shared::wire::provider::Notice;
use shared::wire::registry::Registration;
use std::sync::Arc;

/// What has become of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added(Arc<Registration>),
    /// It is gone; this is what it was.
    Removed(Arc<Registration>),
    /// It changed; this is what it is.
    Updated(Arc<Registration>),
}

impl Change {
    /// The name of its event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Removed(_) => "removed",
            Self::Updated(_) => "updated",
        }
    }

    /// The registration.
    pub const fn registration(&self) -> &Arc<Registration> {
        match self {
            Self::Added(registration) | Self::Removed(registration) | Self::Updated(registration) => {
                registration
            }
        }
    }

    /// When it happened: a removal has no revision of its own in a state, but it
    /// is not after the state's.
    pub fn revision(&self, state: u64) -> u64 {
        match self {
            Self::Removed(_) => state,
            Self::Added(registration) | Self::Updated(registration) => registration.revision,
        }
    }
}

/// What leads from one state to the other, instance by instance.
pub fn changes(before: &Instances, after: &Instances) -> Vec<Change> {
    let gone = before.iter().filter(|(id, _)| !after.contains_key(*id));
    let gone = gone.map(|(_, registration)| Change::Removed(Arc::clone(registration)));
    let here = after.iter().filter_map(|(id, now)| match before.get(id) {
        None => Some(Change::Added(Arc::clone(now))),
        Some(then) if Arc::ptr_eq(then, now) || then == now => None,
        Some(_) => Some(Change::Updated(Arc::clone(now))),
    });
    gone.chain(here).collect()
}

/// The changes as one notice.
pub fn notice(service: &str, changes: &[Change], revision: u64) -> Notice {
    let mut notice = Notice {
        service: service.to_owned(),
        added: Vec::new(),
        removed: Vec::new(),
        updated: Vec::new(),
        revision,
    };
    for change in changes {
        let list = match change {
            Change::Added(_) => &mut notice.added,
            Change::Removed(_) => &mut notice.removed,
            Change::Updated(_) => &mut notice.updated,
        };
        list.push((**change.registration()).clone());
    }
    notice
}

/// Makes a notice part of what has been told.
pub fn apply(told: &mut Instances, notice: &Notice) {
    for registration in &notice.removed {
        told.remove(&registration.instance_id);
    }
    for registration in notice.added.iter().chain(&notice.updated) {
        told.insert(registration.instance_id.clone(), Arc::new(registration.clone()));
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use shared::client::Fleet;

    /// A fleet of (service, instance, revision).
    pub fn fleet(instances: &[(&str, &str, u64)]) -> Fleet {
        let mut fleet = Fleet { known: true, ..Fleet::default() };
        for (service, instance, revision) in instances {
            let registration: Registration = serde_json::from_value(serde_json::json!({
                "serviceName": service, "serviceUrl": "http://h:1", "instanceId": instance,
                "registeredAt": "2026-01-01T00:00:00Z", "revision": revision,
            }))
            .unwrap();
            let instances = fleet.services.entry((*service).to_owned()).or_default();
            Arc::make_mut(instances).insert((*instance).to_owned(), Arc::new(registration));
            fleet.revision = *revision;
        }
        fleet
    }

    #[test]
    fn applying_a_notice_leads_to_the_state_that_it_was_made_of() {
        let before = fleet(&[("S", "a", 1), ("S", "b", 2), ("S", "c", 3)]).services["S"].clone();
        let after = fleet(&[("S", "b", 2), ("S", "c", 7), ("S", "d", 8)]).services["S"].clone();
        let changes = changes(&before, &after);
        let names: Vec<_> = changes
            .iter()
            .map(|c| (c.name(), c.registration().instance_id.as_str(), c.revision(9)))
            .collect();
        assert_eq!(names, [("removed", "a", 9), ("updated", "c", 7), ("added", "d", 8)]);
        let mut told = (*before).clone();
        apply(&mut told, &notice("S", &changes, 9));
        assert_eq!(told, *after);
        assert_eq!(super::changes(&told, &after), []);
    }
}
