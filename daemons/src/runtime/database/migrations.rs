//! The tables of a database, brought to what this version knows.

use rusqlite::{Connection, Transaction};

/// Why a database was not brought to this version.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A later version wrote it.
    #[error("it was written by a later version of distlogd (schema {found}, known up to {known})")]
    Later {
        /// Its version.
        found: i64,
        /// Ours.
        known: usize,
    },
    /// The database.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Runs each migration once, in order; its number is kept as `user_version`.
///
/// # Errors
/// When one fails, or the file was written by a later version.
pub fn run(connection: &mut Connection, migrations: &[&str]) -> Result<(), MigrationError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    if done > migrations.len() {
        return Err(MigrationError::Later { found, known: migrations.len() });
    }
    for (number, migration) in migrations.iter().enumerate().skip(done) {
        let step = |transaction: &Transaction| {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", i64::try_from(number).unwrap_or(i64::MAX) + 1)
        };
        let transaction = connection.transaction()?;
        step(&transaction)?;
        transaction.commit()?;
    }
    Ok(())
}
