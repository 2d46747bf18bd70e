//! The detail of a record: its neighbours, and its fields taken into the filter.

use super::{filter, lines};
use crate::action::Effect;
use crate::keys::Command;
use crate::model::{
    Facet, Filter, Levels, LogPane, Model, RecordDetail, RecordField, ServiceFilter, Toast, term,
};
use chrono::{DateTime, Utc};

pub(super) fn run(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    let (size, page) = (model.size, isize::try_from(model.page()).unwrap_or(isize::MAX));
    let log = &mut model.log;
    let Some(detail) = &mut log.detail else { return Vec::new() };
    match command {
        Command::Up => detail.up(),
        Command::Down => detail.down(size),
        Command::PageUp => detail.scroll_by(-page, size),
        Command::PageDown => detail.scroll_by(page, size),
        Command::Last => detail.scroll_by(isize::MAX, size),
        Command::First => (detail.row, detail.scroll) = (0, 0),
        Command::Left => return neighbour(log, -1),
        Command::Right => return neighbour(log, 1),
        Command::Include | Command::Exclude => {
            let field = detail.selected();
            return take_up(model, field, command == Command::Include, now);
        }
        Command::Context => {
            let (seq, service) = (detail.record.seq, detail.record.service.clone());
            return lines::context(log, seq, service);
        }
        Command::Mark => return lines::mark(model, now),
        _ => {}
    }
    Vec::new()
}

/// The record before or after, looked at in the same way.
fn neighbour(log: &mut LogPane, by: isize) -> Vec<Effect> {
    let effects = lines::step(log, by);
    let record = log.selected().map(|line| line.to_record());
    if let (Some(record), Some(detail)) = (record, &log.detail)
        && record.seq != detail.record.seq
    {
        log.detail = Some(RecordDetail::new(record));
    }
    effects
}

/// Narrows the filter to records with this field, or to those without it.
fn take_up(model: &mut Model, field: Option<RecordField>, include: bool, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(field) = field else { return Vec::new() };
    let log = &mut model.log;
    let coming = filter::coming(log);
    let wanted = match (field.name.as_str(), log.detail.as_ref().map(|detail| detail.record.level)) {
        ("level", Some(level)) if include => Filter { levels: Levels::only(level), ..coming },
        ("level", Some(level)) if coming.levels.has(level) => Facet::Level(level).toggled(&coming),
        ("service", _) if include => Filter { services: ServiceFilter::Only(vec![field.value]), ..coming },
        ("service", _) if coming.services.has(&field.value) => {
            let alone = coming.services == ServiceFilter::Only(vec![field.value.clone()]);
            let services = if alone { ServiceFilter::All } else { coming.services.clone() };
            Filter { services: services.toggled(&field.value), ..coming }
        }
        ("level" | "service", _) => return Vec::new(),
        _ if !field.asks => {
            model.say(Toast::bad(format!("{} has no single value to ask for", field.name)), now);
            return Vec::new();
        }
        _ => {
            let sign = if include { "" } else { "-" };
            filter::with_term(&coming, &format!("{sign}{}", term(&field.name, &field.value)))
        }
    };
    filter::try_out(log, wanted)
}
