//! The feeds: what the daemons say, turned into actions for as long as the
//! program runs. One file a feed; each reconnects by itself and tells when its
//! daemon is away.

mod call;
mod export;
mod library;
mod log;
mod monitor;
mod poll;
mod pulse;
mod recent;
mod registry;
mod request;
mod volume;

pub(crate) use monitor::OPEN_MAX;
pub(crate) use recent::path as recent_path;

use crate::action::{Action, Effect, Request};
use crate::cli::Endpoints;
use crate::model::{Filter, Levels, LogFeed, OpenAt, PAST_FIRST, SourceName, Tab};
use poll::Poll;
use shared::client::http;
use shared::client::{LibraryClient, LogClient, MonitorClient, RegistryClient};
use shared::wire::log::Level;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

/// How many actions may wait for the update; a feed that brings more waits.
pub(crate) const ACTIONS_MAX: usize = 64;

/// The pause between two polls of the registry.
const REGISTRY_EVERY: Duration = Duration::from_secs(1);
/// The pause between two polls of the monitor.
const MONITOR_EVERY: Duration = Duration::from_secs(2);
/// The pause between two polls of the library.
const LIBRARY_EVERY: Duration = Duration::from_secs(2);

/// How long a request waits for the next of its kind: of those that a held key
/// makes, the last one is sent.
const SETTLING: Duration = Duration::from_millis(60);

/// A client for each daemon that the console talks to.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) registry: RegistryClient,
    pub(crate) monitor: MonitorClient,
    pub(crate) log: LogClient,
    pub(crate) library: LibraryClient,
}

impl Clients {
    /// # Errors
    /// When the TLS library cannot be set up.
    pub(crate) fn new(endpoints: &Endpoints) -> std::io::Result<Self> {
        let client = http::build(|builder| builder).map_err(std::io::Error::other)?;
        Ok(Self {
            registry: RegistryClient::new(endpoints.registry.as_str(), client.clone()),
            monitor: MonitorClient::new(endpoints.monitor.as_str(), client.clone()),
            log: LogClient::new(endpoints.log.as_str(), client.clone()),
            library: LibraryClient::new(endpoints.library.as_str(), client),
        })
    }
}

/// Which records a log feed follows.
#[derive(Debug, Clone)]
struct Followed {
    generation: u64,
    filter: Filter,
    /// Where the log is opened.
    at: OpenAt,
}

impl Followed {
    /// From the newest record on.
    fn newest(levels: Levels) -> Self {
        Self { generation: 0, filter: Filter { levels, ..Filter::default() }, at: OpenAt::Newest }
    }
}

/// The running feeds, and what steers them.
#[derive(Debug)]
pub(crate) struct Feeds {
    clients: Clients,
    actions: mpsc::Sender<Action>,
    tasks: JoinSet<()>,
    registry: Arc<Notify>,
    monitor: Arc<Notify>,
    library: Arc<Notify>,
    log: Arc<Notify>,
    returned: Arc<AtomicBool>,
    /// How many resolved incidents are fetched.
    past: Arc<AtomicUsize>,
    /// What only one tab shows is asked for while that one is shown.
    shown: watch::Sender<Tab>,
    lines: watch::Sender<Followed>,
    /// Takes queries that are to be kept, where they are.
    typed: Option<mpsc::Sender<String>>,
    /// The last request of each kind of which only the last is wanted.
    latest: HashMap<Latest, AbortHandle>,
}

/// Requests whose answer nobody wants once the next of its kind was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Latest {
    Study,
    Around,
    Hits,
    Check,
}

impl Latest {
    const fn of(effect: &Effect) -> Option<Self> {
        match effect {
            Effect::Study(_) => Some(Self::Study),
            Effect::Around { .. } => Some(Self::Around),
            Effect::Hits { .. } => Some(Self::Hits),
            Effect::Check(_) => Some(Self::Check),
            _ => None,
        }
    }
}

impl Feeds {
    /// Starts every feed. Queries are kept in the file that is named, if one is.
    pub(crate) fn start(clients: Clients, kept: Option<PathBuf>, actions: mpsc::Sender<Action>) -> Self {
        let (_, errors) = watch::channel(Followed::newest(Levels::from(Level::Error)));
        let (lines, wanted) = watch::channel(Followed::newest(Levels::default()));
        let mut feeds = Self {
            clients,
            actions,
            tasks: JoinSet::new(),
            registry: Arc::default(),
            monitor: Arc::default(),
            library: Arc::default(),
            log: Arc::default(),
            returned: Arc::default(),
            past: Arc::new(AtomicUsize::new(PAST_FIRST)),
            shown: watch::Sender::default(),
            lines,
            typed: None,
            latest: HashMap::new(),
        };
        let (clients, actions) = (&feeds.clients, &feeds.actions);
        let poll = |source, every, now: &Arc<Notify>| Poll::new(source, every, now.clone(), actions.clone());
        let registry = poll(SourceName::Registry, REGISTRY_EVERY, &feeds.registry);
        let monitor = poll(SourceName::Monitor, MONITOR_EVERY, &feeds.monitor);
        let library = poll(SourceName::Library, LIBRARY_EVERY, &feeds.library);
        let shown = || feeds.shown.subscribe();
        let library = library::run(clients.library.clone(), feeds.returned.clone(), shown(), library);
        let volume = volume::run(clients.log.clone(), shown(), actions.clone());
        let tasks = &mut feeds.tasks;
        tasks.spawn(registry::run(clients.registry.clone(), registry, actions.clone()));
        tasks.spawn(monitor::run(clients.monitor.clone(), feeds.past.clone(), monitor));
        tasks.spawn(pulse::run(clients.log.clone(), actions.clone()));
        tasks.spawn(library);
        tasks.spawn(log::run(
            clients.log.clone(),
            LogFeed::Lines,
            wanted,
            feeds.log.clone(),
            actions.clone(),
        ));
        tasks.spawn(log::run(
            clients.log.clone(),
            LogFeed::Errors,
            errors,
            feeds.log.clone(),
            actions.clone(),
        ));
        tasks.spawn(volume);
        feeds.typed = kept.map(|path| {
            let (sender, typed) = mpsc::channel(ACTIONS_MAX);
            tasks.spawn(recent::run(path, typed, actions.clone()));
            sender
        });
        feeds
    }

    /// Asks for what a tab shows, at once where it was not shown before.
    pub(crate) fn show(&self, tab: Tab) {
        let is_other = self.shown.send_if_modified(|shown| std::mem::replace(shown, tab) != tab);
        if is_other && tab == Tab::Library {
            self.library.notify_one();
        }
    }

    /// Does what an effect wants of the daemons; the answer comes as an action.
    pub(crate) fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Follow { generation, filter, at } => {
                self.lines.send_replace(Followed { generation, filter, at });
            }
            Effect::ShowReturned(returned) => {
                self.returned.store(returned, Ordering::Relaxed);
                self.library.notify_one();
            }
            Effect::ShowPast(past) => {
                self.past.store(past, Ordering::Relaxed);
                self.monitor.notify_one();
            }
            Effect::Remember(query) => {
                // Where so many wait, the disk hangs: nobody misses one of them.
                let _ = self.typed.as_ref().map(|typed| typed.try_send(query));
            }
            Effect::Retry => {
                [&self.registry, &self.monitor, &self.library].into_iter().for_each(|poll| poll.notify_one());
                // Both of its feeds; one that is not waiting is trying.
                self.log.notify_waiters();
            }
            effect => {
                let poke = self.poked_by(&effect);
                let (clients, actions) = (self.clients.clone(), self.actions.clone());
                let latest = Latest::of(&effect);
                let task = self.tasks.spawn(async move {
                    if latest.is_some() {
                        tokio::time::sleep(SETTLING).await;
                    }
                    let Some(action) = call::call(&clients, effect).await else { return };
                    if let Some(poke) = poke {
                        poke.notify_one();
                    }
                    // The receiver is gone only when the program ends.
                    let _ = actions.send(action).await;
                });
                if let Some(before) = latest.and_then(|latest| self.latest.insert(latest, task)) {
                    before.abort();
                }
            }
        }
    }

    /// The poll that shows what an effect changes.
    fn poked_by(&self, effect: &Effect) -> Option<Arc<Notify>> {
        let (Effect::Request { request, .. } | Effect::TakeBack(request)) = effect else { return None };
        match request {
            Request::Register(_) | Request::Deregister { .. } | Request::Restore(_) => Some(&self.registry),
            Request::BeginMaintenance(_)
            | Request::EndMaintenance { .. }
            | Request::Acknowledge { .. }
            | Request::Forget(_) => Some(&self.monitor),
            Request::AddBook(_) | Request::Borrow(_) | Request::Return(_) => Some(&self.library),
            Request::Send(_) => None,
        }
        .cloned()
    }

    /// Waits for a task to end, as requests do. That one has panicked, the terminal
    /// tells.
    pub(crate) async fn ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending().await
        }
    }
}
