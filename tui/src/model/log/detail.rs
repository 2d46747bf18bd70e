//! One record in full, and the fields of it that a filter can take up.

use serde_json::Value;
use shared::wire::log::Record;

/// How many fields are listed; the JSON below has them all.
const FIELDS_MAX: usize = 200;
/// How deep members of members are listed.
const DEPTH_MAX: usize = 4;

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
