//! `distlogd log verify`: looks at every file of the log, and changes none.
//!
//! A log service may be running: files come and go meanwhile. So whatever does
//! not look well is looked at again, and what was new or changed counts as it is
//! then.

mod words;

use super::progress::{Meter, note};
use super::{count, own_dir, say};
use crate::log::search::parallel;
use crate::log::store::check::{Finding, Gravity, Log, Report, Unit, compare};
use crate::settings::Settings;
use shared::sanitize::sanitize;
use std::error::Error;
use std::io;
use std::process::ExitCode;

/// The status when records are lost.
const LOST: u8 = 2;
/// The status when a file could not be looked at.
const UNKNOWN: u8 = 3;
/// So often is looked while a log service changes files.
const LOOKS_MAX: usize = 5;

/// How to tell of what was found.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Only the files that are not well
    #[arg(short, long)]
    quiet: bool,
}

impl Verify {
    /// Looks.
    ///
    /// # Errors
    /// Never: what cannot be looked at has a status of its own.
    pub fn run(&self, settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
        let log = Log::new(&settings.log, own_dir(settings));
        if !log.exists() {
            note(&format!("there is no log in {}; say where it is with --data-dir", log.dir().display()));
            return Ok(ExitCode::from(UNKNOWN));
        }
        match look(&log) {
            Ok((reports, is_running)) => Ok(self.tell(&reports, is_running)),
            Err(error) => {
                note(&format!("cannot read {}: {error}", log.dir().display()));
                Ok(ExitCode::from(UNKNOWN))
            }
        }
    }

    fn tell(&self, reports: &[Report], is_running: bool) -> ExitCode {
        for report in reports {
            if !self.quiet || report.gravity(is_running) > Gravity::None {
                let path = report.path.display().to_string();
                say(&format!("{}: {}", sanitize(&path), sanitize(&words::of(report, is_running))));
            }
        }
        let of = |gravity| reports.iter().filter(|report| report.gravity(is_running) == gravity).count();
        let (repairable, unknown, lost) = (of(Gravity::Repairable), of(Gravity::Unknown), of(Gravity::Lost));
        let mut sum = Vec::new();
        if repairable > 0 {
            sum.push(format!("{repairable} can be repaired"));
        }
        if unknown > 0 {
            sum.push(format!("{unknown} cannot be looked at"));
        }
        if lost > 0 {
            let records = reports.iter().flat_map(|report| &report.findings).map(Finding::lost).sum();
            let known =
                if records > 0 { format!(" ({} at least)", count(records, "record")) } else { String::new() };
            sum.push(format!("{lost} with lost records{known}"));
        }
        let sum = if sum.is_empty() { "all is well".to_owned() } else { sum.join(", ") };
        let running = if is_running { "; a log service is using them" } else { "" };
        say(&format!("{}: {sum}{running}", count(reports.len() as u64, "file")));
        match (lost, unknown, repairable) {
            (0, 0, 0) => ExitCode::SUCCESS,
            (0, 0, _) => ExitCode::FAILURE,
            (0, ..) => ExitCode::from(UNKNOWN),
            _ => ExitCode::from(LOST),
        }
    }
}

/// What was seen of everything, in order, and whether a log service is running.
fn look(log: &Log) -> io::Result<(Vec<Report>, bool)> {
    let mut is_running = log.is_running();
    let mut known: Vec<(Unit, Vec<Report>)> = Vec::new();
    for _ in 0..LOOKS_MAX {
        let units = log.units()?;
        known.retain(|(unit, reports)| units.contains(unit) && is_well(reports));
        let mut new: Vec<Unit> =
            units.iter().filter(|unit| !known.iter().any(|(known, _)| known == *unit)).cloned().collect();
        if new.is_empty() {
            break;
        }
        // Where there is a new segment, the active one is another.
        known.retain(|(unit, _)| *unit != Unit::Head);
        if !new.contains(&Unit::Head) {
            new.push(Unit::Head);
        }
        let meter = Meter::new(new.iter().map(|unit| log.len(unit)).sum());
        let reports =
            parallel::map(&new, |unit, _| log.check(unit, &|bytes, records| meter.add(bytes, records)));
        known.extend(new.into_iter().zip(reports));
        known.sort_by_key(|(unit, _)| units.iter().position(|listed| listed == unit));
        is_running |= log.is_running();
        if !is_running {
            break;
        }
    }
    // What has gone meanwhile became another file, which was not looked at.
    let units = log.units()?;
    let before = known.len();
    known.retain(|(unit, reports)| is_well(reports) || units.contains(unit));
    let is_complete = known.len() == before;
    let mut reports: Vec<Report> = known.into_iter().flat_map(|(_, reports)| reports).collect();
    if is_complete {
        compare(&mut reports);
    }
    Ok((reports, is_running))
}

/// Whether there is no need to look again.
fn is_well(reports: &[Report]) -> bool {
    reports.iter().all(|report| report.gravity(true) == Gravity::None)
}
