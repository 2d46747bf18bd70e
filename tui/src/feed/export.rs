//! Records written to a file: as JSON, a record a line, or as the log file has
//! them.

use crate::action::Export;
use crate::model::Line;
use chrono::SecondsFormat;
use shared::sanitize::sanitize;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// It is there already, and nobody said that it may give way.
    #[error("{0} is there already")]
    Exists(String),
    /// It could not be written.
    #[error("{path} cannot be written: {cause}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        cause: io::Error,
    },
}

/// Writes a file that only its owner may read, as the log itself. A file that
/// gives way does so when all is written, so that a full disk costs nothing.
///
/// # Errors
/// When it is there already, or cannot be written.
pub(super) fn write(export: &Export) -> Result<(), ExportError> {
    let path = expanded(&export.path);
    let failed = |cause| ExportError::Io { path: export.path.clone(), cause };
    if !export.overwrite && path.symlink_metadata().is_ok() {
        return Err(ExportError::Exists(export.path.clone()));
    }
    let part = if export.overwrite { beside(&path) } else { path.clone() };
    // Neither follows a link that somebody has put there.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    let file = file.map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists if !export.overwrite => ExportError::Exists(export.path.clone()),
        _ => failed(cause),
    })?;
    let written = write_to(file, export)
        .and_then(|()| if export.overwrite { fs::rename(&part, &path) } else { Ok(()) });
    written.map_err(|cause| {
        // What is half written is of no use.
        let _ = fs::remove_file(&part);
        failed(cause)
    })
}

/// Where a file is written before it replaces another one.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

fn write_to(file: File, export: &Export) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    let ending = Path::new(&export.path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let as_json = ["ndjson", "jsonl", "json"].contains(&ending.to_ascii_lowercase().as_str());
    for line in export.lines.iter() {
        if as_json {
            serde_json::to_writer(&mut out, &line.to_record())?;
            out.write_all(b"\n")?;
        } else {
            write_text(&mut out, &line)?;
        }
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// A line as in the log file.
fn write_text(out: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    let ts = line.ts().to_rfc3339_opts(SecondsFormat::Micros, true);
    let (service, message) = (sanitize(line.service), sanitize(line.message));
    write!(out, "{ts} {:>5} {service}: {message}", line.level.as_upper())?;
    if !line.fields.is_empty() {
        write!(out, "\t{}", sanitize(line.fields))?;
    }
    out.write_all(b"\n")
}

/// A path in which `~/` is the home of whoever runs the console.
fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lines;
    use shared::wire::log::Level;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn records_are_written_in_the_form_that_the_name_says_and_replace_no_file_unasked() {
        let dir = tempfile::tempdir().unwrap();
        let lines: Lines = [Line {
            seq: 7,
            ts_ns: 1_000,
            level: Level::Info,
            service: "S",
            message: "red \x1b[31m",
            fields: "{\"a\":1}",
        }]
        .into_iter()
        .collect();
        for (name, want) in [
            ("x.txt", "1970-01-01T00:00:00.000001Z  INFO S: red \\x1b[31m\t{\"a\":1}\n"),
            (
                "x.NDJSON",
                "{\"seq\":7,\"ts\":\"1970-01-01T00:00:00.000001Z\",\"level\":\"info\",\"service\":\"S\",\
                 \"message\":\"red \\u001b[31m\",\"fields\":{\"a\":1}}\n",
            ),
        ] {
            let path = dir.path().join(name);
            let export = |overwrite| Export {
                path: path.to_str().unwrap().to_owned(),
                overwrite,
                lines: lines.clone(),
                more: false,
            };
            write(&export(false)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), want);
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            fs::write(&path, "mine").unwrap();
            assert!(matches!(write(&export(false)), Err(ExportError::Exists(_))));
            assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
            write(&export(true)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), want);
        }
        assert_eq!(dir.path().read_dir().unwrap().count(), 2, "nothing else is left behind");
        let nowhere = Export { path: "/nonexistent/x".to_owned(), overwrite: false, lines, more: false };
        assert!(matches!(write(&nowhere), Err(ExportError::Io { .. })));
    }
}
