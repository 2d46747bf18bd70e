//! A subscription: what has been told, and what is told next. Pure.
//!
//! What was delivered last is kept, so that the next notice is always the
//! difference to it, whatever was missed in between: a restart, a registry that
//! was away, a history that is no longer kept. A notice is written down before
//! it is first sent, and is repeated with the same body and the same key until
//! it is accepted; later changes wait and are folded into the next one.

use super::change::{apply, changes, notice};
use chrono::{DateTime, Utc};
use shared::client::{Fleet, Instances};
use shared::wire::provider::{NewSubscription, Notice, Subscription};
use std::collections::BTreeSet;

/// Changes in one notice; more of them follow in the next.
const CHANGES_MAX: usize = 200;

/// The instance whose registration asked for a subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Its service.
    pub service: String,
    /// Its id.
    pub instance: String,
}

/// Who is to hear of what, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wish {
    /// The service to hear of.
    pub service: String,
    /// Where to post.
    pub callback_url: String,
    /// Whose registration asked for it; none for a request.
    pub owner: Option<Owner>,
}

impl From<NewSubscription> for Wish {
    fn from(new: NewSubscription) -> Self {
        Self { service: new.service, callback_url: new.callback_url, owner: None }
    }
}

/// A notice that was written down and is to be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The notice.
    pub notice: Notice,
    /// Its JSON: every attempt sends these very bytes.
    pub body: String,
}

/// A subscription.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its id.
    pub id: String,
    /// Who is to hear of what.
    pub wish: Wish,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The instances as they were last delivered.
    pub delivered: Instances,
    /// The revision of the last notice that was delivered.
    pub delivered_revision: u64,
    /// Notices ever written down. Revisions start anew with a new registry;
    /// this number never does, so that no two notices share a key.
    pub number: u64,
    /// The notice that is being delivered.
    pub pending: Option<Pending>,
    /// What went wrong with the last attempt.
    pub last_error: Option<String>,
}

impl Standing {
    /// A subscription that was told nothing yet.
    pub fn new(id: String, wish: Wish, now: DateTime<Utc>) -> Self {
        Self {
            id,
            wish,
            created_at: now,
            delivered: Instances::new(),
            delivered_revision: 0,
            number: 0,
            pending: None,
            last_error: None,
        }
    }

    /// The next notice, if there is anything to tell.
    pub fn next_notice(&self, fleet: &Fleet) -> Option<Notice> {
        let none = Instances::new();
        let now = fleet.services.get(&self.wish.service).map_or(&none, |instances| instances.as_ref());
        let mut found = changes(&self.delivered, now);
        found.truncate(CHANGES_MAX);
        (!found.is_empty()).then(|| notice(&self.wish.service, &found, fleet.revision))
    }

    /// The key of the notice that is pending: the same on every attempt.
    pub fn key(&self) -> String {
        format!("{}-{}", self.id, self.number)
    }

    /// Writes down the next notice.
    pub fn begin(&mut self, pending: Pending) {
        self.number += 1;
        self.pending = Some(pending);
    }

    /// The notice that was pending has been accepted.
    pub fn accepted(&mut self) {
        if let Some(pending) = self.pending.take() {
            apply(&mut self.delivered, &pending.notice);
            self.delivered_revision = pending.notice.revision;
        }
        self.last_error = None;
    }

    /// As it is listed.
    pub fn report(&self, fleet: &Fleet) -> Subscription {
        // While a notice is pending, what has changed since is not known to be
        // told or not until it is accepted: it is computed as if it were.
        let behind = match &self.pending {
            None => fleet.known && self.next_notice(fleet).is_some(),
            Some(pending) => {
                let mut after = self.clone();
                apply(&mut after.delivered, &pending.notice);
                fleet.known && after.next_notice(fleet).is_some()
            }
        };
        Subscription {
            id: self.id.clone(),
            service: self.wish.service.clone(),
            callback_url: self.wish.callback_url.clone(),
            automatic: self.wish.owner.is_some(),
            created_at: self.created_at,
            pending: u64::from(self.pending.is_some()) + u64::from(behind),
            delivered_revision: self.delivered_revision,
            last_error: self.last_error.clone(),
        }
    }
}

/// What the registrations ask for: each with requirements and a place to be
/// told at hears of every service that it requires.
pub fn wishes(fleet: &Fleet) -> BTreeSet<Wish> {
    fleet
        .registrations()
        .flat_map(|registration| {
            let url = registration.service_update_url.clone();
            url.into_iter().flat_map(move |callback_url| {
                registration.required_services.iter().map(move |service| Wish {
                    service: service.clone(),
                    callback_url: callback_url.clone(),
                    owner: Some(Owner {
                        service: registration.service_name.clone(),
                        instance: registration.instance_id.clone(),
                    }),
                })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::change::tests::fleet;
    use super::*;

    fn standing() -> Standing {
        let wish = Wish { service: "S".to_owned(), callback_url: "http://h/".to_owned(), owner: None };
        Standing::new("id".to_owned(), wish, Utc::now())
    }

    fn deliver(standing: &mut Standing, fleet: &Fleet) -> Option<Notice> {
        let notice = standing.next_notice(fleet)?;
        standing.begin(Pending { body: String::new(), notice: notice.clone() });
        standing.accepted();
        Some(notice)
    }

    #[test]
    fn a_new_subscription_is_told_what_exists_and_nothing_where_nothing_does() {
        assert_eq!(standing().next_notice(&fleet(&[("T", "t", 1)])), None);
        let notice = deliver(&mut standing(), &fleet(&[("S", "a", 1), ("S", "b", 2)])).unwrap();
        assert_eq!((notice.added.len(), notice.removed.len(), notice.revision), (2, 0, 2));
    }

    #[test]
    fn many_changes_are_told_in_parts_and_none_is_missing() {
        let ids: Vec<String> = (0..450).map(|n| format!("i{n}")).collect();
        let many: Vec<_> = ids.iter().zip(1..).map(|(id, revision)| ("S", id.as_str(), revision)).collect();
        let (fleet, mut standing) = (fleet(&many), standing());
        let mut parts = Vec::new();
        while let Some(notice) = deliver(&mut standing, &fleet) {
            parts.push(notice.added.len());
        }
        assert_eq!(parts, [200, 200, 50]);
        assert_eq!(standing.delivered, *fleet.services["S"]);
    }

    #[test]
    fn what_waits_is_counted() {
        let mut standing = standing();
        let first = fleet(&[("S", "a", 1)]);
        assert_eq!(standing.report(&first).pending, 1);
        let notice = standing.next_notice(&first).unwrap();
        standing.begin(Pending { body: String::new(), notice });
        assert_eq!(standing.report(&first).pending, 1);
        let second = fleet(&[("S", "a", 1), ("S", "b", 2)]);
        assert_eq!(standing.report(&second).pending, 2);
        standing.accepted();
        assert_eq!(standing.report(&first).pending, 0);
    }

    #[test]
    fn keys_differ_although_revisions_repeat() {
        let mut standing = standing();
        let mut keys = Vec::new();
        for state in [fleet(&[("S", "a", 5)]), fleet(&[]), fleet(&[("S", "a", 5)])] {
            deliver(&mut standing, &state);
            keys.push(standing.key());
        }
        assert_eq!(keys, ["id-1", "id-2", "id-3"]);
    }
}
