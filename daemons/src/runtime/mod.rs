//! What every daemon needs and none is about, written once for all six.
//!
//! A service hands over a [`Service`]: its routes and what it says of itself.
//! The runtime binds its port, puts the gate before its routes, serves them,
//! enrols it at the registry, answers `/health`, `/metrics` and
//! `/openapi.json`, and stops it:
//!
//! 1. `stop` is cancelled: listeners close, streams and long polls end, idle
//!    connections are told to go, requests in flight are finished;
//! 2. instances are deregistered; a registry in the same process stops after that;
//! 3. each service flushes what it holds.
//!
//! The same order ends a process in which a part failed for good ([`fatal`]),
//! and a start in which a later daemon failed.

mod bind;
pub mod body;
pub mod book;
pub mod database;
mod enrol;
pub mod error;
pub mod extract;
pub mod fatal;
mod gate;
pub mod health;
pub mod lanes;
pub mod listing;
pub mod metrics;
pub mod mirror;
mod openapi;
pub mod peer;
pub mod probe;
mod serve;
pub mod slots;
pub mod sse;
mod streams;
pub mod systemd;

use crate::settings::Settings;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
pub use gate::CrossSite;
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};
use shared::client::http;
use shared::daemon::Daemon;
use std::fmt::Display;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;

/// For how long requests in flight may go on after the signal to stop: half of
/// it for a registry, half for the others. With deregistration and flushing
/// after it, the whole stays under ten seconds.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// For how long deregistering may hold up the stop.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// What a service gets from the runtime.
#[derive(Clone)]
pub struct Context {
    /// Which of the six it is.
    pub daemon: Daemon,
    /// All settings.
    pub settings: Arc<Settings>,
    /// The URL under which this daemon is reached.
    pub url: String,
    /// Where the daemons are, in the order of [`Daemon::ALL`].
    peers: Arc<Vec<(Daemon, String)>>,
    /// For calls of other daemons.
    pub client: reqwest::Client,
    /// Cancelled when the daemon is to stop.
    pub stop: CancellationToken,
    /// The threads that write to the readers of streams.
    pub streams: tokio::runtime::Handle,
    /// Work in the background; it ends when `stop` is cancelled.
    tasks: TaskTracker,
    /// What `/metrics` tells.
    pub metrics: Arc<metrics::Metrics>,
    /// What `/health` tells.
    pub health: Arc<health::Board>,
}

impl Context {
    /// Where another daemon is.
    pub fn peer(&self, daemon: Daemon) -> &str {
        self.peers.iter().find(|(peer, _)| *peer == daemon).map_or("", |(_, url)| url)
    }

    /// Runs `work` in the background until it ends or the daemon is to stop.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let _ = stop.run_until_cancelled(work).await;
        });
    }

    /// Runs a loop that the daemon cannot do without until the daemon is to
    /// stop. A panic in it ends the process.
    pub fn spawn_part(&self, part: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let health = Arc::clone(&self.health);
        self.spawn(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                health.fail_for_good(part, "a task ended by a panic");
            }
        });
    }

    /// This daemon's own directory, made and locked.
    ///
    /// # Errors
    /// When it cannot be made or another process uses it.
    pub fn own_dir(&self) -> Result<OwnDir, StartError> {
        OwnDir::open(self.settings.general.data_dir.join(self.daemon.word()))
    }
}

/// What a service hands to the runtime.
pub struct Service {
    /// Its routes.
    pub api: OpenApiRouter,
    /// Routes that may take long before they answer: long polls.
    pub patient: &'static [&'static str],
    /// What pages of other sites may use.
    pub cross_site: CrossSite,
    /// Words to find its registration by.
    pub tags: &'static [&'static str],
    /// The services that it cannot do without.
    pub requires: &'static [Daemon],
    /// Flushes and closes what it holds; run when no request is left.
    pub finish: BoxFuture<'static, ()>,
}

/// Why a daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken, or an address is not of this machine.
    #[error("{0}")]
    Bind(String),
    /// A directory or file cannot be used.
    #[error("{what} {path}: {reason}")]
    Path {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed, and what to do.
        reason: String,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl StartError {
    /// A file or directory that cannot be used.
    pub fn path(what: &'static str, path: &Path, reason: impl Display) -> Self {
        Self::Path { what, path: path.to_owned(), reason: reason.to_string() }
    }
}

/// A daemon's directory, locked while this lives.
#[derive(Debug)]
pub struct OwnDir {
    path: PathBuf,
    lock: std::fs::File,
}

impl OwnDir {
    /// Makes the directory, for its owner alone, and locks it.
    ///
    /// # Errors
    /// When it cannot be made or another process uses it.
    pub fn open(path: PathBuf) -> Result<Self, StartError> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(|e| {
            StartError::path(
                "cannot make the directory",
                &path,
                format!("{e}; give another one with --data-dir"),
            )
        })?;
        let lock_path = path.join("lock");
        let lock = std::fs::File::create(&lock_path).map_err(|e| {
            StartError::path(
                "cannot write to",
                &lock_path,
                format!("{e}; give another place with --data-dir"),
            )
        })?;
        lock.try_lock().map_err(|_| {
            StartError::path(
                "cannot use the directory",
                &path,
                "another distlogd uses it; stop that one, or give another place with --data-dir",
            )
        })?;
        Ok(Self { path, lock })
    }

    /// Whether a process uses the directory at this place.
    pub fn is_used(path: &Path) -> bool {
        let lock = std::fs::File::open(path.join("lock"));
        lock.is_ok_and(|lock| {
            let is_used = matches!(lock.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock));
            // Given back at once: nobody is kept from starting.
            let _ = lock.unlock();
            is_used
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OwnDir {
    /// Unlocks it. To close the file is not enough: a process that another thread
    /// is about to start shares it until then.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// Says something to whoever started the daemon. A closed standard output is no
/// reason to stop.
pub fn announce(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A daemon that runs.
struct Running {
    daemon: Daemon,
    stop: CancellationToken,
    connections: serve::Connections,
    finish: BoxFuture<'static, ()>,
}

/// Checks what the settings alone decide of a start.
///
/// # Errors
/// The error that the start would end with.
pub fn check(settings: &Settings) -> Result<(), StartError> {
    bind::addresses(settings).map(drop)
}

/// Why the daemons stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A signal asked for it.
    Asked,
    /// A part failed for good; a restart may mend it.
    Failed(String),
}

/// Runs the daemons until a signal asks them to stop, or a part fails for good.
/// `start` makes each of them: the runtime knows none.
///
/// # Errors
/// When one of them cannot be started. Those already started are stopped first.
pub async fn run(
    daemons: &[Daemon],
    settings: Settings,
    start: impl AsyncFn(Context) -> Result<Service, StartError>,
) -> Result<Ended, StartError> {
    raise_descriptor_limit();
    // Whatever is made is for its owner alone.
    umask(Mode::from_bits_truncate(0o077));
    let signal =
        systemd::stop_signal().map_err(|e| StartError::Other(format!("cannot listen for signals: {e}")))?;
    let mut fleet = Fleet::bind(daemons, settings)?;
    let fatal = fleet.fatal.clone();
    if let Err(error) = fleet.start(start).await {
        if !fleet.running.is_empty() {
            tracing::error!("{error}; the daemons already started are stopped");
        }
        fleet.stop().await;
        return Err(error);
    }
    systemd::ready(&fleet.tasks, fleet.enrolling.clone());
    tokio::select! {
        () = signal => tracing::info!("stopping"),
        () = fatal.reported() => fatal::bound_stop(),
    }
    fleet.stop().await;
    Ok(fatal.reason().map_or(Ended::Asked, |reason| Ended::Failed(reason.to_owned())))
}

/// The daemons of this process.
struct Fleet {
    settings: Arc<Settings>,
    client: reqwest::Client,
    peers: Arc<Vec<(Daemon, String)>>,
    tasks: TaskTracker,
    streams: streams::Streams,
    enrolling: CancellationToken,
    fatal: fatal::Fatal,
    bound: Vec<(Daemon, bind::Listeners)>,
    running: Vec<Running>,
    enrolled: Vec<enrol::Enrolled>,
}

impl Fleet {
    /// Binds every port before any service starts: a clash is told at once, and
    /// with port 0 the services learn from each other's listeners.
    fn bind(daemons: &[Daemon], settings: Settings) -> Result<Self, StartError> {
        let client = http::build(|builder| builder)
            .map_err(|e| StartError::Other(format!("cannot set up the HTTP client: {e}")))?;
        let mut bound = Vec::new();
        for daemon in daemons {
            bound.push((*daemon, bind::bind(*daemon, &settings)?));
        }
        Ok(Self {
            peers: Arc::new(peers(&settings, &bound)),
            settings: Arc::new(settings),
            client,
            tasks: TaskTracker::new(),
            streams: streams::Streams::start()
                .map_err(|e| StartError::Other(format!("cannot start the threads for streams: {e}")))?,
            enrolling: CancellationToken::new(),
            fatal: fatal::Fatal::default(),
            bound,
            running: Vec::new(),
            enrolled: Vec::new(),
        })
    }

    /// Starts the daemons one after the other.
    async fn start(
        &mut self,
        start: impl AsyncFn(Context) -> Result<Service, StartError>,
    ) -> Result<(), StartError> {
        for (daemon, listeners) in std::mem::take(&mut self.bound) {
            let port = listeners.port;
            let context = self.context(daemon, port);
            let service = match start(context.clone()).await {
                Ok(service) => service,
                Err(error) => {
                    // It may have begun work in the background.
                    context.stop.cancel();
                    return Err(error);
                }
            };
            let enrolment = enrol::Enrolment::new(&context, &service);
            let router = gate::router(&context, service.api, service.patient, service.cross_site);
            let connections = serve::spawn(listeners, router, &context);
            announce(&format!("{} started on :{port}", daemon.title()));
            self.enrolled.push(enrolment.spawn(self.enrolling.clone(), &context));
            self.running.push(Running { daemon, stop: context.stop, connections, finish: service.finish });
        }
        Ok(())
    }

    fn context(&self, daemon: Daemon, port: u16) -> Context {
        Context {
            daemon,
            url: format!("http://{}:{port}", self.settings.general.advertise_host),
            settings: Arc::clone(&self.settings),
            peers: Arc::clone(&self.peers),
            client: self.client.clone(),
            stop: CancellationToken::new(),
            streams: self.streams.handle(),
            tasks: self.tasks.clone(),
            metrics: Arc::default(),
            health: Arc::new(health::Board::with_fatal(daemon, self.fatal.clone())),
        }
    }

    /// Stops what runs, in order.
    async fn stop(self) {
        systemd::stopping();
        self.enrolling.cancel();
        self.tasks.close();
        stop(self.running, self.enrolled).await;
        if tokio::time::timeout(LEAVE_MAX, self.tasks.wait()).await.is_err() {
            tracing::warn!("work in the background did not end and is cut off");
        }
    }
}

/// Every connection and every open segment is a descriptor: as many as the
/// system lets this process have.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!("the limit of descriptors stays as it is: {error}");
    }
}

/// Stops the daemons: the registry last, so that the others can deregister.
async fn stop(running: Vec<Running>, enrolled: Vec<enrol::Enrolled>) {
    let (registry, others): (Vec<_>, Vec<_>) =
        running.into_iter().partition(|running| running.daemon == Daemon::Registry);
    let mut finishes = drain(others).await;
    let leave = futures_util::future::join_all(enrolled.into_iter().map(enrol::Enrolled::leave));
    if tokio::time::timeout(LEAVE_MAX, leave).await.is_err() {
        tracing::info!("the registry did not answer in time; leases end by themselves");
    }
    finishes.extend(drain(registry).await);
    let finish = futures_util::future::join_all(finishes);
    if tokio::time::timeout(LEAVE_MAX, finish).await.is_err() {
        tracing::warn!("the disk did not take everything in time");
    }
}

/// Lets the daemons finish what is in flight; what is left to do with each.
async fn drain(group: Vec<Running>) -> Vec<BoxFuture<'static, ()>> {
    group.iter().for_each(|running| running.stop.cancel());
    let until = tokio::time::Instant::now() + DRAIN_MAX / 2;
    for running in &group {
        if tokio::time::timeout_at(until, running.connections.drained()).await.is_err() {
            tracing::warn!("{}: requests still in flight are cut off", running.daemon.title());
        }
    }
    group.into_iter().map(|running| running.finish).collect()
}

/// Where each daemon is: as configured, else in this process, else on this
/// machine at the configured port.
fn peers(settings: &Settings, bound: &[(Daemon, bind::Listeners)]) -> Vec<(Daemon, String)> {
    Daemon::ALL
        .into_iter()
        .map(|daemon| {
            let port = bound
                .iter()
                .find(|(here, _)| *here == daemon)
                .map_or_else(|| settings.port(daemon), |(_, listeners)| listeners.port);
            let url = settings.url(daemon).map_or_else(|| format!("http://localhost:{port}"), str::to_owned);
            (daemon, url)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::OwnDir;

    #[test]
    fn a_directory_is_one_users_until_that_lets_go_of_it_whoever_else_has_its_lock_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("own");
        let own = OwnDir::open(path.clone()).unwrap();
        let _elsewhere = own.lock.try_clone().unwrap();
        assert!(OwnDir::is_used(&path));
        assert!(OwnDir::open(path.clone()).is_err());
        drop(own);
        assert!(!OwnDir::is_used(&path));
        OwnDir::open(path).unwrap();
    }
}
