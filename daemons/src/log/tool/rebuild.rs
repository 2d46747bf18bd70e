//! `distlogd log rebuild-index`: what the upkeep does, without a log service.

use super::progress::Meter;
use super::{count, own_dir, say};
use crate::log::search::parallel;
use crate::log::store::rebuild::{Indexes, Reason};
use crate::runtime::OwnDir;
use crate::settings::Settings;
use shared::sanitize::sanitize;
use std::error::Error;
use std::process::ExitCode;

/// Which indexes to rebuild.
#[derive(Debug, clap::Args)]
pub struct RebuildIndex {
    /// All of them, those that are whole too
    #[arg(long)]
    all: bool,
}

impl RebuildIndex {
    /// Rebuilds.
    ///
    /// # Errors
    /// When there is no log, or a log service is using it.
    pub fn run(&self, settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
        let dir = own_dir(settings);
        if !dir.exists() {
            return Err(
                format!("there is no log in {}; say where it is with --data-dir", dir.display()).into()
            );
        }
        let indexes = Indexes::new(&settings.log, OwnDir::open(dir)?);
        let names = indexes.segments()?;
        let meter = Meter::new(names.iter().map(|name| indexes.len(name)).sum());
        let done = parallel::map(&names, |name, _| {
            let done = indexes.rebuild(name, self.all);
            meter.add(indexes.len(name), 0);
            done
        });
        drop(meter);
        let (mut rebuilt, mut failed) = (0, 0);
        for (name, done) in names.iter().zip(done) {
            let what = match done {
                Ok(None) => continue,
                Ok(Some(reason)) => {
                    rebuilt += 1;
                    match reason {
                        Reason::Missing => "was missing: rebuilt".to_owned(),
                        Reason::Damaged => "was damaged: rebuilt".to_owned(),
                        Reason::Wanted => "rebuilt".to_owned(),
                    }
                }
                Err(error) => {
                    failed += 1;
                    format!("cannot be rebuilt: {error}")
                }
            };
            let path = indexes.path(name).display().to_string();
            say(&format!("{}: {what}", sanitize(&path)));
        }
        let of = count(names.len() as u64, "sealed segment");
        let not = if failed > 0 { format!(", {failed} cannot be") } else { String::new() };
        say(&format!("{of}: {} rebuilt{not}", count(rebuilt, "index").replace("indexs", "indexes")));
        Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
