//! Records made ready for the writer: their lines in one buffer, made on the
//! cores of whoever sends them.

use super::assumed::Assumed;
use super::line::{NO_SERVICE, escape, escape_service, write_head};
use super::time;
use crate::log::limits::{FIELDS_DEPTH_MAX, FIELDS_MAX, RECORD_MAX, SERVICE_MAX};
use shared::sanitize::is_hazard;
use shared::wire::log::Level;
use std::borrow::Cow;
use std::io::Write as _;

/// Why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RecordError {
    /// The field at fault.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub reason: String,
}

impl RecordError {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// What is said for records that do not say it themselves.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// When they arrived.
    pub ts_ns: i64,
    /// How grave they are.
    pub level: Level,
    /// Who sent them.
    pub service: String,
}

impl Defaults {
    /// Arrived now; `None` stands for info, and for nobody in particular.
    pub fn now(level: Option<Level>, service: Option<String>) -> Self {
        Self {
            // Microseconds tell arrivals apart well enough, and take six digits.
            ts_ns: time::now_ns() / 1_000 * 1_000,
            level: level.unwrap_or(Level::Info),
            service: service.filter(|name| !name.is_empty()).unwrap_or_else(|| NO_SERVICE.to_owned()),
        }
    }
}

/// Lines of whole records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The lines, each with its line feed.
    pub lines: Vec<u8>,
    /// How many.
    pub records: u64,
    /// The earliest and the latest time in them.
    pub span: Option<(i64, i64)>,
    /// What was assumed to read their times.
    pub assumed: Assumed,
}

/// One record to be written.
#[derive(Debug)]
pub struct NewLine<'a> {
    /// When, in nanoseconds since 1970.
    pub ts_ns: i64,
    /// How grave.
    pub level: Level,
    /// Who.
    pub service: &'a str,
    /// What.
    pub message: &'a [u8],
    /// Names and raw JSON values of further fields.
    pub fields: &'a [(Cow<'a, str>, &'a str)],
}

impl Batch {
    /// Adds a record; on an error the batch is as it was.
    ///
    /// # Errors
    /// When something in it is too long, too many or too deep.
    pub fn push(&mut self, record: &NewLine<'_>) -> Result<(), RecordError> {
        let before = self.lines.len();
        let result = self.write(record);
        if result.is_err() {
            self.lines.truncate(before);
            return result;
        }
        self.records += 1;
        let (first, last) = self.span.unwrap_or((record.ts_ns, record.ts_ns));
        self.span = Some((first.min(record.ts_ns), last.max(record.ts_ns)));
        Ok(())
    }

    fn write(&mut self, record: &NewLine<'_>) -> Result<(), RecordError> {
        if record.service.len() > SERVICE_MAX {
            return Err(RecordError::new("service", format!("is longer than {SERVICE_MAX} bytes")));
        }
        if record.message.len() > RECORD_MAX {
            return Err(RecordError::new("message", format!("is longer than {RECORD_MAX} bytes")));
        }
        let out = &mut self.lines;
        write_head(out, record.ts_ns, record.level, &escape_service(record.service));
        escape(out, record.message);
        if !record.fields.is_empty() {
            out.push(b'\t');
            write_fields(out, record.fields)?;
        }
        out.push(b'\n');
        Ok(())
    }
}

fn write_fields(out: &mut Vec<u8>, fields: &[(Cow<'_, str>, &str)]) -> Result<(), RecordError> {
    if fields.len() > FIELDS_MAX {
        return Err(RecordError::new("fields", format!("a record has at most {FIELDS_MAX}")));
    }
    if fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > RECORD_MAX {
        return Err(RecordError::new("fields", format!("are longer than {RECORD_MAX} bytes together")));
    }
    let mut before = b'{';
    for (name, value) in fields {
        out.push(before);
        before = b',';
        let name = serde_json::to_string(name).unwrap_or_default();
        compact(out, &name).and_then(|()| {
            out.push(b':');
            compact(out, value)
        })?;
    }
    out.push(b'}');
    Ok(())
}

/// Copies valid JSON without the white space between its tokens, and with the
/// hazards in its strings as `\uNNNN`: the same value, harmless to show.
fn compact(out: &mut Vec<u8>, json: &str) -> Result<(), RecordError> {
    let (mut in_string, mut escaped, mut depth) = (false, false, 0_usize);
    for c in json.chars() {
        if in_string {
            if is_hazard(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            } else {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            in_string = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            ' ' | '\t' | '\n' | '\r' => continue,
            '"' => in_string = true,
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > FIELDS_DEPTH_MAX {
            return Err(RecordError::new(
                "fields",
                format!("are nested deeper than {FIELDS_DEPTH_MAX} levels"),
            ));
        }
        // Outside its strings JSON is ASCII.
        out.push(c as u8);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn compacted(json: &str) -> Result<String, RecordError> {
        let mut out = Vec::new();
        compact(&mut out, json).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn json_is_compacted_to_the_same_value() {
        let json = "{ \"a b\" : [ 1.0 , 12345678901234567890123 ], \"q\\\"\\\\\" : \" x \\u0000 \" }";
        let text = compacted(json).unwrap();
        assert_eq!(text, "{\"a b\":[1.0,12345678901234567890123],\"q\\\"\\\\\":\" x \\u0000 \"}");
    }

    #[test]
    fn hazards_in_strings_are_escaped_and_mean_the_same() {
        let json = "\"\u{202e}书\u{7f}\u{e0041}\"";
        let text = compacted(json).unwrap();
        assert_eq!(text, "\"\\u202e书\\u007f\\udb40\\udc41\"");
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            serde_json::from_str::<Value>(json).unwrap()
        );
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        assert!(compacted(&"[".repeat(FIELDS_DEPTH_MAX + 1)).is_err());
    }

    #[test]
    fn a_refused_record_leaves_the_batch_as_it_was() {
        let mut batch = Batch::default();
        let record = |service| NewLine { ts_ns: 0, level: Level::Info, service, message: b"m", fields: &[] };
        batch.push(&record("s")).unwrap();
        let before = batch.clone();
        assert_eq!(batch.push(&record(&"x".repeat(300))).unwrap_err().field, "service");
        assert_eq!(batch, before);
    }
}
