//! A question that stands before what others will notice.

use crate::action::{Effect, Request};
use shared::wire::monitor::{Maintenance, MaintenanceMode};

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
    /// Asks before a maintenance is ended: probes and incidents go by it at once.
    pub fn end_maintenance(maintenance: &Maintenance) -> Self {
        let (service, instance) = (&maintenance.service, &maintenance.instance);
        let of = instance.as_ref().unwrap_or(service);
        let (what, said) = match maintenance.mode {
            MaintenanceMode::Maintenance => ("maintenance", "is under maintenance"),
            MaintenanceMode::Drain => ("draining", "is drained"),
        };
        let by =
            if maintenance.owner.is_empty() { String::new() } else { format!(" by {}", maintenance.owner) };
        let why =
            if maintenance.reason.is_empty() { String::new() } else { format!(" ({})", maintenance.reason) };
        Self {
            title: format!("End the {what} of {of}?"),
            text: format!(
                "{of} {said}{by}{why}. Once that is ended, what its probes say holds again: it is picked \
                 while it is healthy, and an incident is opened when it is not."
            ),
            effect: Request::EndMaintenance { service: service.clone(), instance: instance.clone() }.into(),
        }
    }

    /// Asks before a service without an instance is taken from the monitor's list.
    pub fn forget(service: &str) -> Self {
        Self {
            title: format!("Forget {service}?"),
            text: format!(
                "{service} has no registered instance. This takes it from the monitor's list and resolves \
                 its open incident. It is listed again once an instance of it registers. \
                 This cannot be undone."
            ),
            effect: Request::Forget(service.to_owned()).into(),
        }
    }

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
            effect: Request::Deregister { service: service.to_owned(), instance: instance.to_owned() }.into(),
        }
    }
}
