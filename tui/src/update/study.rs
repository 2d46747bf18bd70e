//! What the screen shows of one service beyond what the feeds bring: asked for
//! when it comes into view, dropped when it is not wanted any more.

use crate::action::Effect;
use crate::model::{Around, Lease, Model, Study, Tab, around};
use chrono::{DateTime, Utc};
use shared::wire::registry::LeaseStatus;

/// Asks for what the screen shows beyond what the feeds bring.
pub(super) fn wanted(model: &Model) -> Vec<Effect> {
    let mut effects: Vec<Effect> =
        model.study_wanted().map(|service| Effect::Study(service.to_owned())).into_iter().collect();
    if model.tab == Tab::Incidents
        && let Some(incident) = model.incidents.incident()
    {
        let (since, until) = around(incident);
        let service = model.incidents.service(&model.fleet).unwrap_or(&incident.service).to_owned();
        effects.push(Effect::Around { incident: incident.id, service, since, until });
    }
    effects.extend(lease(model));
    effects
}

/// Asks how the lease of the opened instance stands, if it has one.
pub(super) fn lease(model: &Model) -> Option<Effect> {
    let opened = model.tab == Tab::Services && model.services.detail.is_some();
    let it = &model.services.subject(&model.fleet).filter(|_| opened)?.registration;
    it.ttl_seconds?;
    Some(Effect::Lease { service: it.service_name.clone(), instance: it.instance_id.clone() })
}

/// A study that is not wanted any more is dropped. One that says nothing leaves
/// what is shown: the monitor's feed says that it is away.
pub(super) fn told(model: &mut Model, study: Study) -> bool {
    let says = study.history.is_some() || study.explanation.is_some() || study.uptime.is_some();
    let same = model.study.as_ref().is_some_and(|shown| shown.service == study.service);
    let news = model.study_wanted() == Some(&study.service)
        && (says || !same)
        && model.study.as_ref() != Some(&study);
    if news {
        model.study = Some(study);
    }
    news
}

/// The log around an incident that is not selected any more is dropped.
pub(super) fn told_around(model: &mut Model, around: Around) -> bool {
    let wanted = model.incidents.incident().is_some_and(|incident| incident.id == around.incident)
        && model.study_wanted() == Some(&around.service);
    let news = wanted && model.incidents.around.as_ref() != Some(&around);
    if news {
        model.incidents.around = Some(around);
    }
    news
}

pub(super) fn told_lease(model: &mut Model, status: LeaseStatus, now: DateTime<Utc>) -> bool {
    let key = (&status.service_name, &status.instance_id);
    let wanted = model.services.detail.as_ref().is_some_and(|(service, id)| (service, id) == key);
    if wanted {
        model.services.lease = Some(Lease { status, at: now });
    }
    wanted
}
