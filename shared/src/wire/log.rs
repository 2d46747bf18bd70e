//! Log records, and the answers of the log service.

use crate::span::Span;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// How grave a record is, least grave first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The finest detail.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// The normal course of things.
    Info,
    /// Not wrong yet.
    Warn,
    /// Something failed.
    Error,
    /// The program cannot go on.
    Fatal,
}

impl Level {
    /// All of them, least grave first.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// Its name in JSON and in queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Its name in the log file, in capitals.
    pub const fn as_upper(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a level is one of trace, debug, info, warn, error, fatal")]
pub struct LevelError;

impl FromStr for Level {
    type Err = LevelError;

    /// Reads a level in any case, and the spellings of syslog, java.util.logging,
    /// Python and Go.
    fn from_str(text: &str) -> Result<Self, LevelError> {
        const SPELLINGS: [(&str, Level); 24] = [
            ("info", Level::Info),
            ("debug", Level::Debug),
            ("warn", Level::Warn),
            ("error", Level::Error),
            ("trace", Level::Trace),
            ("fatal", Level::Fatal),
            ("warning", Level::Warn),
            ("err", Level::Error),
            ("critical", Level::Fatal),
            ("crit", Level::Fatal),
            ("emerg", Level::Fatal),
            ("emergency", Level::Fatal),
            ("alert", Level::Fatal),
            ("panic", Level::Fatal),
            ("dpanic", Level::Fatal),
            ("severe", Level::Error),
            ("failure", Level::Error),
            ("notice", Level::Info),
            ("information", Level::Info),
            ("informational", Level::Info),
            ("verbose", Level::Trace),
            ("finest", Level::Trace),
            ("finer", Level::Trace),
            ("fine", Level::Debug),
        ];
        SPELLINGS
            .iter()
            .find(|(spelling, _)| text.eq_ignore_ascii_case(spelling))
            .map(|(_, level)| *level)
            .ok_or(LevelError)
    }
}

/// A record as the log answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// Its place in the log: larger is later.
    pub seq: u64,
    /// When it happened, to the nanosecond.
    pub ts: DateTime<Utc>,
    /// How grave it is.
    pub level: Level,
    /// Who wrote it.
    pub service: String,
    /// What happened. Bytes that are not UTF-8 are shown as U+FFFD here and
    /// exactly with `format=text`.
    pub message: String,
    /// Whatever else was given, with its JSON types.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
}

/// A record on its way in: only the message is required.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewRecord {
    /// When it happened; its arrival when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ts: Option<DateTime<Utc>>,
    /// How grave it is; info when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Who writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What happened.
    pub message: String,
    /// Whatever else is to be kept, with its JSON types.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// The acknowledgement: all of these records are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// How many records were stored.
    pub accepted: u64,
    /// The sequence of the first of them.
    pub first: u64,
    /// The sequence of the last of them.
    pub last: u64,
}

/// The answer to records that were stored: [`Accepted`], and what the sender
/// should know of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appended {
    /// How many records were stored.
    pub accepted: u64,
    /// The sequence of the first of them.
    pub first: u64,
    /// The sequence of the last of them.
    pub last: u64,
    /// How many of them are older than the log keeps them, so that they are
    /// deleted soon.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub expires: u64,
    /// What was assumed to read their times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One page of a search with `format=json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page {
    /// The records, in the order asked for.
    pub records: Vec<Record>,
    /// What to give as `before` (or `after`, ascending) for the next
    /// page; null when there is none.
    pub next: Option<String>,
    /// Whether something could not be searched, so that records may be missing.
    pub partial: bool,
}

/// A set of labels and what was counted under it.
pub type Labels = Map<String, Value>;

/// Counts over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hits {
    /// The width of a point in seconds.
    pub step_seconds: u64,
    /// All records counted.
    pub total: u64,
    /// One series for each set of labels.
    pub series: Vec<Series>,
    /// Whether something could not be searched.
    #[serde(default)]
    pub partial: bool,
}

/// The counts under one set of labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// The labels.
    #[schema(value_type = Object)]
    pub by: Labels,
    /// The start of each step that has records, and how many.
    pub points: Vec<(DateTime<Utc>, u64)>,
}

/// Counts by label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// All records counted, in the groups that are left out too.
    pub total: u64,
    /// The groups, largest first.
    pub groups: Vec<Group>,
    /// Whether something could not be searched.
    #[serde(default)]
    pub partial: bool,
}

/// One group of a [`Stats`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// The labels.
    #[schema(value_type = Object)]
    pub by: Labels,
    /// How many records bear them.
    pub count: u64,
}

/// The event of a tail that says that records were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lagged {
    /// How many records this reader was too slow for.
    pub missed: u64,
}

/// What the log keeps, and what it would delete if it looked now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Retention {
    /// What is kept for how long.
    pub policy: RetentionPolicy,
    /// Bytes of the whole log, live and sealed, with its indexes.
    pub total_bytes: u64,
    /// Bytes of the live log, which is never deleted.
    pub active_bytes: u64,
    /// How many sealed files there are.
    pub files: u64,
    /// The files that would go, in that order.
    pub would_delete: Vec<Deletable>,
    /// What each class has, that of everything else first.
    pub classes: Vec<Holding>,
}

/// What is kept for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetentionPolicy {
    /// For how long records of no class are kept; null: for ever.
    #[schema(value_type = Option<String>)]
    pub keep_age: Option<Span>,
    /// Bytes that the whole log may take; null: any number.
    pub keep_bytes: Option<u64>,
    /// The classes; a record is of the first that has it.
    pub classes: Vec<RetentionClass>,
}

/// Records that are kept for a time of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetentionClass {
    /// Its name.
    pub name: String,
    /// For how long; null: for ever.
    #[schema(value_type = Option<String>)]
    pub keep: Option<Span>,
    /// A pattern of services, in which `*` stands for any text.
    pub services: String,
    /// The levels.
    pub levels: Vec<Level>,
}

/// A file that would be deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Deletable {
    /// Its name.
    pub file: String,
    /// The class of its records.
    pub class: Option<String>,
    /// Its bytes, with those of its index.
    pub bytes: u64,
    /// How many records go with it.
    pub records: u64,
    /// The time of its newest record.
    pub newest: DateTime<Utc>,
    /// Which rule asks for it.
    pub reason: DeletionReason,
}

/// Why a file is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeletionReason {
    /// It is older than it is to be kept.
    Age,
    /// There is no room for it.
    Bytes,
}

/// What the log has of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Holding {
    /// The class; null: everything else.
    pub class: Option<String>,
    /// How many sealed files.
    pub files: u64,
    /// Their bytes, with those of their indexes.
    pub bytes: u64,
    /// The time of the oldest record in them.
    pub oldest: Option<DateTime<Utc>>,
    /// The time of the newest record in them.
    pub newest: Option<DateTime<Utc>>,
}
