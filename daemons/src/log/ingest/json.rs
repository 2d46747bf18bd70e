//! Records as JSON, read without building a tree: the known keys are borrowed
//! from the body, the others are copied as the text they are, so that a number
//! keeps every digit.

use super::super::batch::{Batch, Defaults, FIELDS_MAX, NewLine, RecordError};
use super::super::fields::{Text, members};
use super::super::time;
use super::BodyError;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use shared::wire::log::Level;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// One record an NDJSON line; empty lines are skipped.
pub fn read_lines(body: &[u8], defaults: &Defaults, batch: &mut Batch) -> Result<(), BodyError> {
    let mut fault = None;
    for line in body.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let mut json = serde_json::Deserializer::from_slice(line);
        let mut sink = Sink { defaults, batch, fault: &mut fault };
        let result = One(&mut sink).deserialize(&mut json).and_then(|()| json.end());
        finish(result, batch, &mut fault)?;
    }
    Ok(())
}

/// One record, or an array of records.
pub fn read_document(body: &[u8], defaults: &Defaults, batch: &mut Batch) -> Result<(), BodyError> {
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    let mut fault = None;
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut sink = Sink { defaults, batch, fault: &mut fault };
    let result = if body.trim_ascii_start().starts_with(b"[") {
        (&mut json).deserialize_seq(Many(&mut sink))
    } else {
        One(&mut sink).deserialize(&mut json)
    };
    finish(result.and_then(|()| json.end()), batch, &mut fault)
}

/// An error of the reader, made one of the record that it stopped at.
fn finish(
    result: Result<(), serde_json::Error>,
    batch: &Batch,
    fault: &mut Option<RecordError>,
) -> Result<(), BodyError> {
    let record = batch.records + 1;
    match (result, fault.take()) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(error)) => Err(BodyError::Record { record, error }),
        (Err(error), None) if error.is_data() => {
            Err(BodyError::Record { record, error: RecordError::new("record", error.to_string()) })
        }
        (Err(error), None) => Err(BodyError::Syntax { record, reason: error.to_string() }),
    }
}

/// Where records go; serde's errors are texts, so a refusal is kept beside.
struct Sink<'s> {
    defaults: &'s Defaults,
    batch: &'s mut Batch,
    fault: &'s mut Option<RecordError>,
}

impl Sink<'_> {
    fn refuse<E: serde::de::Error>(&mut self, error: RecordError) -> E {
        *self.fault = Some(error);
        E::custom("refused")
    }
}

struct Many<'a, 's>(&'a mut Sink<'s>);

impl<'de> Visitor<'de> for Many<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(One(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct One<'a, 's>(&'a mut Sink<'s>);

impl<'de> DeserializeSeed<'de> for One<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record: an object with a \"message\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let sink = self.0;
        let (mut ts_ns, mut level, mut service, mut message) = (None, None, None, None);
        let mut fields: Vec<(Cow<'de, str>, &'de str)> = Vec::new();
        while let Some(Text(key)) = map.next_key()? {
            let twice = match key.as_ref() {
                "message" => message.replace(text(sink, "message", map.next_value()?)?).is_some(),
                "service" => service.replace(text(sink, "service", map.next_value()?)?).is_some(),
                "level" => {
                    let word = text(sink, "level", map.next_value()?)?;
                    let parsed: Level = word.parse().map_err(|e| {
                        sink.refuse(RecordError::new("level", format!("'{}': {e}", short(&word))))
                    })?;
                    level.replace(parsed).is_some()
                }
                "ts" => {
                    let word = text(sink, "ts", map.next_value()?)?;
                    let reason = "must be a time as RFC 3339 writes it, from 1678 to 2261";
                    let parsed = time::parse_rfc3339(&word)
                        .ok_or_else(|| sink.refuse(RecordError::new("ts", reason)))?;
                    ts_ns.replace(parsed).is_some()
                }
                "fields" => {
                    let raw: &'de RawValue = map.next_value()?;
                    match members(raw.get(), FIELDS_MAX) {
                        Some(inner) => fields.extend(inner),
                        None => fields.push((key.clone(), raw.get())),
                    }
                    false
                }
                _ => {
                    fields.push((key.clone(), map.next_value::<&'de RawValue>()?.get()));
                    false
                }
            };
            if twice {
                return Err(sink.refuse(RecordError::new(key.into_owned(), "is given twice")));
            }
            if fields.len() > FIELDS_MAX {
                // The rest is read only to find out whether it is JSON at all.
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                let reason = format!("a record has at most {FIELDS_MAX}");
                return Err(sink.refuse(RecordError::new("fields", reason)));
            }
        }
        if let Some(name) = repeated(&fields) {
            return Err(sink.refuse(RecordError::new(name, "is given twice")));
        }
        let Some(message) = message else {
            return Err(sink.refuse(RecordError::new("message", "is missing")));
        };
        let record = NewLine {
            ts_ns: ts_ns.unwrap_or(sink.defaults.ts_ns),
            level: level.unwrap_or(sink.defaults.level),
            service: service.as_deref().filter(|name| !name.is_empty()).unwrap_or(&sink.defaults.service),
            message: message.as_bytes(),
            fields: &fields,
        };
        sink.batch.push(&record).map_err(|error| sink.refuse(error))
    }
}

/// A value that must be a text.
fn text<'de, E: serde::de::Error>(
    sink: &mut Sink<'_>,
    field: &'static str,
    raw: &'de RawValue,
) -> Result<Cow<'de, str>, E> {
    match serde_json::from_str::<Text<'de>>(raw.get()) {
        Ok(Text(text)) => Ok(text),
        Err(error) if error.is_data() => {
            Err(sink.refuse(RecordError::new(field, format!("must be a text, not {}", short(raw.get())))))
        }
        Err(error) => Err(sink.refuse(RecordError::new(field, error.to_string()))),
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
