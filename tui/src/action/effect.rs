//! What is to be done outside.

use crate::model::{Filter, Lines, LogSide, OpenAt, Seek, Span};
use chrono::{DateTime, Utc};
use shared::wire::library::{Lend, NewBook};
use shared::wire::log::NewRecord;
use shared::wire::monitor::Maintenance;
use shared::wire::registry::{Register, Registration};

/// Something to be done outside: the runtime does it, and answers with an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave the program.
    Quit,
    /// Stop like any job of the shell, until it is continued.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Give a text to the terminal's clipboard.
    Copy(String),
    /// Listen to the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Try the daemons that are away again, without waiting for the next try.
    Retry,
    /// Keep a query that was typed for later sessions.
    Remember(String),
    /// A request of a form, with the number that its answer bears.
    Numbered(u64, Box<Effect>),
    /// Do what takes something back.
    TakeBack(Box<Effect>),
    /// Register an instance.
    Register(Box<Register>),
    /// Remove an instance of a service.
    Deregister {
        /// The service.
        service: String,
        /// The instance.
        instance: String,
    },
    /// Register again, as they were, instances that were removed.
    Restore(Vec<Registration>),
    /// Store a record.
    Send(Box<NewRecord>),
    /// Add a book.
    AddBook(NewBook),
    /// Lend a copy.
    Borrow(Lend),
    /// Take a copy back.
    Return(Lend),
    /// Show returned loans too, or only those that are out.
    ShowReturned(bool),
    /// Look at a service closely: its history, its uptime, why it is as it is.
    Study(String),
    /// Fetch the log of a service around the moment at which an incident was opened.
    Around {
        /// The incident.
        incident: u64,
        /// The service.
        service: String,
        /// From when.
        since: DateTime<Utc>,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Fetch how often each service did well.
    Uptimes,
    /// Ask how an instance's lease stands.
    Lease {
        /// The service.
        service: String,
        /// The instance.
        instance: String,
    },
    /// Put a service or an instance under maintenance.
    BeginMaintenance(Box<Maintenance>),
    /// End that.
    EndMaintenance {
        /// The service.
        service: String,
        /// The instance; without one, what was said of the service as a whole.
        instance: Option<String>,
    },
    /// Say who looks after an incident.
    Acknowledge {
        /// The incident.
        incident: u64,
        /// Who.
        by: String,
    },
    /// Ask the log whether it accepts a filter.
    Filter(Filter),
    /// Ask the log whether it would accept a query that is being typed.
    Check(String),
    /// Open the log and follow it.
    Follow {
        /// The generation that what arrives shall bear.
        generation: u64,
        /// The filter.
        filter: Filter,
        /// Where to open it.
        at: OpenAt,
    },
    /// Fetch records beyond an end of those that are held.
    Page {
        /// The generation of the filter.
        generation: u64,
        /// The filter.
        filter: Filter,
        /// On which side.
        side: LogSide,
        /// The record at that end.
        from: u64,
    },
    /// Look for the nearest record that passes a filter, beyond what is held.
    Find {
        /// The generation of the filter.
        generation: u64,
        /// What to look for.
        filter: Filter,
        /// Where to begin.
        from: u64,
        /// In which direction, and for the sake of what.
        seek: Seek,
    },
    /// Count the records that pass a filter over time.
    Hits {
        /// The number of this question.
        asked: u64,
        /// The filter.
        filter: Filter,
        /// What to count.
        span: Span,
    },
    /// Write records to a file.
    Export(Box<Export>),
}

impl Effect {
    /// What it is to do, numbered or not.
    pub const fn inner(&self) -> &Self {
        match self {
            Self::Numbered(_, effect) | Self::TakeBack(effect) => effect,
            effect => effect,
        }
    }
}

/// Records to be written to a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The file. Its ending says how they are written: `.ndjson`, `.jsonl` and
    /// `.json` a JSON object a line, anything else as text.
    pub path: String,
    /// Whether a file of this name gives way.
    pub overwrite: bool,
    /// The records.
    pub lines: Lines,
    /// Whether the log has more of them, that are not held.
    pub more: bool,
}
