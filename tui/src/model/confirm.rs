//! A question that stands before what cannot be undone.

use crate::action::Effect;

/// A question, and what a yes does.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    /// The question.
    pub title: String,
    /// What a yes does, in whole sentences.
    pub text: String,
    /// What a yes does.
    pub effect: Effect,
}

impl Confirm {
    /// Asks before an instance is removed from the registry.
    pub fn deregister(service: &str, instance: &str, leased: bool) -> Self {
        let again = if leased {
            "If it is still running, its next heartbeat registers it again."
        } else {
            "It has no lease, so nothing registers it again by itself."
        };
        Self {
            title: format!("Deregister {instance}?"),
            text: format!(
                "This removes the instance {instance} of {service} from the registry at once; \
                 whoever watches {service} is told. The process itself is not stopped. {again} \
                 Undo registers it again as it is now."
            ),
            effect: Effect::Deregister { service: service.to_owned(), instance: instance.to_owned() },
        }
    }
}
