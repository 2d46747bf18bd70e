//! What is to be done outside.

use super::Request;
use crate::model::{Filter, HitsSpan, Lines, LogSide, OpenAt, Seek};
use chrono::{DateTime, Utc};

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
    /// Ask a daemon to change something.
    Request {
        /// The number that the answer bears, where a form waits for it.
        number: Option<u64>,
        /// What to ask.
        request: Request,
    },
    /// Ask for what takes back something that was done.
    TakeBack(Request),
    /// Show returned loans too, or only those that are out.
    ShowReturned(bool),
    /// Fetch as many of the resolved incidents.
    ShowPast(usize),
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
        span: HitsSpan,
    },
    /// Write records to a file.
    Export(Box<Export>),
}

impl From<Request> for Effect {
    /// No form waits for it.
    fn from(request: Request) -> Self {
        Self::Request { number: None, request }
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
