//! From a line to a record: JSON, the log's own format, or any text.

use super::{json, when};
use crate::log::batch::{Batch, NewLine};
use crate::log::fields::members;
use crate::log::ingest::repeated;
use crate::log::limits::FIELDS_MAX;
use crate::log::line::Line;
use crate::log::output::write_string;
use crate::log::time;
use shared::wire::log::Level;
use std::borrow::Cow;
use std::io::Write as _;

/// A record as far as its line tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When, in nanoseconds since 1970.
    pub ts_ns: Option<i64>,
    /// How grave.
    pub level: Option<Level>,
    /// Who.
    pub service: Option<Cow<'a, str>>,
    /// What.
    pub message: Cow<'a, str>,
    /// Names and raw JSON values of further fields.
    pub fields: Vec<(Cow<'a, str>, &'a str)>,
    /// Whether bytes of the message that are no UTF-8 became U+FFFD.
    pub is_changed: bool,
}

impl Entry<'_> {
    /// Writes a line of NDJSON that the log service reads as this record.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        if let Some(ts_ns) = self.ts_ns {
            out.extend_from_slice(b"\"ts\":\"");
            time::write(out, ts_ns);
            out.extend_from_slice(b"\",");
        }
        if let Some(level) = self.level {
            // Writing into a Vec does not fail.
            let _ = write!(out, "\"level\":\"{level}\",");
        }
        if let Some(service) = &self.service {
            out.extend_from_slice(b"\"service\":");
            write_string(out, service);
            out.push(b',');
        }
        out.extend_from_slice(b"\"message\":");
        write_string(out, &self.message);
        let mut before = ",\"fields\":{";
        for (name, json) in &self.fields {
            out.extend_from_slice(before.as_bytes());
            before = ",";
            write_string(out, name);
            out.push(b':');
            out.extend_from_slice(json.as_bytes());
        }
        out.extend_from_slice(if self.fields.is_empty() { b"}\n" } else { b"}}\n" });
    }
}

/// Recognises lines.
#[derive(Debug, Default)]
pub struct Recogniser {
    scratch: Batch,
}

impl Recogniser {
    /// Makes a record of a line. What is no record, or one that the log service
    /// would not take, is a text; only a text can be longer than a record may be.
    pub fn read<'a>(&mut self, line: &'a str) -> Entry<'a> {
        json::read(line)
            .or_else(|| own(line))
            .filter(|entry| self.is_taken(entry))
            .unwrap_or_else(|| text(line))
    }

    /// Whether the log service would take it: the same code tells.
    fn is_taken(&mut self, entry: &Entry<'_>) -> bool {
        self.scratch.lines.clear();
        let line = NewLine {
            ts_ns: 0,
            level: Level::Info,
            service: entry.service.as_deref().unwrap_or_default(),
            message: entry.message.as_bytes(),
            fields: &entry.fields,
        };
        self.scratch.push(&line).is_ok()
    }
}

/// A line of the log's own files.
fn own(line: &str) -> Option<Entry<'_>> {
    let read = Line::parse(line.as_bytes())?;
    let fields = match read.fields {
        None => Vec::new(),
        Some(json) => members(std::str::from_utf8(json).ok()?, FIELDS_MAX)?,
    };
    let (message, is_changed) = match read.message() {
        Cow::Borrowed(plain) => (String::from_utf8_lossy(plain), false),
        Cow::Owned(unescaped) => match String::from_utf8(unescaped) {
            Ok(message) => (Cow::Owned(message), false),
            Err(error) => (Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()), true),
        },
    };
    repeated(&fields).is_none().then(|| Entry {
        ts_ns: Some(read.ts_ns),
        level: Some(read.level),
        service: Some(read.service()),
        message,
        fields,
        is_changed,
    })
}

/// Any line.
fn text(line: &str) -> Entry<'_> {
    let (ts_ns, message) = when::leading(line);
    Entry { ts_ns, level: level(message), message: Cow::Borrowed(message), ..Entry::default() }
}

/// The level, where one of the first words can be nothing else: it stands in
/// capitals, in brackets, or after `level=`.
fn level(text: &str) -> Option<Level> {
    text.split_whitespace().take(4).find_map(|word| {
        if let Some(value) = word.strip_prefix("level=") {
            return value.trim_matches('"').parse().ok();
        }
        let bare = word.trim_matches(['[', ']', '(', ')', '<', '>', '|', ':']);
        let is_marked = word.starts_with(['[', '<']) || bare.bytes().all(|b| b.is_ascii_uppercase());
        if is_marked { bare.parse().ok() } else { None }
    })
}

#[cfg(test)]
#[path = "recognise/tests.rs"]
mod tests;
