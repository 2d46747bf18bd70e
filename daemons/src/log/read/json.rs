//! A JSON object, from this log or from any other program that writes JSON.

use super::Entry;
use super::level;
use super::moment::{Moment, Options, epoch, whole};
use crate::log::fields::{members, repeated};
use crate::log::limits::FIELDS_MAX;
use shared::wire::log::Level;
use std::borrow::Cow;

/// How the parts of a record are called, the best name first. What is not taken
/// for one of them stays a field.
const MESSAGE: [&str; 14] = [
    "message",
    "msg",
    "_msg",
    "Message",
    "MESSAGE",
    "short_message",
    "@m",
    "RenderedMessage",
    "textPayload",
    "log",
    "event",
    "body",
    "@mt",
    "MessageTemplate",
];
const TIME: [&str; 19] = [
    "ts",
    "time",
    "timestamp",
    "@timestamp",
    "_time",
    "@t",
    "Timestamp",
    "_SOURCE_REALTIME_TIMESTAMP",
    "__REALTIME_TIMESTAMP",
    "datetime",
    "asctime",
    "date",
    "time_iso8601",
    "time_local",
    "eventTime",
    "timeMillis",
    "instant",
    "t",
    "Time",
];
const LEVEL: [&str; 16] = [
    "level",
    "severity",
    "lvl",
    "@l",
    "Level",
    "LogLevel",
    "log.level",
    "loglevel",
    "log_level",
    "levelname",
    "severity_text",
    "severityText",
    "SeverityText",
    "PRIORITY",
    "Severity",
    "log",
];
const SERVICE: [&str; 8] = [
    "service",
    "service_name",
    "service.name",
    "app",
    "logger",
    "loggerName",
    "SYSLOG_IDENTIFIER",
    "Category",
];

/// Names and raw values, in the order of the line.
type Members<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// Reads an object that is a record: it has a message, or at least a time, and
/// then it is its message itself. None for anything else.
pub fn read<'a>(json: &'a str, options: &Options) -> Option<Entry<'a>> {
    if !json.starts_with('{') {
        return None;
    }
    let mut all = members(json, FIELDS_MAX).filter(|all| all.len() <= FIELDS_MAX)?;
    if is_answer(&all) {
        // The log that it goes to numbers its records itself.
        all.retain(|(name, _)| name != "seq");
    }
    let message = take(&mut all, &MESSAGE, message);
    let moment = take(&mut all, &TIME, |json| moment(json, options));
    if message.is_none() && moment.is_none() {
        return None;
    }
    let mut entry = Entry {
        is_unread: moment.is_none() && TIME.iter().any(|time| all.iter().any(|(name, _)| name == time)),
        ..Entry::default().at(moment)
    };
    entry.level = take(&mut all, &LEVEL, level);
    entry.service = take(&mut all, &SERVICE, service);
    let Some((message, is_changed)) = message else {
        entry.message = Cow::Borrowed(json);
        return Some(entry);
    };
    (entry.message, entry.is_changed) = (message, is_changed);
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

/// Takes out the first of the names whose value can be read. An object (the
/// `log` of ECS) may hold more than what is read from it, so it stays.
fn take<'a, T>(all: &mut Members<'a>, names: &[&str], read: impl Fn(&'a str) -> Option<T>) -> Option<T> {
    names.iter().find_map(|wanted| {
        let at = all.iter().position(|(name, _)| name == wanted)?;
        let json = all.get(at)?.1;
        let value = read(json)?;
        if !json.starts_with('{') {
            all.remove(at);
        }
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

/// A text, or its bytes, as journald writes what is no plain text; and whether
/// bytes became U+FFFD.
fn message(json: &str) -> Option<(Cow<'_, str>, bool)> {
    if !json.starts_with('[') {
        return text(json).map(|text| (text, false));
    }
    let bytes: Vec<u8> = serde_json::from_str(json).ok()?;
    match String::from_utf8(bytes) {
        Ok(text) if text.is_empty() => None,
        Ok(text) => Some((Cow::Owned(text), false)),
        Err(error) => Some((Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()), true)),
    }
}

fn moment(json: &str, options: &Options) -> Option<Moment> {
    if let Some(text) = text(json) {
        return whole(&text, options);
    }
    if json.starts_with('{') {
        let inner = members(json, 8)?;
        let get = |name: &str| inner.iter().find(|(key, _)| key == name).map(|(_, json)| *json);
        // MongoDB, and log4j's and protobuf's pair of numbers.
        if let Some(date) = get("$date") {
            return text(date).map_or_else(|| epoch(date).map(Moment::certain), |text| whole(&text, options));
        }
        let seconds: i64 = get("epochSecond").or_else(|| get("seconds"))?.trim_matches('"').parse().ok()?;
        let nanos: i64 = get("nanoOfSecond").or_else(|| get("nanos")).unwrap_or("0").parse().ok()?;
        return seconds.checked_mul(1_000_000_000)?.checked_add(nanos).map(Moment::certain);
    }
    epoch(json).map(Moment::certain)
}

/// A word, a number, or an object with one of them.
fn level(json: &str) -> Option<Level> {
    if json.starts_with('{') {
        let inner = members(json, 16)?;
        let named = |name: &&str| inner.iter().find(|(key, _)| key == name).map(|(_, json)| *json);
        return ["level", "name", "standardLevel"].iter().find_map(named).and_then(plain_level);
    }
    plain_level(json)
}

fn plain_level(json: &str) -> Option<Level> {
    let text = text(json).unwrap_or(Cow::Borrowed(json));
    level::word(&text).or_else(|| text.parse().ok().and_then(level::number))
}

/// A name, or an object with one.
fn service(json: &str) -> Option<Cow<'_, str>> {
    if json.starts_with('{') {
        let inner = members(json, 16)?;
        return inner.iter().find(|(key, _)| key == "name").and_then(|(_, json)| service(json));
    }
    text(json).filter(|name| !name.is_empty())
}
