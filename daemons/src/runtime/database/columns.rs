//! What the columns of a table hold, beside what SQLite has types for.
//!
//! A value of a type of ours is JSON, or, where it is one of a few, its name. A
//! time is in milliseconds since 1970.

use super::failure::is_of_row;
use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Error, Row, RowIndex};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A value that is written as JSON.
pub fn json<T: DeserializeOwned>(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(row, column, error))
}

/// A value that is written as its name.
pub fn word<T: DeserializeOwned>(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<T> {
    serde_json::from_value(Value::String(row.get(column)?)).map_err(|error| unreadable(row, column, error))
}

/// A time.
pub fn time(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<DateTime<Utc>> {
    Ok(DateTime::from_timestamp_millis(row.get(column)?).unwrap_or_default())
}

/// The rows that can be read; the others are skipped, and the diagnostics say so.
///
/// # Errors
/// When the table itself cannot be read.
pub fn readable<T, C: FromIterator<T>>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
) -> rusqlite::Result<C> {
    rows.filter_map(|row| match row {
        Err(error) if is_of_row(&error) => {
            tracing::error!("a row cannot be read and is left out: {error}");
            None
        }
        row => Some(row),
    })
    .collect()
}

fn unreadable(row: &Row<'_>, column: impl RowIndex, error: serde_json::Error) -> Error {
    match column.idx(row.as_ref()) {
        Ok(column) => Error::FromSqlConversionFailure(column, Type::Text, error.into()),
        Err(error) => error,
    }
}

/// A value as [`json`] reads it.
pub fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(error.into()))
}

/// A number as SQLite keeps it: what is too large for it is its largest.
pub fn signed(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// A number as it was kept.
pub fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use shared::wire::monitor::Status;

    #[test]
    fn what_cannot_be_read_is_an_error_that_names_the_column() {
        let connection = Connection::open_in_memory().unwrap();
        let read = |sql: &str| {
            connection.query_row(sql, [], |row| Ok((word::<Status>(row, "name")?, json::<Vec<u8>>(row, 1)?)))
        };
        assert_eq!(read("SELECT 'healthy' AS name, '[1]'"), Ok((Status::Healthy, vec![1])));
        for (sql, column) in [("SELECT 'fine' AS name, '[1]'", 0), ("SELECT 'healthy' AS name, '[1'", 1)] {
            let error = read(sql).unwrap_err();
            assert!(matches!(error, Error::FromSqlConversionFailure(at, ..) if at == column), "{error}");
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_the_largest_and_one_below_zero_is_zero() {
        assert_eq!((signed(7_usize), signed(u64::MAX), unsigned(-1)), (7, i64::MAX, 0));
    }
}
