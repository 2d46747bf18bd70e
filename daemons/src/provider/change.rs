//! What differs between two states of a service, and how it is told: pure.

use shared::client::Instances;
use shared::wire::provider::Notice;
use shared::wire::registry::Registration;
use std::sync::Arc;

/// Changes in one notice; more of them follow in the next.
pub const CHANGES_MAX: usize = 200;

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

/// The changes as notices, so many in each as one may have.
pub fn notices(
    service: &str,
    changes: &[Change],
    revision: u64,
    initial: bool,
) -> impl Iterator<Item = Notice> {
    changes.chunks(CHANGES_MAX).map(move |part| {
        let list = |name: &str| {
            let of_it = part.iter().filter(|change| change.name() == name);
            of_it.map(|change| (**change.registration()).clone()).collect()
        };
        let service = service.to_owned();
        let (added, removed, updated) = (list("added"), list("removed"), list("updated"));
        Notice { service, added, removed, updated, revision, initial }
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use shared::client::Fleet;

    /// A registration of an instance at a revision.
    pub fn registration(service: &str, instance: &str, revision: u64) -> Registration {
        serde_json::from_value(serde_json::json!({
            "serviceName": service, "serviceUrl": "http://h:1", "instanceId": instance,
            "registeredAt": "2026-01-01T00:00:00Z", "revision": revision,
        }))
        .unwrap()
    }

    /// A fleet of (service, instance, revision).
    pub fn fleet(instances: &[(&str, &str, u64)]) -> Fleet {
        let mut fleet = Fleet { known: true, ..Fleet::default() };
        for (service, instance, revision) in instances {
            fleet.put(registration(service, instance, *revision));
            fleet.revision = *revision;
        }
        fleet
    }

    #[test]
    fn what_is_told_leads_from_one_state_to_the_other() {
        let before = fleet(&[("S", "a", 1), ("S", "b", 2), ("S", "c", 3)]).services["S"].clone();
        let after = fleet(&[("S", "b", 2), ("S", "c", 7), ("S", "d", 8)]).services["S"].clone();
        let changes = changes(&before, &after);
        let names: Vec<_> = changes
            .iter()
            .map(|c| (c.name(), c.registration().instance_id.as_str(), c.revision(9)))
            .collect();
        assert_eq!(names, [("removed", "a", 9), ("updated", "c", 7), ("added", "d", 8)]);
        assert_eq!(super::changes(&after, &after), []);
    }

    #[test]
    fn many_changes_are_told_in_parts_and_none_is_missing() {
        let ids: Vec<String> = (0..450).map(|n| format!("i{n}")).collect();
        let many: Vec<_> = ids.iter().zip(1..).map(|(id, revision)| ("S", id.as_str(), revision)).collect();
        let changes = changes(&Instances::new(), &fleet(&many).services["S"]);
        let parts: Vec<usize> = notices("S", &changes, 9, false).map(|notice| notice.added.len()).collect();
        assert_eq!(parts, [200, 200, 50]);
    }
}
