//! Who is to hear of what: pure.

use shared::wire::provider::NewSubscription;
use shared::wire::registry::Registration;
use std::collections::BTreeSet;

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

/// What a registration asks for: one with requirements and a place to be told
/// at hears of every service that it requires.
pub fn wishes(registration: &Registration) -> BTreeSet<Wish> {
    let Some(callback_url) = &registration.service_update_url else { return BTreeSet::new() };
    let wish = |service: &String| Wish {
        service: service.clone(),
        callback_url: callback_url.clone(),
        owner: Some(Owner {
            service: registration.service_name.clone(),
            instance: registration.instance_id.clone(),
        }),
    };
    registration.required_services.iter().map(wish).collect()
}
