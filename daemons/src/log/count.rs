//! Counting instead of listing: over time, and by label.

use super::fields::{self, Fields};
use super::line::Line;
use super::query::Filter;
use super::search::{Budget, Order, walk};
use super::store::Snapshot;
use super::time;
use chrono::DateTime;
use serde_json::Value;
use shared::wire::log::{Group, Hits, Labels, Series, Stats};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// Different sets of labels, and points of time series, that one answer counts;
/// what is beyond is in the total alone, and the answer is partial.
const GROUPS_MAX: usize = 100_000;
/// Bytes of all labels that one answer counts by.
const LABELS_LEN_MAX: usize = 16 << 20;

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

/// The labels of a line, as a key to count under. Keys sort as their labels do,
/// and no two lists of labels share one: a text begins with [`TEXT`] and ends
/// with a zero, a zero within it is followed by [`ZERO`].
fn key(labels: &[Label], line: &Line<'_>, key: &mut Vec<u8>) {
    key.clear();
    let own = labels.iter().any(|label| matches!(label, Label::Field(_)));
    let fields = line.fields.filter(|_| own).and_then(Fields::read);
    for label in labels {
        match label {
            Label::Level => push_text(key, line.level.as_str()),
            Label::Service => push_text(key, &line.service()),
            Label::Message => push_text(key, &String::from_utf8_lossy(&line.message())),
            Label::Field(name) => match fields.as_ref().and_then(|fields| fields.get(name)) {
                None | Some("null") => key.push(NULL),
                Some(value) => push_text(key, &fields::text(value)),
            },
        }
    }
}

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

fn labels(names: &[Label], key: &[u8]) -> Labels {
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
    names.iter().map(|label| (label.name().to_owned(), value())).collect()
}

/// Counts by label, the largest groups first.
pub fn stats(snapshot: &Snapshot, filter: &Filter, by: &[Label], limit: usize, budget: Budget) -> Stats {
    let mut counts: HashMap<Vec<u8>, u64> = HashMap::new();
    let (mut total, mut len, mut overflow) = (0, 0, false);
    let mut name = Vec::new();
    let walked = walk(snapshot, filter, Order::Desc, budget, |hit| {
        total += 1;
        key(by, hit.line, &mut name);
        if let Some(count) = counts.get_mut(&name) {
            *count += 1;
        } else if counts.len() < GROUPS_MAX && len < LABELS_LEN_MAX {
            len += name.len();
            counts.insert(name.clone(), 1);
        } else {
            overflow = true;
        }
        ControlFlow::Continue(())
    });
    let mut counts: Vec<(Vec<u8>, u64)> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(limit);
    let groups = counts.into_iter().map(|(key, count)| Group { by: labels(by, &key), count }).collect();
    Stats { total, groups, partial: walked.partial || overflow }
}

/// Counts over time, in steps aligned to 1970.
pub fn hits(snapshot: &Snapshot, filter: &Filter, by: &[Label], step_ns: i64, budget: Budget) -> Hits {
    let mut series: BTreeMap<Vec<u8>, BTreeMap<i64, u64>> = BTreeMap::new();
    let (mut total, mut points, mut len, mut overflow) = (0, 0, 0, false);
    let mut name = Vec::new();
    let walked = walk(snapshot, filter, Order::Desc, budget, |hit| {
        total += 1;
        key(by, hit.line, &mut name);
        let step = hit.line.ts_ns.div_euclid(step_ns);
        match series.get_mut(&name).and_then(|series| series.get_mut(&step)) {
            Some(count) => *count += 1,
            None if points < GROUPS_MAX && len < LABELS_LEN_MAX => {
                points += 1;
                len += name.len();
                series.entry(name.clone()).or_default().insert(step, 1);
            }
            None => overflow = true,
        }
        ControlFlow::Continue(())
    });
    let at = |step: i64| DateTime::from_timestamp_nanos(step.saturating_mul(step_ns).max(time::MIN_NS));
    let series = series
        .into_iter()
        .map(|(key, points)| Series {
            by: labels(by, &key),
            points: points.into_iter().map(|(step, count)| (at(step), count)).collect(),
        })
        .collect();
    let step_seconds = u64::try_from(step_ns / 1_000_000_000).unwrap_or(0);
    Hits { step_seconds, total, series, partial: walked.partial || overflow }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key_of(by: &[Label], fields: &str) -> Vec<u8> {
        let line = format!("2026-11-22T10:00:00.000000Z  INFO s: m\\x00n\t{fields}");
        let mut name = vec![7];
        key(by, &Line::read(line.as_bytes(), 0), &mut name);
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
            assert_eq!(json!(labels(&by, &key_of(&by, fields))), want, "{fields}");
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
