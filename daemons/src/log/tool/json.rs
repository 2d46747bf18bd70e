//! A line of NDJSON, from this log or from any other program that writes JSON.

use super::recognise::Entry;
use super::when;
use crate::log::fields::members;
use crate::log::ingest::repeated;
use crate::log::limits::FIELDS_MAX;
use shared::wire::log::Level;
use std::borrow::Cow;

/// How the parts of a record are called, the best name first. What is not taken
/// for one of them stays a field.
const MESSAGE: [&str; 3] = ["message", "msg", "_msg"];
const TIME: [&str; 5] = ["ts", "time", "timestamp", "@timestamp", "_time"];
const LEVEL: [&str; 3] = ["level", "severity", "lvl"];
const SERVICE: [&str; 5] = ["service", "service_name", "service.name", "app", "logger"];

/// Names and raw values, in the order of the line.
type Members<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// Reads a line; none when it is no object with a message.
pub fn read(line: &str) -> Option<Entry<'_>> {
    if !line.starts_with('{') {
        return None;
    }
    let mut all = members(line, FIELDS_MAX).filter(|all| all.len() <= FIELDS_MAX)?;
    if is_answer(&all) {
        // The log that it goes to numbers its records itself.
        all.retain(|(name, _)| name != "seq");
    }
    let mut entry = Entry {
        message: take(&mut all, &MESSAGE, text)?,
        ts_ns: take(&mut all, &TIME, moment),
        level: take(&mut all, &LEVEL, level),
        service: take(&mut all, &SERVICE, |json| text(json).filter(|name| !name.is_empty())),
        ..Entry::default()
    };
    for (name, json) in all {
        match (name == "fields").then(|| members(json, FIELDS_MAX)).flatten() {
            Some(inner) => entry.fields.extend(inner),
            None => entry.fields.push((name, json)),
        }
    }
    repeated(&entry.fields).is_none().then_some(entry)
}

/// Whether this is a record as `GET /log` answers it.
fn is_answer(all: &Members<'_>) -> bool {
    let keys = ["seq", "ts", "level", "service", "message", "fields"];
    let has = |key: &&str| all.iter().any(|(name, _)| name == key);
    all.len() <= keys.len() && keys.iter().take(5).all(has) && (all.len() == 5 || has(&"fields"))
}

/// Takes out the first of the names whose value can be read.
fn take<'a, T>(all: &mut Members<'a>, names: &[&str], read: impl Fn(&'a str) -> Option<T>) -> Option<T> {
    names.iter().find_map(|wanted| {
        let at = all.iter().position(|(name, _)| name == wanted)?;
        let value = read(all.get(at)?.1)?;
        all.remove(at);
        Some(value)
    })
}

fn text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn moment(json: &str) -> Option<i64> {
    text(json).map_or_else(|| when::epoch(json), |text| when::whole(&text))
}

/// A word, or one of the numbers of bunyan and pino.
fn level(json: &str) -> Option<Level> {
    match json {
        "10" => Some(Level::Trace),
        "20" => Some(Level::Debug),
        "30" => Some(Level::Info),
        "40" => Some(Level::Warn),
        "50" => Some(Level::Error),
        "60" => Some(Level::Fatal),
        _ => text(json)?.parse().ok(),
    }
}
