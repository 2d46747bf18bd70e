//! The forms in which records are exported.

use crate::log::line::{escape, escape_service, write_head};
use crate::log::time;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::sanitize::sanitize_lines;
use shared::wire::log::Level;
use std::borrow::Cow;

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// A JSON object a line, as GET /log answers
    Ndjson,
    /// Lines as in the log file
    Text,
    /// seq,ts,level,service,message,fields: the fields as JSON
    Csv,
}

/// A record as the log service answers it, its fields as the text they are.
#[derive(Debug, Deserialize)]
struct Row<'a> {
    seq: u64,
    #[serde(borrow)]
    ts: Cow<'a, str>,
    level: Level,
    #[serde(borrow)]
    service: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    fields: Option<&'a RawValue>,
}

impl Form {
    /// What stands before the first record.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Ndjson | Self::Text => "",
            Self::Csv => "seq,ts,level,service,message,fields\n",
        }
    }

    /// Writes a record. A terminal gets nothing that could harm it: the other
    /// forms are harmless by themselves.
    ///
    /// # Errors
    /// When it is no record.
    pub fn write(
        self,
        out: &mut Vec<u8>,
        record: &RawValue,
        to_terminal: bool,
    ) -> Result<(), serde_json::Error> {
        match self {
            Self::Ndjson => out.extend_from_slice(record.get().as_bytes()),
            Self::Text => write_text(out, &serde_json::from_str(record.get())?),
            Self::Csv => {
                let row = csv(&serde_json::from_str(record.get())?);
                let shown = if to_terminal { sanitize_lines(&row) } else { Cow::Borrowed(row.as_str()) };
                out.extend_from_slice(shown.as_bytes());
            }
        }
        out.push(b'\n');
        Ok(())
    }
}

fn write_text(out: &mut Vec<u8>, row: &Row<'_>) {
    let ts_ns = time::parse_rfc3339(&row.ts).unwrap_or_default();
    write_head(out, ts_ns, row.level, &escape_service(&row.service));
    escape(out, row.message.as_bytes());
    if let Some(fields) = row.fields {
        out.push(b'\t');
        out.extend_from_slice(fields.get().as_bytes());
    }
}

/// RFC 4180, but lines end as Linux ends them.
fn csv(row: &Row<'_>) -> String {
    let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let fields = row.fields.map_or("", RawValue::get);
    let Row { seq, ts, level, .. } = row;
    format!("{seq},{ts},{level},{},{},{}", quoted(&row.service), quoted(&row.message), quoted(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: Form, json: &str, to_terminal: bool) -> String {
        let record = RawValue::from_string(json.to_owned()).unwrap();
        let mut out = Vec::new();
        form.write(&mut out, &record, to_terminal).unwrap();
        String::from_utf8(out).unwrap()
    }

    const RECORD: &str = r#"{"seq":7,"ts":"2026-11-22T10:00:00.000000Z","level":"warn","service":"a, b","message":"say \"no\"\nor \u001b[31m","fields":{"n":1.50,"s":"x"}}"#;

    #[test]
    fn csv_quotes_what_needs_it_and_doubles_quotes() {
        let want = "7,2026-11-22T10:00:00.000000Z,warn,\"a, b\",\"say \"\"no\"\"\nor \x1b[31m\",\"{\"\"n\"\":1.50,\"\"s\"\":\"\"x\"\"}\"\n";
        assert_eq!(written(Form::Csv, RECORD, false), want);
        assert_eq!(written(Form::Csv, RECORD, true), want.replace('\x1b', "\\x1b"));
    }

    #[test]
    fn a_text_is_the_line_of_the_file() {
        let want =
            "2026-11-22T10:00:00.000000Z  WARN a, b: say \"no\"\\nor \\x1b[31m\t{\"n\":1.50,\"s\":\"x\"}\n";
        assert_eq!(written(Form::Text, RECORD, false), want);
        assert_eq!(written(Form::Ndjson, RECORD, true), format!("{RECORD}\n"));
    }
}
