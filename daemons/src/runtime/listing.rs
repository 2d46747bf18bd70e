//! Lists, as JSON or as aligned text for a terminal.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::sanitize::sanitize;
use shared::span::age;
use shared::wire::TOTAL_HEADER;
use std::borrow::Cow;
use std::fmt::Display;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use utoipa::{IntoParams, ToSchema};

/// How a list is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For programs.
    #[default]
    Json,
    /// For people.
    Text,
}

/// The query of a route that lists things and takes nothing else.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    pub format: Format,
}

/// A thing that can stand in a table.
pub trait TableRow {
    /// The heads of the columns.
    const HEADS: &'static [&'static str];

    /// One cell a column.
    fn cells(&self) -> Vec<String>;
}

impl Format {
    /// The list in this format.
    pub fn answer<T: Serialize + TableRow>(self, rows: &[T]) -> Response {
        match self {
            Self::Json => Json(rows).into_response(),
            Self::Text => self.text(table(T::HEADS, rows.iter().map(TableRow::cells))),
        }
    }

    /// A part of a list of `total` rows. `X-Total-Count` carries the total; a text
    /// states it below a table that is cut.
    pub fn answer_part<T: Serialize + TableRow>(self, rows: &[T], total: u64) -> Response {
        let mut response = match self {
            Self::Json => Json(rows).into_response(),
            Self::Text => {
                let mut text = table(T::HEADS, rows.iter().map(TableRow::cells));
                if rows.len() as u64 != total {
                    text.push_str(&format!("({} of {total})\n", rows.len()));
                }
                self.text(text)
            }
        };
        response.headers_mut().insert(TOTAL_HEADER, HeaderValue::from(total));
        response
    }

    /// A text for a terminal.
    pub fn text(self, text: String) -> Response {
        ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
    }
}

/// `1 success`, `2 successes`.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    if count == N::from(1) { format!("1 {one}") } else { format!("{count} {many}") }
}

/// Columns aligned by width on a terminal, each cell harmless.
pub fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heads = heads.iter().map(|head| head.to_uppercase()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heads)
        .chain(rows)
        .map(|row: Vec<String>| row.iter().map(|cell| sanitize(cell).into_owned()).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width().min(*width) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A text that is no wider than so many columns on a terminal; `…` says that it
/// was cut.
pub fn shortened(text: &str, columns_max: usize) -> Cow<'_, str> {
    if text.width() <= columns_max {
        return Cow::Borrowed(text);
    }
    let mut columns = 1;
    let mut short: String = text
        .chars()
        .take_while(|c| {
            columns += c.width().unwrap_or(0);
            columns <= columns_max
        })
        .collect();
    short.push('…');
    Cow::Owned(short)
}

/// A cell for how long ago something was; a list need not be more exact.
pub fn ago(at: DateTime<Utc>) -> String {
    format!("{} ago", age((Utc::now() - at).to_std().unwrap_or_default()))
}

/// A cell for a value that may be missing.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::{shortened, table};

    #[test]
    fn what_is_cut_is_as_wide_as_it_may_be_and_says_so() {
        for (text, want) in
            [("abcd", "abcd"), ("abcde", "abc…"), ("书书", "书书"), ("书书书", "书…"), ("", "")]
        {
            assert_eq!(shortened(text, 4), want);
        }
    }

    #[test]
    fn wide_text_is_aligned_and_control_characters_are_shown() {
        let text = table(
            &["id", "title"],
            [vec!["书".to_owned(), "a".to_owned()], vec!["x\x1b".to_owned(), "b".to_owned()]].into_iter(),
        );
        assert_eq!(text, "ID     TITLE\n书     a\nx\\x1b  b\n");
    }
}
