//! The overview: a service is selected, and opened.

use super::{general, services};
use crate::action::Effect;
use crate::keys::Command;
use crate::model::Model;
use chrono::{DateTime, Utc};

pub(super) fn run(
    model: &mut Model,
    command: Command,
    rows: Option<isize>,
    now: DateTime<Utc>,
) -> Vec<Effect> {
    if let Some(by) = rows {
        let keys: Vec<String> = model.fleet.worst_first().map(|service| service.name.clone()).collect();
        model.overview.step(by, &keys);
    } else if command == Command::Open {
        match model.subject().map(str::to_owned) {
            Some(service) => return services::open(model, &service, now),
            None => general::nothing(model, now),
        }
    }
    Vec::new()
}
