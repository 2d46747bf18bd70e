//! From a request's body to a [`Batch`]: its encoding, its type, its records.
//!
//! All or nothing: one bad record and the whole body is refused, naming it.

mod decode;
mod json;
mod quick;
mod record;

pub use decode::{DecodeError, Encoding, Unpacker};

use super::batch::{Batch, Defaults, NewLine, RecordError};

/// How a body holds its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// The whole body is one record.
    Text,
    /// One record, or an array of records.
    Json,
    /// One record a line.
    NdJson,
}

impl BodyKind {
    /// By media type. No type, and the one that `curl -d` gives without being
    /// asked, are text.
    pub fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "" | "text/plain" | "application/x-www-form-urlencoded" => Some(Self::Text),
            "application/json" => Some(Self::Json),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines" => Some(Self::NdJson),
            _ => None,
        }
    }
}

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Nothing in it.
    #[error("the body is empty: a record was expected")]
    Empty,
    /// Not the JSON that it claims to be.
    #[error("record {record}: not valid JSON: {reason}")]
    Syntax {
        /// Which record, counted from 1.
        record: u64,
        /// What is wrong, and where.
        reason: String,
    },
    /// A record that cannot be kept.
    #[error("record {record}: {error}")]
    Record {
        /// Which record, counted from 1.
        record: u64,
        /// What is wrong with it.
        error: RecordError,
    },
}

/// Reads a decoded body.
///
/// # Errors
/// When there is no record in it, or a bad one.
pub fn read(kind: BodyKind, body: &[u8], defaults: &Defaults) -> Result<Batch, BodyError> {
    let mut batch = Batch::default();
    // Lines are seldom longer than what they are made of, but for one line's head.
    batch.lines.reserve(body.len() + 64);
    match kind {
        BodyKind::Text if body.is_empty() => {}
        BodyKind::Text => {
            let record = NewLine {
                ts_ns: defaults.ts_ns,
                level: defaults.level,
                service: &defaults.service,
                message: body,
                fields: &[],
            };
            batch.push(&record).map_err(|error| BodyError::Record { record: 1, error })?;
        }
        BodyKind::Json => json::read_document(body, defaults, &mut batch)?,
        BodyKind::NdJson => json::read_lines(body, defaults, &mut batch)?,
    }
    if batch.records == 0 { Err(BodyError::Empty) } else { Ok(batch) }
}

#[cfg(test)]
mod tests;
