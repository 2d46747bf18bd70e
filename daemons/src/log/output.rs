//! A record as it is answered: a JSON object, or its line.

use super::line::Line;
use super::time;
use shared::sanitize::is_hazard;
use std::io::Write as _;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object.
    Json,
    /// The line as it stands in the file.
    Text,
}

/// Writes a record, with a line feed for a text.
pub fn write(out: &mut Vec<u8>, form: Form, seq: u64, raw: &[u8], line: &Line<'_>) {
    match form {
        Form::Json => write_json(out, seq, line),
        Form::Text => out.extend_from_slice(raw),
    }
}

/// Writes `{"seq":…,"ts":…,"level":…,"service":…,"message":…,"fields":{…}}`.
pub fn write_json(out: &mut Vec<u8>, seq: u64, line: &Line<'_>) {
    // Writing into a Vec does not fail.
    let _ = write!(out, "{{\"seq\":{seq},\"ts\":\"");
    time::write(out, line.ts_ns);
    let _ = write!(out, "\",\"level\":\"{}\",\"service\":", line.level);
    write_string(out, &line.service());
    out.extend_from_slice(b",\"message\":");
    write_string(out, &String::from_utf8_lossy(&line.message()));
    if let Some(fields) =
        line.fields.filter(|fields| serde_json::from_slice::<serde::de::IgnoredAny>(fields).is_ok())
    {
        out.extend_from_slice(b",\"fields\":");
        out.extend_from_slice(fields);
    }
    out.push(b'}');
}

/// Writes a JSON string; hazards in it as `\uNNNN`, so that a terminal may show
/// the JSON as it is.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    let plain = |b: u8| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\';
    out.push(b'"');
    if text.bytes().all(plain) {
        out.extend_from_slice(text.as_bytes());
    } else {
        for c in text.chars() {
            match c {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                c if is_hazard(c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::line::{escape, write_head};
    use proptest::prelude::*;
    use shared::wire::log::{Level, Record};

    proptest! {
        #[test]
        fn a_record_in_json_says_what_was_stored(service in ".{1,20}", message in any::<String>(), ts_ns in any::<i64>()) {
            let mut raw = Vec::new();
            write_head(&mut raw, ts_ns, Level::Warn, &crate::log::line::escape_service(&service));
            escape(&mut raw, message.as_bytes());
            raw.extend_from_slice(b"\t{\"a\":1}");
            let mut json = Vec::new();
            write_json(&mut json, 7, &Line::read(&raw, 0));
            prop_assert!(!std::str::from_utf8(&json).unwrap().chars().any(is_hazard));
            let record: Record = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!((record.seq, record.level, record.service, record.message), (7, Level::Warn, service, message));
            prop_assert_eq!(record.ts.timestamp_nanos_opt(), Some(ts_ns));
            prop_assert_eq!(serde_json::to_string(&record.fields).unwrap(), "{\"a\":1}");
        }
    }
}
