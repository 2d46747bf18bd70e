//! The tables of a database, brought to what this version knows.

use rusqlite::{Connection, Transaction};

/// Runs each migration once, in order; its number is kept as `user_version`.
///
/// # Errors
/// When one fails, or the file was written by a later version.
pub fn run(connection: &mut Connection, migrations: &[&str]) -> Result<(), String> {
    let version: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|e| e.to_string())?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > migrations.len() {
        return Err(format!(
            "it was written by a later version of distlogd (schema {version}, known up to {})",
            migrations.len()
        ));
    }
    for (number, migration) in migrations.iter().enumerate().skip(done) {
        let step = |transaction: &Transaction| {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", i64::try_from(number).unwrap_or(i64::MAX) + 1)
        };
        let transaction = connection.transaction().map_err(|e| e.to_string())?;
        step(&transaction).and_then(|()| transaction.commit()).map_err(|e| e.to_string())?;
    }
    Ok(())
}
