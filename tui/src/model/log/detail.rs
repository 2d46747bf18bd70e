//! One record in full, and the fields of it that a filter can take up.

use crate::text;
use serde_json::Value;
use shared::wire::log::Record;

/// How many fields are listed; the JSON below has them all.
const FIELDS_MAX: usize = 200;
/// How deep members of members are listed.
const DEPTH_MAX: usize = 4;

/// The most lines of a message, and of its fields, that are shown.
pub const LINES_MAX: usize = 2_000;
/// The width from which on the detail stands beside the lines.
pub const BESIDE_FROM: u16 = 140;
/// The columns and lines around a detail, where nothing else takes any.
const FRAME: (usize, usize) = (3, 5);
/// Its time and two empty lines; and those that a banner may take.
const GAPS: usize = 3 + 3;

/// A record that is looked at in full.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordDetail {
    /// A copy, so that it stays when the record is dropped from what is held.
    pub record: Record,
    /// The field that is selected.
    pub row: usize,
    /// By how many lines it is scrolled.
    pub scroll: usize,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordField {
    /// Its name; `a.b` is the member `b` of `a`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether a query can ask for it: a list has no one value.
    pub asks: bool,
}

impl RecordDetail {
    /// From its top.
    pub const fn new(record: Record) -> Self {
        Self { record, row: 0, scroll: 0 }
    }

    /// One line up: of what is scrolled, else to the field above.
    pub fn up(&mut self) {
        match self.scroll.checked_sub(1) {
            Some(scroll) => self.scroll = scroll,
            None => self.row = self.row.saturating_sub(1),
        }
    }

    /// To the field below; behind the last, on by a line.
    pub fn down(&mut self, size: (u16, u16)) {
        if self.row + 1 < self.fields().len() { self.row += 1 } else { self.scroll_by(1, size) }
    }

    /// Scrolls by so many lines, as far as there are any on a screen of this size.
    pub fn scroll_by(&mut self, by: isize, (columns, lines): (u16, u16)) {
        let columns = if columns >= BESIDE_FROM { columns * 2 / 5 } else { columns };
        let cells = usize::from(columns).saturating_sub(FRAME.0);
        let seen = usize::from(lines).saturating_sub(FRAME.1).max(1);
        let all = self.fields().len()
            + text::wrap(&self.record.message, cells, LINES_MAX).len()
            + text::wrap(&self.pretty(), cells, LINES_MAX).len()
            + GAPS;
        self.scroll = self.scroll.saturating_add_signed(by).min(all.saturating_sub(seen));
    }

    /// Its own fields as JSON over several lines; empty where it has none.
    pub fn pretty(&self) -> String {
        let fields = &self.record.fields;
        if fields.is_empty() {
            String::new()
        } else {
            serde_json::to_string_pretty(fields).unwrap_or_default()
        }
    }

    /// What can be selected: level and service, then the fields of its own.
    pub fn fields(&self) -> Vec<RecordField> {
        let field = |name: &str, value: &str| RecordField {
            name: name.to_owned(),
            value: value.to_owned(),
            asks: true,
        };
        let mut all =
            vec![field("level", self.record.level.as_str()), field("service", &self.record.service)];
        for (name, value) in &self.record.fields {
            flatten(name.clone(), value, &mut all);
        }
        all
    }

    /// The field that is selected.
    pub fn selected(&self) -> Option<RecordField> {
        self.fields().into_iter().nth(self.row)
    }
}

/// Lists a field, or the members that it is made of.
pub(super) fn flatten(name: String, value: &Value, all: &mut Vec<RecordField>) {
    flatten_to(name, value, DEPTH_MAX, all);
}

fn flatten_to(name: String, value: &Value, depth: usize, all: &mut Vec<RecordField>) {
    if all.len() >= FIELDS_MAX {
        return;
    }
    match value {
        Value::Object(members) if depth > 0 && !members.is_empty() => {
            for (member, value) in members {
                flatten_to(format!("{name}.{member}"), value, depth - 1, all);
            }
        }
        Value::String(text) => all.push(RecordField { name, value: text.clone(), asks: true }),
        Value::Number(_) | Value::Bool(_) => {
            all.push(RecordField { name, value: value.to_string(), asks: true })
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            all.push(RecordField { name, value: value.to_string(), asks: false });
        }
    }
}
