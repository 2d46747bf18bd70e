//! Searching in what is held.

use super::LogPane;
use super::block::Line;
use super::fields::{decoded, field_names};
use super::filter::{Filter, field_name, quoted};
use super::lines::Lines;
use crate::model::finder::is_in;

/// How many fields are looked into in the history: a query has 64 patterns.
const FIELDS_SOUGHT: usize = 24;

/// What is gone to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// An error, or what is graver.
    Error,
    /// A match of what is searched for.
    Match,
}

/// A search beyond what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seek {
    /// What is looked for.
    pub sought: Sought,
    /// Whether towards the end of the log.
    pub forward: bool,
    /// Whether from the other end, as there was none on this side.
    pub round: bool,
}

/// A match, and its place among those that are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The record.
    pub seq: u64,
    /// Its number, counted from 1 at the oldest.
    pub nth: usize,
    /// How many are held.
    pub of: usize,
}

impl LogPane {
    /// Counts the matches, where the selected record is one.
    pub fn count_matches(&mut self) {
        self.found = None;
        let (Some(search), Some(cursor)) = (&self.search, self.cursor) else { return };
        let (mut nth, mut of, mut is_one) = (0, 0, false);
        for line in self.lines.iter().filter(|line| holds(line, search)) {
            of += 1;
            nth += usize::from(line.seq <= cursor);
            is_one |= line.seq == cursor;
        }
        self.found = is_one.then_some(Found { seq: cursor, nth, of });
    }
}

impl Filter {
    /// Only those records in which a text is found. The log looks into one field
    /// at a time, so it is told of those that the newest records have.
    #[must_use]
    pub fn holding(&self, search: &str, lines: &Lines) -> Self {
        let pattern = format!("~{}", quoted(&escaped(search)));
        let own = field_names(lines);
        let all =
            ["message", "service"].into_iter().map(str::to_owned).chain(own.into_iter().take(FIELDS_SOUGHT));
        let any: Vec<String> = all.map(|field| format!("{}:{pattern}", field_name(&field))).collect();
        let typed = self.query.trim();
        let typed = if typed.is_empty() { String::new() } else { format!("({typed}) ") };
        Self { query: format!("{typed}({})", any.join(" OR ")), ..self.clone() }
    }
}

/// A text as a regular expression that matches just that.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Whether a record holds the searched text where it is shown.
pub fn holds(line: &Line<'_>, search: &str) -> bool {
    let holds = |text: &str| is_in(text, search);
    holds(line.message) || holds(line.service) || holds(&decoded(line.fields))
}

/// The nearest row after `from` that is as wanted, or before it.
pub fn nearest(
    lines: &Lines,
    from: usize,
    forward: bool,
    wanted: impl Fn(&Line<'_>) -> bool,
) -> Option<usize> {
    let mut wanted = |(_, line): &(usize, Line<'_>)| wanted(line);
    let found =
        if forward { lines.from(from + 1).find(&mut wanted) } else { lines.before(from).find(&mut wanted) };
    found.map(|(row, _)| row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::wire::log::Level;

    #[test]
    fn it_goes_both_ways_from_where_one_is() {
        let lines: Lines = (0..)
            .zip(["hit", "miss", "hit", "miss"])
            .map(|(seq, message)| Line {
                seq,
                ts_ns: 0,
                level: Level::Info,
                service: "S",
                message,
                fields: "",
            })
            .collect();
        let hit = |line: &Line<'_>| holds(line, "hit");
        for (from, forward, want) in
            [(3, false, Some(2)), (2, false, Some(0)), (0, false, None), (0, true, Some(2)), (2, true, None)]
        {
            assert_eq!(nearest(&lines, from, forward, hit), want, "{from} {forward}");
        }
    }
}
