//! The one reader of times, levels and messages: what a line of any program means.
//!
//! [`place`] finds the time in a line, [`moment`] reads it (with [`zone`] and
//! [`cursor`]), [`level`] reads the level, [`json`] an object, [`wrapped`] what a
//! container runtime puts around a line. All of it is pure, and nothing is
//! invented: a time that leaves something open says what was assumed, and a line
//! whose time is not understood says so.

mod cursor;
mod json;
mod level;
mod moment;
mod place;
mod wrapped;
mod zone;

pub use level::number as level_number;
pub use moment::{DateOrder, Moment, Options, epoch, whole as whole_time};
pub use wrapped::{Stream, Wrapped, read as unwrap};
pub use zone::Zone;

use crate::log::assumed::Assumed;
use crate::log::batch::{Batch, NewLine};
use crate::log::fields::{members, repeated};
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
    /// What was assumed to read it.
    pub assumed: Assumed,
    /// Whether there seems to be a time that is not understood.
    pub is_unread: bool,
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
    fn at(self, moment: Option<Moment>) -> Self {
        let assumed = moment.map_or(Assumed::NOTHING, |moment| moment.assumed);
        Self { ts_ns: moment.map(|moment| moment.ns), assumed, ..self }
    }

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

/// Reads lines.
#[derive(Debug)]
pub struct LineReader {
    options: Options,
    scratch: Batch,
}

impl LineReader {
    /// One that decides as the options say.
    pub fn new(options: Options) -> Self {
        Self { options, scratch: Batch::default() }
    }

    /// Makes a record of a line. What is no record, or one that the log service
    /// would not take, is a text; only a text can be longer than a record may be.
    pub fn read<'a>(&mut self, line: &'a str) -> Entry<'a> {
        json::read(line, &self.options)
            .or_else(|| own(line))
            .or_else(|| timed_json(line, &self.options))
            .filter(|entry| self.is_taken(entry))
            .unwrap_or_else(|| text(line, &self.options))
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
        ..Entry::default()
    })
}

/// A JSON object behind a time.
fn timed_json<'a>(line: &'a str, options: &Options) -> Option<Entry<'a>> {
    if !line.ends_with('}') {
        return None;
    }
    let found = place::find(line, options).filter(|found| found.len > 0)?;
    let entry = json::read(line.get(found.len..)?.trim_start(), options)?;
    Some(if entry.ts_ns.is_none() { entry.at(Some(found.moment)) } else { entry })
}

/// Any line. A time that it begins with is cut off; one that is a part of
/// something else is left where it is.
fn text<'a>(line: &'a str, options: &Options) -> Entry<'a> {
    let found = place::find(line, options);
    let after = found.and_then(|found| line.get(found.len..)).map(str::trim_start);
    let message = match found {
        Some(found) if found.len > 0 => after.filter(|after| !after.is_empty()).unwrap_or(line),
        _ => line,
    };
    let by_time = found.and_then(|found| found.level);
    let by_priority = || level::priority(line.as_bytes()).map(|(_, level)| level);
    Entry {
        // What is indented belongs to the line above.
        is_unread: found.is_none() && !line.starts_with([' ', '\t']) && place::seems_timed(line),
        level: by_time.or_else(by_priority).or_else(|| level::find(message)),
        message: Cow::Borrowed(message),
        ..Entry::default().at(found.map(|found| found.moment))
    }
}

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tests;
