//! Reading what is on disk at the start: rows that cannot be read are skipped
//! and reported, and keep no daemon from starting.

use super::failure::is_of_row;
use super::open::advice;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use prometheus_client::metrics::gauge::Gauge;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;
use std::path::Path;

/// The state of a daemon as it is read from its tables.
pub struct Loading<'a> {
    /// The database.
    pub connection: &'a Connection,
    /// Whether rows may be missing, because the file was damaged and rebuilt.
    pub is_rebuilt: bool,
    skipped: BTreeMap<&'static str, u64>,
}

impl<'a> Loading<'a> {
    /// From this database.
    pub fn new(connection: &'a Connection, is_rebuilt: bool) -> Self {
        Self { connection, is_rebuilt, skipped: BTreeMap::new() }
    }

    /// The rows that `sql` gives and `read` can read; the others are counted
    /// under `table`.
    ///
    /// # Errors
    /// When the table itself cannot be read.
    pub fn rows<T>(
        &mut self,
        table: &'static str,
        sql: &str,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = self.connection.prepare(sql)?;
        let mut found = statement.query([])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            match read(row) {
                Ok(row) => rows.push(row),
                Err(error) if is_of_row(&error) => self.skip(table),
                Err(error) => return Err(error),
            }
        }
        Ok(rows)
    }

    /// Counts a row that cannot be used.
    pub fn skip(&mut self, table: &'static str) {
        *self.skipped.entry(table).or_default() += 1;
    }

    /// How many rows of a table were skipped.
    pub fn skipped(&self, table: &str) -> u64 {
        self.skipped.get(table).copied().unwrap_or(0)
    }

    /// Reports what was skipped.
    pub(super) fn tell(&self, path: &Path, health: &Board, metrics: &Metrics) {
        let skipped = Gauge::<i64>::default();
        let count: u64 = self.skipped.values().sum();
        skipped.set(i64::try_from(count).unwrap_or(i64::MAX));
        metrics.register(|registry| {
            registry.register(
                "database_rows_skipped",
                "Rows that could not be read at the start and were skipped",
                skipped,
            );
        });
        if count > 0 {
            let tables: Vec<String> =
                self.skipped.iter().map(|(table, count)| format!("{count} of {table}")).collect();
            let tables = tables.join(", ");
            tracing::error!("{}: rows that cannot be read are skipped: {tables}", path.display());
            let advice = advice(path);
            health.warn(
                "rows",
                format!("rows that cannot be read are skipped ({tables}). To get them back, {advice}"),
            );
        }
    }
}
