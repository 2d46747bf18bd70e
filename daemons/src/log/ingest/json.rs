//! Any JSON, read without building a tree: the known keys are borrowed
//! from the body, the others are copied as the text they are, so that a number
//! keeps every digit.

use super::super::batch::{Batch, Defaults, RecordError};
use super::super::fields::Text;
use super::record::{Draft, Value};
use super::{BodyError, quick};
use crate::log::limits::FIELDS_MAX;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

type Json<'t> = serde_json::Deserializer<serde_json::de::SliceRead<'t>>;

/// One record an NDJSON line; empty lines are skipped.
pub fn read_lines(body: &[u8], defaults: &Defaults, batch: &mut Batch) -> Result<(), BodyError> {
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        if quick::read(line, defaults, batch).is_none() && !line.trim_ascii().is_empty() {
            read_one(line, defaults, batch)?;
        }
    }
    Ok(())
}

/// One record, or an array of records.
pub fn read_document(body: &[u8], defaults: &Defaults, batch: &mut Batch) -> Result<(), BodyError> {
    match body.trim_ascii_start() {
        [] => Ok(()),
        [b'[', ..] => with(body, defaults, batch, |json, mut sink| json.deserialize_seq(Many(&mut sink))),
        _ => read_one(body, defaults, batch),
    }
}

/// One record.
pub fn read_one(json: &[u8], defaults: &Defaults, batch: &mut Batch) -> Result<(), BodyError> {
    with(json, defaults, batch, |json, mut sink| One(&mut sink).deserialize(json))
}

/// Reads the whole of `text`; an error is made one of the record that it is in.
fn with(
    text: &[u8],
    defaults: &Defaults,
    batch: &mut Batch,
    read: impl FnOnce(&mut Json<'_>, Sink<'_>) -> Result<(), serde_json::Error>,
) -> Result<(), BodyError> {
    let mut fault = None;
    let mut json = serde_json::Deserializer::from_slice(text);
    let result = read(&mut json, Sink { defaults, batch, fault: &mut fault }).and_then(|()| json.end());
    let record = batch.records + 1;
    match (result, fault) {
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
        let mut draft = Draft::default();
        while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            draft.take(key, Value { json: value.get(), plain: None }).map_err(|error| sink.refuse(error))?;
            if draft.is_overfull() {
                // The rest is read only to find out whether it is JSON at all.
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                let reason = format!("a record has at most {FIELDS_MAX}");
                return Err(sink.refuse(RecordError::new("fields", reason)));
            }
        }
        draft.finish(sink.defaults, sink.batch).map_err(|error| sink.refuse(error))
    }
}
