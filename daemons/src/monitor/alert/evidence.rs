//! What a notification says of a failure of what the monitor itself knows, taken
//! in the moment in which the incident is drawn. The [log](super::records) adds
//! to it.

use crate::monitor::service::Instance;
use crate::monitor::state::State;
use shared::client::Fleet;
use shared::credentials::without_password;
use shared::wire::alert::{Evidence, InstanceEvidence, Lease};
use shared::wire::monitor::{Incident, Status};
use std::collections::BTreeMap;

/// Instances that are told of.
const INSTANCES_MAX: usize = 20;
/// What is known of the services of these incidents.
pub fn facts(incidents: &BTreeMap<u64, Incident>, state: &State) -> BTreeMap<u64, Evidence> {
    let of = |(id, incident): (&u64, &Incident)| Some((*id, of_service(&incident.service, state)?));
    incidents.iter().filter_map(of).collect()
}

fn of_service(name: &str, state: &State) -> Option<Evidence> {
    let service = state.services.get(name)?;
    let unhealthy =
        || service.instances.values().map(|i| &i.check).filter(|check| check.status == Status::Unhealthy);
    let shown = unhealthy().find(|check| check.reason.is_some()).or_else(|| unhealthy().next());
    let shown = shown.or_else(|| service.instances.values().map(|instance| &instance.check).next());
    let fleet = state.fleet.as_deref();
    let instances: Vec<InstanceEvidence> = service
        .instances
        .iter()
        .take(INSTANCES_MAX)
        .map(|(id, instance)| InstanceEvidence {
            instance_id: id.clone(),
            url: without_password(&instance.url).into_owned(),
            status: instance.check.status,
            lease: lease(fleet, name, id, instance),
            since: instance.check.since,
            phase: instance.check.reason,
            detail: instance.check.detail.clone(),
            streak: instance.check.streak,
        })
        .collect();
    Some(Evidence {
        status: service.record.status,
        since: Some(service.record.since),
        phase: service.record.reason,
        detail: service.record.detail.clone(),
        latency: shown.and_then(|check| check.took),
        last_good_latency: service.instances.values().filter_map(|i| i.check.last_good_latency).min(),
        streak: shown.map_or(0, |check| check.streak),
        verdict: verdict(&instances),
        instances,
        log: Vec::new(),
        log_missing: None,
    })
}

fn lease(fleet: Option<&Fleet>, service: &str, id: &str, instance: &Instance) -> Lease {
    if instance.lost {
        return Lease::Expired;
    }
    let known = fleet.filter(|fleet| fleet.known && fleet.lost_at.is_none());
    match known.and_then(|fleet| fleet.get(service, id)) {
        None => Lease::Unknown,
        Some(registration) if registration.ttl_seconds.is_some() => Lease::Held,
        Some(_) => Lease::None,
    }
}

/// What leases and probes say together.
fn verdict(instances: &[InstanceEvidence]) -> String {
    let count = |lease| instances.iter().filter(|instance| instance.lease == lease).count();
    let (held, expired, unknown) = (count(Lease::Held), count(Lease::Expired), count(Lease::Unknown));
    let failing = instances.iter().any(|instance| instance.status == Status::Unhealthy);
    let of =
        |n: usize| if instances.len() == 1 { String::new() } else { format!("{n} of {}: ", instances.len()) };
    if expired > 0 {
        format!("{}the lease ran out: whoever renewed it is gone", of(expired))
    } else if held > 0 && failing {
        format!(
            "{}the lease is held although the probe fails: the process lives and does not answer well, or its lease has not run out yet",
            of(held)
        )
    } else if held > 0 {
        format!("{}the lease is held", of(held))
    } else if unknown > 0 {
        "the registry is away: nothing is known of leases".to_owned()
    } else {
        "it was registered without a lease: only the probe says how it does".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(lease: Lease, status: Status) -> InstanceEvidence {
        InstanceEvidence {
            instance_id: "i".to_owned(),
            url: "http://h".to_owned(),
            status,
            lease,
            since: None,
            phase: None,
            detail: None,
            streak: -3,
        }
    }

    #[test]
    fn leases_and_probes_are_held_against_each_other() {
        use Status::{Healthy, Unhealthy};
        for (instances, said) in [
            (vec![instance(Lease::Held, Unhealthy)], "the lease is held although the probe fails"),
            (vec![instance(Lease::Expired, Unhealthy)], "the lease ran out"),
            (
                vec![instance(Lease::Held, Unhealthy), instance(Lease::None, Unhealthy)],
                "1 of 2: the lease is held although",
            ),
            (vec![instance(Lease::Held, Healthy)], "the lease is held"),
            (vec![instance(Lease::None, Unhealthy)], "without a lease"),
            (vec![instance(Lease::Unknown, Unhealthy)], "the registry is away"),
        ] {
            let verdict = verdict(&instances);
            assert!(verdict.contains(said), "{said}: {verdict}");
        }
    }
}
