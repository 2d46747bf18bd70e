//! Records, printed: harmless on a terminal, exact for a program.

use super::StreamFormat;
use crate::theme::Theme;
use chrono::{SecondsFormat, Timelike as _};
use ratatui::style::{Color, Modifier, Style};
use shared::wire::log::{Level, Record};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Bytes that are gathered before they are written: a burst is one write.
const GATHERED: usize = 64 * 1024;

/// Prints records one after the other.
#[derive(Debug)]
pub(super) struct Printer<W: Write> {
    out: io::BufWriter<W>,
    format: StreamFormat,
    colours: Colours,
    printed: u64,
    is_open: bool,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(out: W, format: StreamFormat, is_coloured: bool) -> Self {
        let out = io::BufWriter::with_capacity(GATHERED, out);
        let colours = if is_coloured { Colours::terminal() } else { Colours::default() };
        Self { out, format, colours, printed: 0, is_open: true }
    }

    /// How many records were printed.
    pub(super) const fn printed(&self) -> u64 {
        self.printed
    }

    /// Prints a record; it is seen after [`Self::flush`].
    pub(super) fn print(&mut self, record: &Record) -> io::Result<()> {
        match self.format {
            StreamFormat::Text => writeln!(self.out, "{}", line(record, &self.colours))?,
            StreamFormat::Ndjson => writeln!(self.out, "{}", json(record)?)?,
            StreamFormat::Json => {
                let before = if self.printed == 0 { "[\n" } else { ",\n" };
                write!(self.out, "{before}{}", json(record)?)?;
            }
        }
        self.printed += 1;
        Ok(())
    }

    /// Shows what was printed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Ends the document, once.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if self.format == StreamFormat::Json && std::mem::take(&mut self.is_open) {
            let end: &[u8] = if self.printed == 0 { b"[]\n" } else { b"\n]\n" };
            self.out.write_all(end)?;
        }
        self.out.flush()
    }
}

/// A record as the log file has it: `time LEVEL service: message`, a tab and
/// its fields. What could harm a terminal is escaped.
fn line(record: &Record, colours: &Colours) -> String {
    let mut line = String::new();
    let Colours { dim, bold, plain, .. } = colours;
    let level = colours.level(record.level);
    let nanos = !record.ts.nanosecond().is_multiple_of(1_000);
    let digits = if nanos { SecondsFormat::Nanos } else { SecondsFormat::Micros };
    let time = record.ts.to_rfc3339_opts(digits, true);
    let (service, message) = (crate::text::clean(&record.service), crate::text::clean(&record.message));
    // Writing to a string does not fail.
    let _ = write!(
        line,
        "{dim}{time}{plain} {level}{:>5}{plain} {bold}{service}:{plain} {message}",
        record.level.as_upper()
    );
    if !record.fields.is_empty() {
        let fields = serde_json::to_string(&record.fields).unwrap_or_default();
        let _ = write!(line, "\t{dim}{}{plain}", crate::text::clean(&fields));
    }
    line
}

/// The escape sequences around the parts of a line; empty where it has no colour.
#[derive(Debug, Default)]
struct Colours {
    dim: String,
    bold: String,
    plain: &'static str,
    /// Those of [`Level::ALL`].
    levels: [String; Level::ALL.len()],
}

impl Colours {
    /// As on the screen, in the terminal's own colours.
    fn terminal() -> Self {
        let theme = Theme::terminal();
        Self {
            dim: sequence(theme.muted),
            bold: sequence(theme.text.add_modifier(Modifier::BOLD)),
            plain: "\x1b[0m",
            levels: Level::ALL.map(|level| sequence(theme.level(level).style)),
        }
    }

    fn level(&self, level: Level) -> &str {
        let of = Level::ALL.iter().zip(&self.levels).find(|(of, _)| **of == level);
        of.map_or("", |(_, sequence)| sequence)
    }
}

/// The escape sequence (SGR) that begins a style of the terminal's own colours.
fn sequence(style: Style) -> String {
    let modifiers = [(Modifier::BOLD, "1"), (Modifier::DIM, "2")];
    let modifiers = modifiers.into_iter().filter(|(modifier, _)| style.add_modifier.contains(*modifier));
    let colour = match style.fg {
        Some(Color::Red) => Some("31"),
        Some(Color::Green) => Some("32"),
        Some(Color::Yellow) => Some("33"),
        _ => None,
    };
    let codes: Vec<&str> = modifiers.map(|(_, code)| code).chain(colour).collect();
    format!("\x1b[{}m", codes.join(";"))
}

/// A record as one line of JSON, harmless on a terminal.
fn json(record: &Record) -> io::Result<String> {
    Ok(crate::text::harmless_json(serde_json::to_string(record).map_err(io::Error::other)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::sanitize::is_hazard;

    fn record(message: &str) -> Record {
        let ts = "2026-11-22T10:00:00.123456Z".parse().unwrap();
        let fields = serde_json::from_str(r#"{"code":28}"#).unwrap();
        let (service, message) = ("Billing".to_owned(), message.to_owned());
        Record { seq: 7, ts, level: Level::Warn, service, message, fields }
    }

    fn printed(format: StreamFormat, messages: &[&str]) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, format, false);
        for message in messages {
            printer.print(&record(message)).unwrap();
        }
        printer.finish().unwrap();
        printer.finish().unwrap();
        drop(printer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_that_of_the_log_file() {
        let want = "2026-11-22T10:00:00.123456Z  WARN Billing: the disk is full\t{\"code\":28}\n";
        assert_eq!(printed(StreamFormat::Text, &["the disk is full"]), want);
    }

    #[test]
    fn colours_surround_what_is_a_line_without_them() {
        let coloured = line(&record("x"), &Colours::terminal());
        let plain: String =
            coloured.split("\x1b[").map(|part| part.split_once('m').map_or(part, |(_, rest)| rest)).collect();
        assert_eq!(plain, line(&record("x"), &Colours::default()));
        assert!(coloured.contains("\x1b[33m WARN\x1b[0m"), "{coloured}");
    }

    #[test]
    fn hostile_text_is_harmless_in_every_format_and_json_reads_back_the_same() {
        let hostile = "\x1b[31mred\u{9b}31m\u{202e}\u{e0001}\nline";
        for format in [StreamFormat::Text, StreamFormat::Ndjson, StreamFormat::Json] {
            let printed = printed(format, &[hostile]);
            assert!(!printed.chars().any(|c| is_hazard(c) && c != '\n' && c != '\t'), "{printed}");
        }
        let read: Record = serde_json::from_str(&printed(StreamFormat::Ndjson, &[hostile])).unwrap();
        assert_eq!(read.message, hostile);
    }

    #[test]
    fn a_json_document_is_whole_whatever_was_found() {
        for messages in [&[][..], &["a"], &["a", "b"]] {
            let read: Vec<Record> = serde_json::from_str(&printed(StreamFormat::Json, messages)).unwrap();
            assert_eq!(read.len(), messages.len());
        }
    }
}
