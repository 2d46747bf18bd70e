//! Counting instead of listing: over time, and by label.

use super::line::Line;
use super::query::{Filter, field_text, find_field};
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

/// The labels of a line: as a key to count under, and as JSON.
fn key(labels: &[Label], line: &Line<'_>, key: &mut String) {
    key.clear();
    let fields: Option<Value> = if labels.iter().any(|label| matches!(label, Label::Field(_))) {
        line.fields.and_then(|fields| serde_json::from_slice(fields).ok())
    } else {
        None
    };
    for label in labels {
        match label {
            Label::Level => key.push_str(line.level.as_str()),
            Label::Service => key.push_str(&line.service()),
            Label::Message => key.push_str(&String::from_utf8_lossy(&line.message())),
            Label::Field(name) => match fields.as_ref().and_then(|fields| find_field(fields, name)) {
                // Told apart from the text "null".
                None | Some(Value::Null) => key.push('\u{1}'),
                Some(value) => key.push_str(&field_text(value)),
            },
        }
        key.push('\0');
    }
}

fn labels(names: &[Label], key: &str) -> Labels {
    let values = key.split('\0').map(|text| if text == "\u{1}" { Value::Null } else { Value::from(text) });
    names.iter().map(|label| label.name().to_owned()).zip(values).collect()
}

/// Counts by label, the largest groups first.
pub fn stats(snapshot: &Snapshot, filter: &Filter, by: &[Label], limit: usize, budget: Budget) -> Stats {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let (mut total, mut len, mut overflow) = (0, 0, false);
    let mut name = String::new();
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
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(limit);
    let groups = counts.into_iter().map(|(key, count)| Group { by: labels(by, &key), count }).collect();
    Stats { total, groups, partial: walked.partial || overflow }
}

/// Counts over time, in steps aligned to 1970.
pub fn hits(snapshot: &Snapshot, filter: &Filter, by: &[Label], step_ns: i64, budget: Budget) -> Hits {
    let mut series: BTreeMap<String, BTreeMap<i64, u64>> = BTreeMap::new();
    let (mut total, mut points, mut len, mut overflow) = (0, 0, 0, false);
    let mut name = String::new();
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
