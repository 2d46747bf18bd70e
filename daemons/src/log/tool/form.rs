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
    /// seq,ts,level,service,message,fields: the fields as JSON. A text that a spreadsheet would
    /// take for a formula gets an apostrophe before it, but for --raw
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
        raw: bool,
    ) -> Result<(), serde_json::Error> {
        match self {
            Self::Ndjson => out.extend_from_slice(record.get().as_bytes()),
            Self::Text => write_text(out, &serde_json::from_str(record.get())?),
            Self::Csv => {
                let row = csv(&serde_json::from_str(record.get())?, raw);
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

/// Whether a spreadsheet would run a cell as a formula. A number is none.
fn is_formula(text: &str) -> bool {
    let is_number =
        || text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) && text.parse::<f64>().is_ok();
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
        && !is_number()
}

/// RFC 4180, but lines end as Linux ends them.
fn csv(row: &Row<'_>, raw: bool) -> String {
    let quoted = |text: &str| {
        let mark = if !raw && is_formula(text) { "'" } else { "" };
        match text.contains([',', '"', '\n', '\r']) {
            true => format!("\"{mark}{}\"", text.replace('"', "\"\"")),
            false => format!("{mark}{text}"),
        }
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
        form.write(&mut out, &record, to_terminal, false).unwrap();
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
    fn a_cell_that_would_be_a_formula_is_escaped_and_a_number_is_not() {
        let cells = |service: &str, message: &str, raw| {
            let service = serde_json::to_string(service).unwrap();
            let message = serde_json::to_string(message).unwrap();
            let json = format!(
                r#"{{"seq":7,"ts":"2026-11-22T10:00:00.000000Z","level":"warn","service":{service},"message":{message}}}"#
            );
            let row = csv(&serde_json::from_str(&json).unwrap(), raw);
            row.strip_prefix("7,2026-11-22T10:00:00.000000Z,warn,").unwrap().to_owned()
        };
        for (text, want) in [
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("=A(1,2)", "\"'=A(1,2)\""),
            ("+1+cmd", "'+1+cmd"),
            ("-2+3", "'-2+3"),
            ("@SUM", "'@SUM"),
            ("\tx", "'\tx"),
            ("\r=1", "\"'\r=1\""),
            ("＝1", "'＝1"),
            ("-5", "-5"),
            ("+1.5e3", "+1.5e3"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(cells(text, text, false), format!("{want},{want},"), "{text}");
            assert_eq!(cells(text, text, true), format!("{0},{0},", want.replacen('\'', "", 1)), "{text}");
        }
    }

    #[test]
    fn a_text_is_the_line_of_the_file() {
        let want =
            "2026-11-22T10:00:00.000000Z  WARN a, b: say \"no\"\\nor \\x1b[31m\t{\"n\":1.50,\"s\":\"x\"}\n";
        assert_eq!(written(Form::Text, RECORD, false), want);
        assert_eq!(written(Form::Ndjson, RECORD, true), format!("{RECORD}\n"));
    }
}
