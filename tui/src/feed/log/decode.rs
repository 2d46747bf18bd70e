//! Records as the log sends them, read straight into the form in which they are
//! held: nothing is allocated for a record but its place there.

use crate::model::{Line, Lines};
use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::wire::log::Level;
use std::borrow::Cow;

/// The longest line that is waited for: a record has at most a few megabytes,
/// even where every byte of it is escaped.
const LINE_MAX: usize = 32 << 20;

/// A line of a tail, or a record of a page.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    seq: u64,
    #[serde(borrow, default)]
    ts: &'a str,
    #[serde(default = "info")]
    level: Level,
    #[serde(borrow, default)]
    service: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
    #[serde(borrow, default)]
    fields: Option<&'a RawValue>,
    /// So many records were passed over, in place of a record.
    #[serde(default)]
    missed: Option<u64>,
}

const fn info() -> Level {
    Level::Info
}

#[derive(Deserialize)]
struct WirePage<'a> {
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
    #[serde(borrow)]
    next: Option<Cow<'a, str>>,
}

/// What the log sent is not what it should have sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// It is no record.
    #[error("no record: {0}")]
    NoRecord(#[from] serde_json::Error),
    /// It is no text.
    #[error("no record: {0}")]
    NoText(#[from] std::str::Utf8Error),
    /// A record without a time.
    #[error("the time of record {0} cannot be read")]
    NoTime(u64),
    /// A line that does not end.
    #[error("a line of more than {LINE_MAX} bytes")]
    TooLong,
}

impl Wire<'_> {
    fn push_to(&self, lines: &mut Lines) -> Result<(), DecodeError> {
        let ts = DateTime::parse_from_rfc3339(self.ts).map_err(|_| DecodeError::NoTime(self.seq))?;
        lines.push(&Line {
            seq: self.seq,
            ts_ns: ts.timestamp_nanos_opt().ok_or(DecodeError::NoTime(self.seq))?,
            level: self.level,
            service: &self.service,
            message: &self.message,
            fields: self.fields.map(RawValue::get).filter(|fields| *fields != "{}").unwrap_or_default(),
        });
        Ok(())
    }
}

/// Reads a page in either order. Answers its records, and whether there are more
/// in the direction in which it was asked.
///
/// # Errors
/// When it is no page.
pub(super) fn page(json: &[u8], newest_first: bool) -> Result<(Lines, bool), DecodeError> {
    let page: WirePage<'_> = serde_json::from_slice(json)?;
    let mut lines = Lines::default();
    let mut push = |record: &&RawValue| match serde_json::from_str::<Wire<'_>>(record.get()) {
        Ok(wire) => wire.push_to(&mut lines).or_else(forgive),
        Err(error) => forgive(error.into()),
    };
    if newest_first {
        page.records.iter().rev().try_for_each(&mut push)?;
    } else {
        page.records.iter().try_for_each(&mut push)?;
    }
    Ok((lines, page.next.is_some()))
}

/// One record that cannot be read, as that of a later log may not, is left out:
/// it would stand in the way of all others for ever. What is not even JSON comes
/// from somebody else.
fn forgive(error: DecodeError) -> Result<(), DecodeError> {
    match error {
        DecodeError::NoRecord(error) if error.is_data() => Ok(()),
        DecodeError::NoTime(_) => Ok(()),
        error => Err(error),
    }
}

/// What a tail brought since it was asked last.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) lines: Lines,
    /// How many records this reader was too slow for, right before these.
    pub(super) missed: u64,
}

/// Puts the lines of a tail together again, wherever they were cut.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
}

impl Decoder {
    /// Reads a chunk into a batch.
    ///
    /// # Errors
    /// When a line is neither a record nor a count of those missed.
    pub(super) fn read(&mut self, chunk: &[u8], batch: &mut Batch) -> Result<(), DecodeError> {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
            rest = after;
            if self.begun.is_empty() {
                read_line(line, batch)?;
            } else {
                self.begun.extend_from_slice(line);
                read_line(&std::mem::take(&mut self.begun), batch)?;
            }
        }
        if self.begun.len() + rest.len() > LINE_MAX {
            return Err(DecodeError::TooLong);
        }
        self.begun.extend_from_slice(rest);
        Ok(())
    }
}

fn read_line(line: &[u8], batch: &mut Batch) -> Result<(), DecodeError> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(());
    }
    // Once for all of it, rather than for each of its strings.
    let read = serde_json::from_str(std::str::from_utf8(line)?).map_err(DecodeError::from);
    read.and_then(|wire: Wire<'_>| take(&wire, batch)).or_else(forgive)
}

fn take(wire: &Wire<'_>, batch: &mut Batch) -> Result<(), DecodeError> {
    match wire.missed {
        Some(missed) => {
            // What is held is without a gap: it begins anew behind this one.
            batch.missed = batch.missed.saturating_add(missed);
            batch.lines = Lines::default();
        }
        None => wire.push_to(&mut batch.lines)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = concat!(
        "{\"seq\":6,\"ts\":\"2026-11-22T10:00:00Z\",\"level\":\"info\"}\n{\"missed\":12}\n",
        r#"{"seq":7,"ts":"2026-11-22T10:00:00.123456789Z","level":"warn","service":"Müller","message":"a \"b\"\u001b","fields":{"n": 1}}"#,
        "\n\n",
        r#"{"seq":9,"ts":"2026-11-22T10:00:01Z","level":"info","service":"","message":"分布"}"#,
        "\n",
    );

    #[test]
    fn a_tail_is_read_the_same_wherever_it_is_cut() {
        for cut in 0..TAIL.len() {
            let (mut decoder, mut batch) = (Decoder::default(), Batch::default());
            let (head, tail) = TAIL.as_bytes().split_at(cut);
            decoder.read(head, &mut batch).unwrap();
            decoder.read(tail, &mut batch).unwrap();
            assert_eq!((batch.lines.len(), batch.missed), (2, 12), "{cut}");
            let first = batch.lines.first().unwrap();
            assert_eq!((first.seq, first.level, first.service), (7, Level::Warn, "Müller"));
            assert_eq!((first.message, first.fields), ("a \"b\"\x1b", "{\"n\": 1}"));
            assert_eq!(first.ts().to_rfc3339(), "2026-11-22T10:00:00.123456789+00:00");
            assert_eq!(batch.lines.last().map(|line| line.message), Some("分布"));
        }
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        for line in ["x\n", "{\"seq\":\n", "<html>\n"] {
            assert!(Decoder::default().read(line.as_bytes(), &mut Batch::default()).is_err(), "{line}");
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_stands_in_the_way_of_no_other() {
        let bad = ["{\"seq\":1,\"ts\":\"yesterday\",\"level\":\"info\"}", "{\"level\":\"loud\"}"];
        let good = r#"{"seq":2,"ts":"2026-11-22T10:00:00Z","level":"info"}"#;
        for bad in bad {
            let mut batch = Batch::default();
            Decoder::default().read(format!("{bad}\n{good}\n").as_bytes(), &mut batch).unwrap();
            assert_eq!((batch.lines.len(), batch.missed), (1, 0), "{bad}");
            let json = format!(r#"{{"records":[{bad},{good}],"next":null}}"#);
            assert_eq!(page(json.as_bytes(), false).unwrap().0.len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_page_is_held_oldest_first_in_whichever_order_it_came() {
        let record = |seq| {
            format!(
                r#"{{"seq":{seq},"ts":"2026-11-22T10:00:00Z","level":"info","service":"S","message":"m"}}"#
            )
        };
        for (newest_first, records, next, more) in
            [(true, [2, 1].map(record), "\"1\"", true), (false, [1, 2].map(record), "null", false)]
        {
            let json = format!(r#"{{"records":[{}],"next":{next},"partial":false}}"#, records.join(","));
            let (lines, there_is_more) = page(json.as_bytes(), newest_first).unwrap();
            assert_eq!(lines.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(there_is_more, more);
        }
    }
}
