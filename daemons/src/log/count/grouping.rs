//! What is counted by.

use crate::log::codec::{Reader, put_varint};
use crate::log::index::Kinds;
use crate::log::line::{Line, service_text};
use crate::log::query::{field_text, find_field};
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
        for label in self.by {
            match label {
                Label::Level | Label::Service => self.put_common(label, line.level, line.escaped_service(), key),
                Label::Message => put(key, Some(&String::from_utf8_lossy(&line.message()))),
                Label::Field(name) => {
                    let fields: Option<Value> = line.fields.and_then(|f| serde_json::from_slice(f).ok());
                    let value = fields.as_ref().and_then(|fields| find_field(fields, name));
                    put(key, value.filter(|value| !value.is_null()).map(field_text).as_deref());
                }
            }
        }
    }

    fn put_common(self, label: &Label, level: Level, service: &[u8], key: &mut Vec<u8>) {
        match label {
            Label::Level => put(key, Some(level.as_str())),
            _ => put(key, Some(&service_text(service))),
        }
    }

    /// The keys of all kinds.
    pub fn keys(self, kinds: &Kinds) -> Keys {
        let mut keys = Keys { of_kind: Vec::with_capacity(kinds.len()), keys: Vec::new() };
        let mut numbers: HashMap<(Level, &[u8]), usize> = HashMap::new();
        for (kind, _) in kinds.iter() {
            let number = *numbers.entry((kind.level, kind.service)).or_insert_with(|| {
                let mut key = Vec::new();
                self.by.iter().for_each(|label| self.put_common(label, kind.level, kind.service, &mut key));
                keys.keys.push(key);
                keys.keys.len() - 1
            });
            keys.of_kind.push(number);
        }
        keys
    }

    /// Keys in the order of their labels.
    pub fn compare(self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        let texts = |key| {
            let mut reader = Reader(key);
            std::iter::from_fn(move || reader.size().and_then(|len| reader.take(len.saturating_sub(1))))
        };
        texts(a).cmp(texts(b))
    }

    /// The labels that a key was made of.
    pub fn labels(self, key: &[u8]) -> Labels {
        let mut reader = Reader(key);
        let value = |reader: &mut Reader<'_>| match reader.size() {
            Some(len) if len > 0 => {
                Value::from(String::from_utf8_lossy(reader.take(len - 1).unwrap_or_default()).into_owned())
            }
            _ => Value::Null,
        };
        self.by.iter().map(|label| (label.name().to_owned(), value(&mut reader))).collect()
    }
}

/// Appends a text, told from none at all.
fn put(key: &mut Vec<u8>, text: Option<&str>) {
    put_varint(key, text.map_or(0, |text| text.len() as u64 + 1));
    key.extend_from_slice(text.unwrap_or_default().as_bytes());
}

/// The keys under which the kinds of a segment are counted.
pub struct Keys {
    /// The number of each kind's key.
    of_kind: Vec<usize>,
    keys: Vec<Vec<u8>>,
}

impl Keys {
    /// How many different ones there are.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The number of a kind's key.
    pub fn number(&self, kind: u16) -> usize {
        self.of_kind.get(usize::from(kind)).copied().unwrap_or(usize::MAX)
    }

    /// A key by its number.
    pub fn get(&self, number: usize) -> &[u8] {
        self.keys.get(number).map_or(&[], Vec::as_slice)
    }

    /// A kind's key.
    pub fn of(&self, kind: u16) -> &[u8] {
        self.get(self.number(kind))
    }
}
