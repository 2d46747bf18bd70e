//! What can happen to the console, and what it can want done.

mod effect;
mod request;

pub use effect::{Effect, Export};
pub use request::{Answer, Deed, Request};

use crate::keys::Key;
use crate::model::{
    Around, Filter, IncidentLists, Lines, LogFeed, LogSide, Opened, Seek, SourceName, Study, Tab,
};
use shared::client::{ClientError, Part};
use shared::wire::library::{Book, Loan};
use shared::wire::log::Hits;
use shared::wire::monitor::{Maintenance, ServiceStatus, UptimeReport};
use shared::wire::registry::{GuardStatus, LeaseStatus, Registration};
use std::time::Duration;

/// Something that happened: a key, or a feed's news.
#[derive(Debug, Clone)]
pub enum Action {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something, and what is under it.
    Mouse(Mouse),
    /// The terminal has this size now, in columns and lines.
    Resize(u16, u16),
    /// A second passed while something on the screen shows its age.
    Tick,
    /// The program was asked to end from outside.
    Terminate,
    /// The program was asked from outside to stop like any job of the shell.
    Suspend,
    /// A daemon did not answer; its feed tries again after `retry_in`.
    Away {
        /// Who is away.
        source: SourceName,
        /// Why, in words.
        cause: String,
        /// When the next try is made.
        retry_in: Duration,
    },
    /// A daemon answered, and told nothing that is shown.
    Heard(SourceName),
    /// A daemon showed that it is there: what is shown of it is no older than that,
    /// unless it is away.
    Alive(SourceName),
    /// All registrations at one revision.
    Registry {
        /// The revision.
        revision: u64,
        /// The registrations.
        registrations: Vec<Registration>,
    },
    /// Whether the registry holds expiry back.
    Guard(GuardStatus),
    /// What the monitor holds of the fleet.
    Monitor {
        /// Every service's health.
        health: Vec<ServiceStatus>,
        /// Incidents.
        incidents: IncidentLists,
        /// What is under maintenance.
        maintenances: Vec<Maintenance>,
    },
    /// One service, looked at closely: the answer to [`Effect::Study`]. What the
    /// monitor could not tell is missing.
    Study(Box<Study>),
    /// The answer to [`Effect::Around`].
    Around(Around),
    /// The answer to [`Effect::Uptimes`], where there is one.
    Uptimes(Vec<UptimeReport>),
    /// The answer to [`Effect::Lease`], where there is one.
    Lease(LeaseStatus),
    /// How much was logged over the last hour, by minute and level.
    Volume(Hits),
    /// Books and loans.
    Library {
        /// The books.
        books: Part<Book>,
        /// The loans, newest first.
        loans: Part<Loan>,
    },
    /// The log was opened as [`Effect::Follow`] wanted it, or begins anew.
    LogOpened {
        /// Which of the two feeds.
        feed: LogFeed,
        /// The generation of the filter that its records pass.
        generation: u64,
        /// Where it was opened.
        opened: Opened,
    },
    /// Records arrived; none when the log only showed that it is there.
    LogArrived {
        /// Which of the two feeds.
        feed: LogFeed,
        /// The generation of the filter that they pass.
        generation: u64,
        /// The records.
        lines: Lines,
        /// How many this reader was too slow for, right before them.
        missed: u64,
    },
    /// The answer to [`Effect::Filter`].
    LogFiltered {
        /// The filter that was tried.
        filter: Filter,
        /// Why the log refuses it, if it does.
        outcome: Result<(), Failure>,
    },
    /// The answer to [`Effect::Check`].
    LogChecked {
        /// The query as it was typed.
        query: String,
        /// Why the log would refuse it, if it would.
        outcome: Result<(), Failure>,
    },
    /// The answer to [`Effect::Page`].
    LogPaged {
        /// The generation of the filter that they pass.
        generation: u64,
        /// On which side of what is held.
        side: LogSide,
        /// The record at that end when they were asked for.
        from: u64,
        /// The records, and whether there are more.
        page: Result<(Lines, bool), Failure>,
    },
    /// The answer to [`Effect::Find`].
    LogFound {
        /// The generation of the filter.
        generation: u64,
        /// What was looked for.
        seek: Seek,
        /// The nearest, if there is one.
        found: Result<Option<u64>, Failure>,
    },
    /// The answer to [`Effect::Hits`].
    LogHits {
        /// The number of the question.
        asked: u64,
        /// The counts.
        hits: Result<Hits, Failure>,
    },
    /// What became of [`Effect::Export`]; on success, what to say about it.
    Exported(Result<String, Failure>),
    /// A file that was to be written is there already.
    Exists(Box<Export>),
    /// The answer to [`Effect::Request`].
    Answered(Box<Answer>),
    /// The answer to [`Effect::TakeBack`].
    TakenBack {
        /// What was asked for.
        request: Request,
        /// What to say about it.
        outcome: Result<String, Failure>,
    },
    /// Something failed that nobody waits for.
    Failed(Failure),
    /// The queries that were typed in earlier sessions, the latest first.
    Remembered(Vec<String>),
    /// What `--local` has to say.
    Local(Local),
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// The wheel was turned up.
    WheelUp,
    /// The wheel was turned down.
    WheelDown,
    /// Something was clicked.
    Click(Target),
}

/// Something on the screen that can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The name of a tab.
    Tab(Tab),
    /// A row so many rows below the selected one, or above it.
    Row(isize),
}

/// How the daemons that `--local` starts are doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Local {
    /// `distlogd all` was started.
    Starting,
    /// A registry answered already: nothing was started.
    NotNeeded,
    /// It could not be started.
    Failed(String),
    /// It ended by itself.
    Ended {
        /// How: its exit status, or the signal.
        status: String,
        /// The last that it said.
        said: String,
    },
}

impl Local {
    /// What went wrong, where something did.
    pub fn fault(&self) -> Option<String> {
        match self {
            Self::Starting | Self::NotNeeded => None,
            Self::Failed(cause) => Some(cause.clone()),
            Self::Ended { status, said } => Some(format!("distlogd all has ended ({status}): {said}")),
        }
    }
}

/// Why a request failed, as far as a person needs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong and what to do.
    pub message: String,
    /// The HTTP status, where a daemon refused.
    pub status: Option<u16>,
    /// The field at fault.
    pub field: Option<String>,
    /// The character at fault, counted from 0.
    pub position: Option<usize>,
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let (message, status) = (error.to_string(), error.status());
        match error {
            ClientError::Refused(problem) => {
                Self { message, status, field: problem.field, position: problem.position }
            }
            _ => Self { message, status, field: None, position: None },
        }
    }
}
