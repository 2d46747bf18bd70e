//! What container runtimes put around the lines of a program: a time, a stream,
//! and whether the line goes on in the next one.
//!
//! * CRI: `2016-10-06T00:17:09.669794202Z stdout P a part of a line`
//! * Docker's json-file: `{"log":"a line\n","stream":"stdout","time":"2016-…Z"}`,
//!   where a part of a line has no line feed.

use crate::log::fields::{members, text};
use crate::log::time;
use std::borrow::Cow;

/// A line of a program, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped<'a> {
    /// When it was written.
    pub ts_ns: i64,
    /// Where to.
    pub stream: Stream,
    /// What was written.
    pub text: Cow<'a, str>,
    /// Whether the line goes on.
    pub is_partial: bool,
}

/// One of the two streams of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    fn of(name: &str) -> Option<Self> {
        match name {
            "stdout" => Some(Self::Out),
            "stderr" => Some(Self::Err),
            _ => None,
        }
    }

    /// Its name as JSON.
    pub const fn json(self) -> &'static str {
        match self {
            Self::Out => "\"stdout\"",
            Self::Err => "\"stderr\"",
        }
    }
}

/// Reads a line of a container runtime; none if it is any other.
pub fn read(line: &str) -> Option<Wrapped<'_>> {
    if line.starts_with('{') { docker(line) } else { cri(line) }
}

fn cri(line: &str) -> Option<Wrapped<'_>> {
    let mut parts = line.splitn(4, ' ');
    let ts = parts.next().filter(|ts| ts.len() > 19)?;
    let stream = Stream::of(parts.next()?)?;
    // More tags may follow the first, after colons.
    let is_partial = match parts.next()?.split(':').next() {
        Some("P") => true,
        Some("F") => false,
        _ => return None,
    };
    let text = Cow::Borrowed(parts.next().unwrap_or_default());
    Some(Wrapped { ts_ns: time::parse_rfc3339(ts)?, stream, text, is_partial })
}

fn docker(line: &str) -> Option<Wrapped<'_>> {
    if !line.contains("\"stream\"") {
        return None;
    }
    let all = members(line, 4)?;
    let get = |name: &str| all.iter().find(|(key, _)| key == name).map(|(_, json)| *json);
    let is_known =
        |(key, _): &(Cow<'_, str>, &str)| matches!(key.as_ref(), "log" | "stream" | "time" | "attrs");
    let (log, stream, ts) = (get("log")?, get("stream")?, get("time")?);
    if !all.iter().all(is_known) || !log.starts_with('"') {
        return None;
    }
    let whole = text(log);
    let is_partial = !whole.ends_with('\n');
    let inner = match whole {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(['\r', '\n'])),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
            Cow::Owned(text)
        }
    };
    Some(Wrapped {
        ts_ns: time::parse_rfc3339(&text(ts))?,
        stream: Stream::of(&text(stream))?,
        text: inner,
        is_partial,
    })
}
