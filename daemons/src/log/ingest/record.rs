//! What the keys of a record mean, whoever reads them out of its JSON.

use super::super::batch::{Batch, Defaults, NewLine, RecordError};
use super::super::fields::{Text, members};
use super::super::time;
use crate::log::limits::FIELDS_MAX;
use shared::wire::log::Level;
use std::borrow::Cow;
use std::collections::HashSet;

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
    ts_ns: Option<i64>,
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
            "level" => {
                let word = text("level", value)?;
                let parsed = word
                    .parse()
                    .map_err(|e| RecordError::new("level", format!("'{}': {e}", short(&word))))?;
                self.level.replace(parsed).is_some()
            }
            "ts" => {
                let reason = "must be a time as RFC 3339 writes it, from 1678 to 2261";
                let parsed =
                    time::parse_rfc3339(&text("ts", value)?).ok_or_else(|| RecordError::new("ts", reason))?;
                self.ts_ns.replace(parsed).is_some()
            }
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
        batch.push(&NewLine {
            ts_ns: self.ts_ns.unwrap_or(defaults.ts_ns),
            level: self.level.unwrap_or(defaults.level),
            service: self.service.as_deref().filter(|name| !name.is_empty()).unwrap_or(&defaults.service),
            message: message.as_bytes(),
            fields: &self.fields,
        })
    }
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

/// A name that stands twice.
pub fn repeated(fields: &[(Cow<'_, str>, &str)]) -> Option<String> {
    if fields.len() < 2 {
        return None;
    }
    let mut seen = HashSet::with_capacity(fields.len());
    fields.iter().find(|(name, _)| !seen.insert(name.as_ref())).map(|(name, _)| name.clone().into_owned())
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
