//! A damaged file is set aside, and what can be read of it goes into a new one.
//!
//! The new file is made as `….rebuilt`. The damaged one gets a second name,
//! `….damaged-<seconds>` (and its write-ahead log `…-wal` beside it), before
//! the new one takes its place, so that a crash at any point loses neither.

use super::migrations;
use super::open::{DAMAGE, beside};
use crate::runtime::health::Board;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Damaged files that are kept; the oldest go first.
const SET_ASIDE_MAX: usize = 3;
const NEW: &str = ".rebuilt";
const ASIDE: &str = ".damaged-";

/// Why a file was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("it is damaged, and cannot be rebuilt now: {0}")]
    Io(#[from] io::Error),
    #[error("it is damaged, and cannot be rebuilt now: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("it is damaged, and cannot be rebuilt now: {0}")]
    Migration(#[from] migrations::MigrationError),
}

/// Rows by whether they could be read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rows {
    kept: u64,
    lost: u64,
}

/// Rebuilds the file; what was done, in words.
pub fn rebuild(path: &Path, migrations: &[&str], damage: &str) -> Result<String, RebuildError> {
    let new = beside(path, NEW);
    for file in [&new, &beside(&new, "-wal"), &beside(&new, "-shm"), &beside(&new, "-journal")] {
        remove(file)?;
    }
    let rows = {
        let mut to = Connection::open(&new)?;
        migrations::run(&mut to, migrations)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let rows = Connection::open_with_flags_and_vfs(path, flags, "unix-excl")
            .and_then(|from| copy_all(&from, &mut to, migrations.len()));
        to.close().map_err(|(_, error)| error)?;
        // Of a file that is no database nothing can be read.
        rows.unwrap_or_default()
    };
    File::open(&new)?.sync_all()?;
    let aside = set_aside(path)?;
    // The new file must not meet the write-ahead log of the old one.
    remove(&beside(path, "-wal"))?;
    remove(&beside(path, "-shm"))?;
    sync_directory(path)?;
    fs::rename(&new, path)?;
    sync_directory(path)?;
    prune(path)?;
    Ok(format!(
        "the database was damaged ({damage}). It was rebuilt with the {} rows that could be read; at least {} \
         were lost. The damaged file is {}: delete it to end this warning",
        rows.kept,
        rows.lost,
        aside.display()
    ))
}

/// Finishes a rebuild that a crash cut off.
pub fn resume(path: &Path) -> io::Result<()> {
    let new = beside(path, NEW);
    if !path.exists() && new.exists() {
        fs::rename(&new, path)?;
        sync_directory(path)?;
    }
    Ok(())
}

/// Warns for as long as a damaged file is beside the database.
pub fn tell_set_aside(path: &Path, health: &Board) {
    if let Some(aside) = listed(path).unwrap_or_default().last() {
        health.warn(
            DAMAGE,
            format!(
                "the database was damaged and rebuilt; the damaged file is {}: delete it to end this warning",
                aside.display()
            ),
        );
    }
}

/// Gives the damaged files a second name.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let free = (now..).map(|at| beside(path, &format!("{ASIDE}{at}"))).find(|aside| !aside.exists());
    let aside = free.ok_or(ErrorKind::AlreadyExists)?;
    fs::hard_link(path, &aside)?;
    match fs::hard_link(beside(path, "-wal"), beside(&aside, "-wal")) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    sync_directory(path)?;
    Ok(aside)
}

/// The damaged files that were set aside, oldest first.
fn listed(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return Ok(Vec::new()) };
    let prefix = format!("{}{ASIDE}", name.to_string_lossy());
    let mut found: Vec<PathBuf> = fs::read_dir(dir)?
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.strip_prefix(&prefix).is_some_and(|at| at.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    Ok(found)
}

fn prune(path: &Path) -> io::Result<()> {
    let found = listed(path)?;
    for old in found.iter().take(found.len().saturating_sub(SET_ASIDE_MAX)) {
        tracing::warn!("{} is deleted: {SET_ASIDE_MAX} damaged files are kept", old.display());
        remove(old)?;
        remove(&beside(old, "-wal"))?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Copies every table as far as it can be read, in the order in which they were
/// made, so that a row comes after the one that it refers to.
fn copy_all(from: &Connection, to: &mut Connection, version: usize) -> rusqlite::Result<Rows> {
    let mut rows = Rows::default();
    let found: i64 = from.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if usize::try_from(found) != Ok(version) {
        return Ok(rows);
    }
    let transaction = to.transaction()?;
    let tables: Vec<String> = transaction
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in tables {
        // Tables of one row that the migrations fill are the damaged file's.
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
        copy(from, &transaction, &table, &mut rows)?;
    }
    transaction.commit()?;
    Ok(rows)
}

/// Copies one table: forwards up to what cannot be read, and then backwards.
fn copy(from: &Connection, to: &Connection, table: &str, rows: &mut Rows) -> rusqlite::Result<()> {
    let columns: Vec<(String, bool)> = to
        .prepare(&format!("SELECT name, pk FROM pragma_table_info('{table}') ORDER BY cid"))?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? > 0)))?
        .collect::<Result<_, _>>()?;
    let names = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let marks = vec!["?"; columns.len()].join(", ");
    let mut put = to.prepare(&format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"))?;
    let key: Vec<String> =
        columns.iter().filter(|(_, is_key)| *is_key).map(|(name, _)| format!("{name} DESC")).collect();
    let mut pass = |order: &str, rows: &mut Rows| -> bool {
        let mut read = |rows: &mut Rows| -> rusqlite::Result<()> {
            let mut statement = from.prepare(&format!("SELECT {names} FROM {table}{order}"))?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let values: rusqlite::Result<Vec<Value>> = (0..columns.len()).map(|n| row.get(n)).collect();
                match values.and_then(|values| put.execute(params_from_iter(values))) {
                    Ok(count) => rows.kept += count as u64,
                    // Not text, or refers to a row that was lost.
                    Err(_) => rows.lost += 1,
                }
            }
            Ok(())
        };
        read(rows).is_ok()
    };
    if !pass("", rows) {
        rows.lost += 1;
        if !key.is_empty() {
            pass(&format!(" ORDER BY {}", key.join(", ")), rows);
        }
    }
    Ok(())
}
