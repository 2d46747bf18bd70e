//! `GET /log/retention`.

use super::App;
use crate::log::retention::{Candidate, Policy, decide};
use crate::log::time;
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::listing::{Format, ListQuery, TableRow, or_dash, table};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use shared::span::Span;
use shared::wire::log::{
    Deletable, DeletionReason, Holding, Level, Retention, RetentionClass, RetentionPolicy,
};
use std::sync::Arc;

/// What is kept for how long, and what would be deleted now: nothing is
#[utoipa::path(get, path = "/log/retention", tag = "log", params(ListQuery), responses((status = 200, body = Retention)))]
pub async fn retention(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Response, ApiError> {
    let store = Arc::clone(&app.store);
    // Every file is asked for its length.
    let candidates = tokio::task::spawn_blocking(move || store.candidates());
    let (files, active_bytes) = candidates.await.map_err(ApiError::internal)?;
    let retention = report(&app.retention, &files, active_bytes, time::now_ns());
    Ok(match query.format {
        Format::Json => Json(retention).into_response(),
        Format::Text => query.format.text(text(&retention)),
    })
}

fn report(policy: &Policy, files: &[Candidate], active_bytes: u64, now_ns: i64) -> Retention {
    let deletions = decide(policy, files, active_bytes, now_ns);
    let would_delete = deletions.iter().filter_map(|deletion| {
        let file = files.get(deletion.index)?;
        Some(Deletable {
            file: file.name.clone(),
            class: file.class.clone(),
            bytes: file.bytes,
            records: file.records,
            newest: DateTime::from_timestamp_nanos(file.newest_ns),
            reason: deletion.reason,
        })
    });
    Retention {
        policy: told(policy),
        total_bytes: files.iter().map(|file| file.bytes).fold(active_bytes, u64::saturating_add),
        active_bytes,
        files: files.len() as u64,
        would_delete: would_delete.collect(),
        classes: holdings(policy, files),
    }
}

fn told(policy: &Policy) -> RetentionPolicy {
    let classes = policy.classes.iter().map(|class| RetentionClass {
        name: class.name.clone(),
        keep: class.keep.map(Span),
        services: class.services.to_string(),
        levels: Level::ALL.into_iter().filter(|level| class.levels.has(*level)).collect(),
    });
    RetentionPolicy {
        keep_age: policy.keep_age.map(Span),
        keep_bytes: policy.keep_bytes,
        classes: classes.collect(),
    }
}

/// What there is of no class, of the classes in their order, and of classes
/// that are configured no more.
fn holdings(policy: &Policy, files: &[Candidate]) -> Vec<Holding> {
    let mut former: Vec<&str> = files.iter().filter_map(|file| file.class.as_deref()).collect();
    former.retain(|name| policy.class_named(Some(name)).is_none());
    former.sort_unstable();
    former.dedup();
    let classes = policy.classes.iter().map(|class| class.name.as_str()).chain(former).map(Some);
    let classes = std::iter::once(None).chain(classes);
    classes
        .map(|class| {
            let own = || files.iter().filter(|file| file.class.as_deref() == class);
            Holding {
                class: class.map(str::to_owned),
                files: own().count() as u64,
                bytes: own().map(|file| file.bytes).fold(0, u64::saturating_add),
                oldest: own().map(|file| file.oldest_ns).min().map(DateTime::from_timestamp_nanos),
                newest: own().map(|file| file.newest_ns).max().map(DateTime::from_timestamp_nanos),
            }
        })
        .collect()
}

/// What there is, a class a line, and what would go, a file a line.
fn text(retention: &Retention) -> String {
    let Retention { policy, total_bytes, active_bytes, files, would_delete, classes } = retention;
    let room = policy.keep_bytes.map_or_else(|| "any number".to_owned(), |bytes| bytes.to_string());
    let mut text = format!("{total_bytes} bytes of {room}, {active_bytes} live, {files} files sealed\n\n");
    let kept = |class: &Option<String>| {
        let configured = policy.classes.iter().find(|known| Some(&known.name) == class.as_ref());
        let keep = configured.map_or(policy.keep_age, |known| known.keep);
        keep.map_or_else(|| "for ever".to_owned(), |keep| keep.to_string())
    };
    let rows = classes.iter().map(|holding| {
        let Holding { class, files, bytes, oldest, newest } = holding;
        let (oldest, newest) = (or_dash(oldest.map(second)), or_dash(newest.map(second)));
        vec![or_dash(class.as_ref()), kept(class), files.to_string(), bytes.to_string(), oldest, newest]
    });
    text.push_str(&table(&["class", "kept", "files", "bytes", "oldest", "newest"], rows));
    if would_delete.is_empty() {
        text.push_str("\nnothing would be deleted now\n");
    } else {
        text.push_str("\nwould be deleted now\n");
        text.push_str(&table(Deletable::HEADS, would_delete.iter().map(TableRow::cells)));
    }
    text
}

fn second(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl TableRow for Deletable {
    const HEADS: &'static [&'static str] = &["file", "class", "bytes", "records", "newest", "reason"];

    fn cells(&self) -> Vec<String> {
        let reason = match self.reason {
            DeletionReason::Age => "age",
            DeletionReason::Bytes => "bytes",
        };
        vec![
            self.file.clone(),
            or_dash(self.class.as_ref()),
            self.bytes.to_string(),
            self.records.to_string(),
            second(self.newest),
            reason.to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Classes;
    use std::time::Duration;

    const DAY_NS: i64 = 86_400_000_000_000;
    /// 2024-10-03.
    const NOW_NS: i64 = 19_999 * DAY_NS;

    fn example() -> Retention {
        let classes: Classes = "debug=1d level:<=debug; law=off service:law".parse().unwrap();
        let policy = Policy {
            classes: classes.as_slice().to_vec(),
            keep_age: Some(Duration::from_secs(30 * 86_400)),
            keep_bytes: Some(1_000),
        };
        let file = |name: &str, class: Option<&str>, days: i64| Candidate {
            name: name.to_owned(),
            class: class.map(str::to_owned),
            bytes: 300,
            oldest_ns: NOW_NS - (days + 1) * DAY_NS,
            newest_ns: NOW_NS - days * DAY_NS,
            sealed_ns: NOW_NS,
            first_seq: 1,
            records: 7,
        };
        let files = [
            file("3.zst", None, 3),
            file("2.debug.zst", Some("debug"), 2),
            file("4.former.zst", Some("former"), 4),
            file("5.zst", None, 5),
        ];
        report(&policy, &files, 200, NOW_NS)
    }

    #[test]
    fn the_answer_says_what_is_kept_and_what_would_go() {
        let json = serde_json::to_value(example()).unwrap();
        let deletable = |file: &str, class: Option<&str>, newest: &str, reason: &str| {
            serde_json::json!({
                "file": file, "class": class, "bytes": 300, "records": 7, "newest": newest, "reason": reason,
            })
        };
        let holding = |class: Option<&str>, files: u64, oldest: Option<&str>, newest: Option<&str>| {
            serde_json::json!({
                "class": class, "files": files, "bytes": files * 300, "oldest": oldest, "newest": newest,
            })
        };
        let want = serde_json::json!({
            "policy": {
                "keep_age": "30d",
                "keep_bytes": 1_000,
                "classes": [
                    {"name": "debug", "keep": "1d", "services": "*", "levels": ["trace", "debug"]},
                    {"name": "law", "keep": null, "services": "law",
                     "levels": ["trace", "debug", "info", "warn", "error", "fatal"]},
                ],
            },
            "total_bytes": 1_400,
            "active_bytes": 200,
            "files": 4,
            "would_delete": [
                deletable("5.zst", None, "2024-09-28T00:00:00Z", "bytes"),
                deletable("2.debug.zst", Some("debug"), "2024-10-01T00:00:00Z", "age"),
            ],
            "classes": [
                holding(None, 2, Some("2024-09-27T00:00:00Z"), Some("2024-09-30T00:00:00Z")),
                holding(Some("debug"), 1, Some("2024-09-30T00:00:00Z"), Some("2024-10-01T00:00:00Z")),
                holding(Some("law"), 0, None, None),
                holding(Some("former"), 1, Some("2024-09-28T00:00:00Z"), Some("2024-09-29T00:00:00Z")),
            ],
        });
        assert_eq!(json, want);
    }

    #[test]
    fn the_text_is_two_tables() {
        let want = "\
1400 bytes of 1000, 200 live, 4 files sealed

CLASS   KEPT      FILES  BYTES  OLDEST                NEWEST
-       30d       2      600    2024-09-27T00:00:00Z  2024-09-30T00:00:00Z
debug   1d        1      300    2024-09-30T00:00:00Z  2024-10-01T00:00:00Z
law     for ever  0      0      -                     -
former  30d       1      300    2024-09-28T00:00:00Z  2024-09-29T00:00:00Z

would be deleted now
FILE         CLASS  BYTES  RECORDS  NEWEST                REASON
5.zst        -      300    7        2024-09-28T00:00:00Z  bytes
2.debug.zst  debug  300    7        2024-10-01T00:00:00Z  age
";
        assert_eq!(text(&example()), want);
    }
}
