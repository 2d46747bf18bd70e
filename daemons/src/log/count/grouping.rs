//! What is counted by.

use crate::log::fields::{self, Fields};
use crate::log::index::Kinds;
use crate::log::line::{Line, unescape_service};
use serde_json::Value;
use shared::wire::log::{Labels, Level};
use std::collections::HashMap;

/// What to count by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// The level.
    Level,
    /// The service.
    Service,
    /// The message.
    Message,
    /// A field of the records' own.
    Field(String),
}

impl Label {
    /// Labels separated by commas.
    pub fn list(text: &str) -> Vec<Self> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        words
            .map(|word| match word {
                "level" => Self::Level,
                "service" => Self::Service,
                "message" => Self::Message,
                field => Self::Field(field.to_owned()),
            })
            .collect()
    }

    fn name(&self) -> &str {
        match self {
            Self::Level => "level",
            Self::Service => "service",
            Self::Message => "message",
            Self::Field(name) => name,
        }
    }
}

/// Labels, and the width of a step of time.
#[derive(Debug, Clone, Copy)]
pub struct Grouping<'a> {
    /// The labels.
    pub by: &'a [Label],
    /// Seconds of a step; none: everything is one.
    pub step_seconds: Option<i64>,
}

impl Grouping<'_> {
    /// Whether all labels are ones that records of a kind have in common.
    pub fn is_by_kind(self) -> bool {
        self.by.iter().all(|label| matches!(label, Label::Level | Label::Service))
    }

    /// The step in which a second is.
    pub fn step(self, second: i64) -> i64 {
        self.step_seconds.map_or(0, |step| second.div_euclid(step))
    }

    /// Writes the labels of a line as a key.
    pub fn key_of_line(self, line: &Line<'_>, key: &mut Vec<u8>) {
        let own = self.by.iter().any(|label| matches!(label, Label::Field(_)));
        let fields = line.fields.filter(|_| own).and_then(Fields::read);
        for label in self.by {
            match label {
                Label::Level | Label::Service => {
                    self.put_common(label, line.level, line.escaped_service(), key)
                }
                Label::Message => push_text(key, &String::from_utf8_lossy(&line.message())),
                Label::Field(name) => match fields.as_ref().and_then(|fields| fields.get(name)) {
                    None | Some("null") => key.push(NULL),
                    Some(value) => push_text(key, &fields::text(value)),
                },
            }
        }
    }

    fn put_common(self, label: &Label, level: Level, service: &[u8], key: &mut Vec<u8>) {
        match label {
            Label::Level => push_text(key, level.as_str()),
            _ => push_text(key, &unescape_service(service)),
        }
    }

    /// The keys of these levels and services, as lines hold them.
    pub fn keys<'s>(self, sources: impl Iterator<Item = (Level, &'s [u8])>) -> Keys {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
        let of_source = sources.map(|(level, service)| {
            let mut key = Vec::new();
            self.by.iter().for_each(|label| self.put_common(label, level, service, &mut key));
            *numbers.entry(key).or_insert_with_key(|key| {
                keys.push(key.clone());
                keys.len() - 1
            })
        });
        Keys { of_source: of_source.collect(), keys }
    }

    /// The labels that a key was made of.
    pub fn labels(self, key: &[u8]) -> Labels {
        let mut rest = key.iter().copied().peekable();
        let mut value = || match rest.next() {
            Some(TEXT) => {
                let mut text = Vec::new();
                while let Some(b) = rest.next()
                    && (b != 0 || rest.next_if_eq(&ZERO).is_some())
                {
                    text.push(b);
                }
                Value::from(String::from_utf8_lossy(&text))
            }
            _ => Value::Null,
        };
        self.by.iter().map(|label| (label.name().to_owned(), value())).collect()
    }
}

// Keys sort as their labels do, and no two lists of labels share one: a text
// begins with TEXT and ends with a zero, and a zero within it is followed by ZERO.

/// In a key: no value.
const NULL: u8 = 0;
/// In a key: a text follows.
const TEXT: u8 = 1;
/// In a key, after a zero: it is one of the text.
const ZERO: u8 = 0xff;

fn push_text(key: &mut Vec<u8>, text: &str) {
    key.push(TEXT);
    for part in text.split_inclusive('\0') {
        key.extend_from_slice(part.as_bytes());
        if part.ends_with('\0') {
            key.push(ZERO);
        }
    }
    key.push(0);
}

/// The keys under which the records of a segment are counted.
pub struct Keys {
    /// The number of the key of each level and service.
    of_source: Vec<usize>,
    keys: Vec<Vec<u8>>,
}

impl Keys {
    /// How many different ones there are.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The number of the key of a level and service, by their number.
    pub fn number_of_source(&self, source: usize) -> usize {
        self.of_source.get(source).copied().unwrap_or(usize::MAX)
    }

    /// The key of a level and service, by their number.
    pub fn of_source(&self, source: usize) -> &[u8] {
        self.get(self.number_of_source(source))
    }

    /// The number of a kind's key.
    pub fn number(&self, kinds: &Kinds, kind: u16) -> usize {
        kinds.source(kind).map_or(usize::MAX, |source| self.number_of_source(source))
    }

    /// A key by its number.
    pub fn get(&self, number: usize) -> &[u8] {
        self.keys.get(number).map_or(&[], Vec::as_slice)
    }

    /// A kind's key.
    pub fn of(&self, kinds: &Kinds, kind: u16) -> &[u8] {
        self.get(self.number(kinds, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key_of(by: &[Label], fields: &str) -> Vec<u8> {
        let line = format!("2026-11-22T10:00:00.000000Z  INFO s: m\\x00n\t{fields}");
        let mut name = Vec::new();
        Grouping { by, step_seconds: None }.key_of_line(&Line::read(line.as_bytes(), 0), &mut name);
        name
    }

    #[test]
    fn labels_come_back_from_their_key() {
        let by = Label::list("level,service,message,a,u.b");
        for (fields, a, b) in [
            (r#"{"a":"x","u":{"b":1.50}}"#, json!("x"), json!("1.50")),
            (r#"{"a":"","u":{"b":"\u0000\u0001\u0000"}}"#, json!(""), json!("\0\u{1}\0")),
            (r#"{"a":"null"}"#, json!("null"), Value::Null),
            (r#"{"a":null,"u":3}"#, Value::Null, Value::Null),
            (r#"{"a":"\u00ff\u0001","u":{"b":[1,"2"]}}"#, json!("ÿ\u{1}"), json!(r#"[1,"2"]"#)),
            ("not JSON", Value::Null, Value::Null),
        ] {
            let want = json!({"level": "info", "service": "s", "message": "m\0n", "a": a, "u.b": b});
            assert_eq!(
                json!(Grouping { by: &by, step_seconds: None }.labels(&key_of(&by, fields))),
                want,
                "{fields}"
            );
        }
    }

    #[test]
    fn keys_differ_where_labels_do_and_sort_like_them() {
        let by = Label::list("a,b");
        let sorted = [
            "{}",
            r#"{"b":""}"#,
            r#"{"b":"x"}"#,
            r#"{"a":""}"#,
            r#"{"a":"","b":""}"#,
            r#"{"a":"\u0000"}"#,
            r#"{"a":"\u0000","b":"\u0001"}"#,
            r#"{"a":"\u0000\u0001"}"#,
            r#"{"a":"\u0001"}"#,
            r#"{"a":"x"}"#,
            r#"{"a":"x","b":"y"}"#,
            r#"{"a":"x\u0000y"}"#,
            r#"{"a":"xy"}"#,
        ];
        assert!(sorted.map(|fields| key_of(&by, fields)).is_sorted_by(|a, b| a < b));
    }
}
