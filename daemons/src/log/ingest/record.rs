//! What the keys of a record mean, whoever reads them out of its JSON.

use super::super::assumed::Assumed;
use super::super::batch::{Batch, Defaults, NewLine, RecordError};
use super::super::fields::{Text, members, repeated};
use super::super::read::{Moment, Options, epoch, level_number, whole_time};
use super::super::time;
use crate::log::limits::FIELDS_MAX;
use shared::wire::log::Level;
use std::borrow::Cow;

/// The value of a key: valid JSON.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    /// As it came.
    pub json: &'a str,
    /// The text that it is, if that is known already.
    pub plain: Option<&'a str>,
}

/// A record of which some keys were read.
#[derive(Debug, Default)]
pub struct Draft<'a> {
    time: Option<Moment>,
    level: Option<Level>,
    service: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
    fields: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Draft<'a> {
    /// Takes a key and its value.
    pub fn take(&mut self, key: Cow<'a, str>, value: Value<'a>) -> Result<(), RecordError> {
        let twice = match key.as_ref() {
            "message" => self.message.replace(text("message", value)?).is_some(),
            "service" => self.service.replace(text("service", value)?).is_some(),
            "level" => self.level.replace(level(value)?).is_some(),
            "ts" => self.time.replace(moment(value)?).is_some(),
            "fields" => {
                match members(value.json, FIELDS_MAX) {
                    Some(inner) => self.fields.extend(inner),
                    None => self.fields.push((key, value.json)),
                }
                return Ok(());
            }
            _ => {
                self.fields.push((key, value.json));
                return Ok(());
            }
        };
        if twice { Err(RecordError::new(key.into_owned(), "is given twice")) } else { Ok(()) }
    }

    /// Whether it has so many fields already that it will be refused.
    pub const fn is_overfull(&self) -> bool {
        self.fields.len() > FIELDS_MAX
    }

    /// Writes it, now that all its keys were read.
    pub fn finish(&self, defaults: &Defaults, batch: &mut Batch) -> Result<(), RecordError> {
        if let Some(name) = repeated(&self.fields) {
            return Err(RecordError::new(name, "is given twice"));
        }
        let message = self.message.as_ref().ok_or_else(|| RecordError::new("message", "is missing"))?;
        let assumed = self.time.map_or(Assumed::NOTHING, |time| time.assumed);
        batch.assumed.add(assumed);
        batch.push(&NewLine {
            ts_ns: self.time.map_or(defaults.ts_ns, |time| time.ns),
            level: self.level.unwrap_or(defaults.level),
            service: self.service.as_deref().filter(|name| !name.is_empty()).unwrap_or(&defaults.service),
            message: message.as_bytes(),
            fields: &self.fields,
        })
    }
}

/// A level by its name or its number.
fn level(value: Value<'_>) -> Result<Level, RecordError> {
    if let Some(level) = value.json.parse().ok().and_then(level_number) {
        return Ok(level);
    }
    let word = text("level", value)?;
    word.parse().map_err(|e| RecordError::new("level", format!("'{}': {e}", short(&word))))
}

/// RFC 3339 at once; every other form by the reader of times.
fn moment(value: Value<'_>) -> Result<Moment, RecordError> {
    if let Some(ns) = value.plain.and_then(time::parse_rfc3339) {
        return Ok(Moment::certain(ns));
    }
    let read = match value.json.as_bytes().first() {
        Some(b'0'..=b'9') => epoch(value.json).map(Moment::certain),
        _ => whole_time(&text("ts", value)?, &Options::open(time::now_ns())),
    };
    read.ok_or_else(|| {
        let reason = "must be a time, best as RFC 3339 writes it, or an epoch, from 1678 to 2261";
        RecordError::new("ts", format!("{reason}; not {}", short(value.json)))
    })
}

/// A value that must be a text.
fn text<'a>(field: &'static str, value: Value<'a>) -> Result<Cow<'a, str>, RecordError> {
    if let Some(plain) = value.plain {
        return Ok(Cow::Borrowed(plain));
    }
    match serde_json::from_str::<Text<'a>>(value.json) {
        Ok(Text(text)) => Ok(text),
        Err(error) if error.is_data() => {
            Err(RecordError::new(field, format!("must be a text, not {}", short(value.json))))
        }
        Err(error) => Err(RecordError::new(field, error.to_string())),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
