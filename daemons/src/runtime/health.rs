//! What `/health` tells: the daemon's parts and how each does.

use super::fatal::Fatal;
use shared::daemon::Daemon;
use shared::wire::health::{Check, Health, Status};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A daemon's checks. A part sets its own when it changes; nothing is computed
/// when somebody asks.
pub struct Board {
    daemon: Daemon,
    started: Instant,
    checks: Mutex<BTreeMap<&'static str, Check>>,
    fatal: Fatal,
}

impl Board {
    /// No part has said anything yet.
    pub fn new(daemon: Daemon) -> Self {
        Self::with_fatal(daemon, Fatal::default())
    }

    /// As [`Board::new`], for a daemon of a process that `fatal` ends.
    pub fn with_fatal(daemon: Daemon, fatal: Fatal) -> Self {
        Self { daemon, started: Instant::now(), checks: Mutex::default(), fatal }
    }

    /// The part does well.
    pub fn pass(&self, part: &'static str) {
        self.set(part, Status::Pass, None);
    }

    /// The part works, but somebody should look.
    pub fn warn(&self, part: &'static str, why: impl Into<String>) {
        self.set(part, Status::Warn, Some(why.into()));
    }

    /// The part does not work.
    pub fn fail(&self, part: &'static str, why: impl Into<String>) {
        self.set(part, Status::Fail, Some(why.into()));
    }

    /// The part does not work until a restart: the process ends (see
    /// [`Fatal`]).
    pub fn fail_for_good(&self, part: &'static str, why: impl Into<String>) {
        let why = why.into();
        self.fatal.report(format!("{}: {part}: {why}", self.daemon.title()));
        self.fail(part, why);
    }

    /// Runs the work of a thread that the daemon cannot do without. A panic in
    /// it ends the process.
    pub fn watch(&self, part: &'static str, work: impl FnOnce()) {
        if std::panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            self.fail_for_good(part, "a thread ended by a panic");
        }
    }

    /// Runs the work of a thread that the daemon can do without for a time. A
    /// panic in it fails the part, and the process goes on.
    pub fn contain(&self, part: &'static str, work: impl FnOnce()) {
        if std::panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("a thread of '{part}' ended by a panic");
            self.fail(part, "a thread ended by a panic; restart the service");
        }
    }

    fn set(&self, part: &'static str, status: Status, output: Option<String>) {
        let check = Check { status, output };
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(part, check);
    }

    /// The whole.
    pub fn report(&self) -> Health {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        Health {
            status: checks.values().map(|check| check.status).max().unwrap_or(Status::Pass),
            service_id: self.daemon.service_name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: self.started.elapsed().as_secs(),
            checks: checks.iter().map(|(part, check)| ((*part).to_owned(), check.clone())).collect(),
        }
    }
}
