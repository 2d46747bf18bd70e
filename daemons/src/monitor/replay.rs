//! What the present rules would have paged over the recorded history.
//!
//! `distlogd check-config --replay 7d` reads the monitor's database, beside a
//! monitor that runs or without one, and goes through what is recorded with the
//! rules of the configuration: the last probes of each instance (about
//! [`PROBES_PER_INSTANCE`](super::store::PROBES_PER_INSTANCE)), and before them
//! the transitions, which the rules of their time have made. All that is recorded
//! is gone through, and what is opened within the time asked for is told. Who
//! requires whom is as it is now; who is there no more was there until it was
//! seen last.

mod record;
mod run;

use super::check::Thresholds;
use super::core::rules;
use crate::runtime::StartError;
use crate::runtime::listing::{TableRow, counted, table};
use crate::settings::Settings;
use chrono::{TimeDelta, Utc};
use rusqlite::{Connection, OpenFlags};
use shared::span::Span;
use shared::wire::monitor::{Incident, IncidentKind};

/// What would have been paged over so long, as a text.
///
/// # Errors
/// When there is no history, or it cannot be read.
pub fn replay(settings: &Settings, Span(span): Span) -> Result<String, StartError> {
    let path = settings.general.data_dir.join("monitor").join("monitor.db");
    if !path.is_file() {
        return Err(StartError::path(
            "there is no history in",
            &path,
            "no such file; name the monitor's place with --data-dir",
        ));
    }
    let now = Utc::now();
    let since = now - TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX).min(TimeDelta::days(36_500));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let record = Connection::open_with_flags(&path, flags)
        .and_then(|connection| {
            connection.execute_batch("PRAGMA busy_timeout=5000; BEGIN")?;
            record::read(&connection)
        })
        .map_err(|e| StartError::path("cannot read", &path, e))?;
    let rules = rules(&settings.monitor);
    let asked = |incident: &Incident| incident.opened_at >= since;
    let actual: Vec<Incident> = record.incidents.iter().filter(|one| asked(one)).cloned().collect();
    let probes_since = record.probes_since();
    let mut would = run::run(record, rules, now);
    would.retain(asked);

    let Thresholds { failures, successes, .. } = rules.thresholds;
    let monitor = &settings.monitor;
    let mut text = format!(
        "The last {} with these rules: {}, {}, flapping after \
         {} within {}.\n\n",
        Span(span),
        counted(failures, "failure", "failures"),
        counted(successes, "success", "successes"),
        counted(monitor.flap_changes, "change", "changes"),
        monitor.flap_window,
    );
    text.push_str(&format!("Would have been paged: {}\n", summed_up(&would)));
    text.push_str(&format!("Was opened in fact:    {}\n", summed_up(&actual)));
    for (title, incidents) in [("Would have been", &would), ("Was", &actual)] {
        if !incidents.is_empty() {
            text.push_str(&format!("\n{title}:\n"));
            text.push_str(&table(Incident::HEADS, incidents.iter().map(TableRow::cells)));
        }
    }
    if let Some(at) = probes_since.filter(|at| *at > since) {
        text.push_str(&format!(
            "\nEvery probe is known since {}; before that transitions are, as the rules of their time made them.\n",
            at.format("%Y-%m-%dT%H:%M:%SZ")
        ));
    }
    Ok(text)
}

fn summed_up(incidents: &[Incident]) -> String {
    let flapping = incidents.iter().filter(|incident| incident.kind == IncidentKind::Flapping).count();
    let affected: usize = incidents.iter().map(|incident| incident.affected.len()).sum();
    format!(
        "{} ({flapping} flapping), {} part of one",
        counted(incidents.len(), "incident", "incidents"),
        counted(affected, "failure that was", "failures that were")
    )
}

#[cfg(test)]
mod tests;
