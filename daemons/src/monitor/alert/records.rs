//! The last log records of a service that failed: evidence that is asked for
//! before the first attempt, once for all channels. The log service may hold up
//! a notification for a moment; when it did not answer in time, those after it
//! do not wait for it for a while.

use shared::client::{LogClient, LogQuery};
use shared::wire::alert::{Evidence, Notification, NotificationKind};
use shared::wire::log::Record;
use shared::wire::monitor::Incident;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// Log records that are told.
const RECORDS: u32 = 10;
/// The longest log message that is told, in characters.
const MESSAGE_MAX: usize = 500;
/// The most bytes of a record's fields, as JSON; more are left out.
const FIELDS_MAX: usize = 1_000;
/// For how long the log service may hold up a notification.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// For how long it is not asked after it did.
const AWAY: Duration = Duration::from_secs(30);
/// Incidents of which the records are kept, for channels that are slower.
const KEPT_MAX: usize = 256;

/// The records, or why there are none.
type Found = Result<Vec<Record>, String>;

/// What was asked for, and whether to ask.
#[derive(Debug, Default)]
pub struct Records(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By incident and service, for the root of an incident may move.
    found: BTreeMap<(u64, String), Arc<OnceCell<Found>>>,
    away_until: Option<Instant>,
}

impl Records {
    /// Adds the last log records of a service that failed to a notification, if
    /// the log service tells them in time.
    pub async fn add(&self, notification: &mut Notification, log: &LogClient) {
        let incident = &notification.incident;
        let Some(evidence) = notification.evidence.as_mut() else { return };
        if notification.kind == NotificationKind::Opened {
            set(evidence, self.of(incident, || search(log, incident)).await);
        }
    }

    /// What `search` finds for an incident; it is made once.
    async fn of<F>(&self, incident: &Incident, search: impl FnOnce() -> F) -> Found
    where
        F: Future<Output = Found>,
    {
        let cell = {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let cell = Arc::clone(inner.found.entry((incident.id, incident.service.clone())).or_default());
            if inner.found.len() > KEPT_MAX {
                inner.found.pop_first();
            }
            cell
        };
        cell.get_or_init(|| self.ask(search)).await.clone()
    }

    async fn ask<F>(&self, search: impl FnOnce() -> F) -> Found
    where
        F: Future<Output = Found>,
    {
        let inner = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let away_until = inner().away_until;
        if away_until.is_some_and(|until| Instant::now() < until) {
            return Err("the log service did not answer lately, and was not asked".to_owned());
        }
        if let Ok(found) = tokio::time::timeout(PATIENCE, search()).await {
            return found;
        }
        inner().away_until = Some(Instant::now() + AWAY);
        Err(format!("the log service did not answer within {} ms", PATIENCE.as_millis()))
    }
}

fn set(evidence: &mut Evidence, found: Found) {
    match found {
        Ok(records) => evidence.log = records,
        Err(why) => evidence.log_missing = Some(why),
    }
}

async fn search(log: &LogClient, incident: &Incident) -> Found {
    let query = LogQuery {
        service: Some(incident.service.clone()),
        until: Some(incident.opened_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        limit: Some(RECORDS),
        ..LogQuery::default()
    };
    match log.search(&query).await {
        Ok(page) => Ok(page.records.into_iter().rev().map(shorten).collect()),
        Err(error) => Err(format!("the log service: {error}")),
    }
}

fn shorten(mut record: Record) -> Record {
    if let Some((end, _)) = record.message.char_indices().nth(MESSAGE_MAX) {
        record.message.truncate(end);
        record.message.push('…');
    }
    if serde_json::to_string(&record.fields).map_or(0, |fields| fields.len()) > FIELDS_MAX {
        record.fields = serde_json::Map::new();
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    fn incident(id: u64) -> Incident {
        Incident { id, service: "S".to_owned(), ..Incident::default() }
    }

    #[tokio::test]
    async fn a_log_that_hangs_holds_up_one_of_many() {
        let (records, mut asked) = (Records::default(), 0);
        for id in 1..=200 {
            let search = || {
                asked += 1;
                pending()
            };
            records.of(&incident(id), search).await.unwrap_err();
        }
        assert_eq!(asked, 1);
        records.0.lock().unwrap().away_until = None;
        assert_eq!(records.of(&incident(201), || ready(Ok(Vec::new()))).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn it_is_asked_once_for_all_channels() {
        let (records, mut asked) = (Records::default(), 0);
        for _ in 0..2 {
            let search = || {
                asked += 1;
                ready(Ok(Vec::new()))
            };
            records.of(&incident(7), search).await.unwrap();
        }
        assert_eq!(asked, 1);
    }

    #[test]
    fn a_long_record_is_cut() {
        let record = serde_json::json!({
            "seq": 1, "ts": "2026-01-05T00:00:00Z", "level": "info", "service": "s",
            "message": "书".repeat(600), "fields": { "a": "x".repeat(2_000) },
        });
        let short = shorten(serde_json::from_value(record).unwrap());
        assert_eq!((short.message.chars().count(), short.fields.len()), (MESSAGE_MAX + 1, 0));
    }
}
