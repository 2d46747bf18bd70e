//! Opening a database file, whatever the last run left behind.
//!
//! * **After an unclean end** (there is a write-ahead log) nothing is believed
//!   that is only in the page cache. After a failed fsync the kernel calls the
//!   pages clean that it could not write; SQLite would read them back, append
//!   to them, and a power cut would take what was acknowledged after them. So
//!   both files are synced, dropped from the cache, read again, and the log is
//!   written into the database and truncated.
//! * **On a full disk** SQLite cannot make its `-shm` file. It is opened with
//!   the index of the log in memory (`unix-excl`), which no other process can
//!   read beside this one.
//! * **`PRAGMA quick_check`** reads every page: some 0.1 s for 100 MB in the
//!   page cache. It is left out over [`CHECK_LEN_MAX`] and stopped after
//!   [`CHECK_MAX`].

use super::failure::{is_damage, is_full, is_of_schema};
use super::{migrations, rebuild};
use crate::runtime::StartError;
use crate::runtime::health::Board;
use rusqlite::{Connection, Error, OpenFlags};
use rustix::fs::{Advice, fadvise};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// A larger file is not checked at the start.
const CHECK_LEN_MAX: u64 = 1 << 30;
/// A check that takes longer is given up.
const CHECK_MAX: Duration = Duration::from_secs(5);
/// Faults that are listed.
const FAULTS_MAX: u32 = 5;
/// The health check about damage.
pub const DAMAGE: &str = "damage";

/// What is done with a file that is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// What can be read goes into a new file; the damaged one is set aside. For
    /// data that its owners bring again.
    Rebuild,
    /// It is served as it is, with a warning, or else the start is refused: what
    /// is lost is for the operator to decide.
    Keep,
}

/// A database that was opened.
pub struct Opened {
    /// Can write.
    pub writer: Connection,
    /// Cannot.
    pub reader: Connection,
    /// There was no space for the files of the write-ahead log.
    pub is_full: bool,
    /// The file was damaged, and was rebuilt from what could be read.
    pub is_rebuilt: bool,
}

/// The file of a database, with a suffix.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// What to do about a damaged file.
pub fn advice(path: &Path) -> String {
    let path = path.display();
    format!("stop the daemon, keep a copy, and try: sqlite3 {path} .recover | sqlite3 {path}.recovered")
}

/// Opens or makes the file, and brings its tables to what `migrations` say.
pub fn open(
    path: &Path,
    migrations: &[&str],
    on_damage: OnDamage,
    health: &Board,
) -> Result<Opened, StartError> {
    let cannot = |reason: String| StartError::path("cannot use the database", path, reason);
    rebuild::resume(path).map_err(|e| cannot(e.to_string()))?;
    let unclean = forget_cache(path).map_err(|e| cannot(format!("the disk failed: {e}")))?;
    let is_new = std::fs::metadata(path).map_or(0, |file| file.len()) == 0;
    let damage = match connect(path, migrations, unclean) {
        Ok(opened) => match if is_new { Ok(Vec::new()) } else { quick_check(&opened.writer, path) } {
            Ok(faults) if faults.is_empty() => {
                rebuild::tell_set_aside(path, health);
                return Ok(opened);
            }
            Ok(faults) if on_damage == OnDamage::Keep => {
                let faults = faults.join("; ");
                tracing::error!("{} is damaged: {faults}", path.display());
                health.warn(DAMAGE, format!("the database is damaged ({faults}); {}", advice(path)));
                return Ok(opened);
            }
            Ok(faults) => faults.join("; "),
            Err(error) => error.to_string(),
        },
        Err(OpenError::Sqlite(error)) if is_damage(&error) => error.to_string(),
        Err(OpenError::Sqlite(error)) if is_of_schema(&error) => {
            // The rest is the statement.
            let reason = error.to_string();
            let reason = reason.lines().next().unwrap_or_default();
            return Err(cannot(format!("its tables are damaged ({reason}); {}", advice(path))));
        }
        Err(error) => return Err(cannot(error.to_string())),
    };
    if on_damage == OnDamage::Keep {
        return Err(cannot(format!("it is damaged ({damage}); {}", advice(path))));
    }
    rebuilt(path, migrations, &damage, health)
}

/// Rebuilds a damaged file, and opens it.
pub fn rebuilt(path: &Path, migrations: &[&str], damage: &str, health: &Board) -> Result<Opened, StartError> {
    let cannot = |reason: String| StartError::path("cannot use the database", path, reason);
    let told = rebuild::rebuild(path, migrations, damage).map_err(|e| cannot(e.to_string()))?;
    tracing::error!("{}: {told}", path.display());
    health.warn(DAMAGE, told);
    let opened = connect(path, migrations, false).map_err(|e| cannot(e.to_string()))?;
    Ok(Opened { is_rebuilt: true, ..opened })
}

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Sqlite(#[from] Error),
    #[error("{0}")]
    Migration(String),
}

fn connect(path: &Path, migrations: &[&str], unclean: bool) -> Result<Opened, OpenError> {
    match connect_as(path, migrations, unclean, None) {
        Err(OpenError::Sqlite(error)) if is_full(&error) => {
            tracing::error!("no space left for {}: {error}", path.display());
            let opened = connect_as(path, migrations, unclean, Some("unix-excl"))?;
            Ok(Opened { is_full: true, ..opened })
        }
        opened => opened,
    }
}

fn connect_as(
    path: &Path,
    migrations: &[&str],
    unclean: bool,
    vfs: Option<&str>,
) -> Result<Opened, OpenError> {
    let open = |flags: OpenFlags| match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
        None => Connection::open_with_flags(path, flags),
    };
    let mut writer = open(
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    writer.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
         PRAGMA busy_timeout=5000; PRAGMA cache_size=-2048;",
    )?;
    if unclean {
        let done = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        match done {
            Err(error) if !is_full(&error) => return Err(error.into()),
            _ => {}
        }
    }
    migrations::run(&mut writer, migrations).map_err(|error| match error {
        migrations::MigrationError::Sqlite(error) => OpenError::Sqlite(error),
        later => OpenError::Migration(later.to_string()),
    })?;
    let reader = open(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    reader.execute_batch("PRAGMA busy_timeout=5000; PRAGMA cache_size=-2048;")?;
    // The tables are read here, so that damage to the schema is found here.
    reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(Opened { writer, reader, is_full: false, is_rebuilt: false })
}

/// Drops the files from the page cache after an unclean end, so that what is
/// read next is what is on disk. Whether the end was unclean.
fn forget_cache(path: &Path) -> std::io::Result<bool> {
    let wal = beside(path, "-wal");
    if std::fs::metadata(&wal).map_or(0, |file| file.len()) == 0 {
        return Ok(false);
    }
    for file in [path, &wal] {
        match File::open(file) {
            Ok(file) => {
                // What is dirty would stay in the cache.
                file.sync_all()?;
                fadvise(&file, 0, None, Advice::DontNeed)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// What `PRAGMA quick_check` finds fault with.
fn quick_check(connection: &Connection, path: &Path) -> rusqlite::Result<Vec<String>> {
    let len = std::fs::metadata(path).map_or(0, |file| file.len());
    if len > CHECK_LEN_MAX {
        tracing::info!("{} is too large ({len} bytes) to be checked at the start", path.display());
        return Ok(Vec::new());
    }
    let interrupt = connection.get_interrupt_handle();
    let (checked, check) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if check.recv_timeout(CHECK_MAX) == Err(RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        let faults = list_faults(connection);
        drop(checked);
        match faults {
            Err(Error::SqliteFailure(error, _))
                if error.code == rusqlite::ErrorCode::OperationInterrupted =>
            {
                tracing::info!("the check of {} was given up after {CHECK_MAX:?}", path.display());
                Ok(Vec::new())
            }
            // Too damaged to be checked.
            Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
            faults => faults,
        }
    })
}

fn list_faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({FAULTS_MAX})"))?;
    let faults: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(faults.into_iter().filter(|fault| fault != "ok").collect())
}
