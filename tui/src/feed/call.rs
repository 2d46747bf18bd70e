//! Requests made once: what an effect wants, and what came of it.

use super::export::{self, ExportError};
use super::{Clients, log, request};
use crate::action::{Action, Answer, Effect, Export, Failure};
use crate::model::{Around, Filter, LogSide, Study};
use chrono::{DateTime, SecondsFormat, Utc};
use shared::client::{ClientError, LogClient, LogQuery};

/// How many records around an incident are fetched.
const AROUND_MAX: u32 = 200;

/// Does what an effect wants of the daemons. None where it wants nothing.
pub(super) async fn call(clients: &Clients, effect: Effect) -> Option<Action> {
    let action = match effect {
        Effect::Request { number, request } => {
            let outcome = request::ask(clients, request).await;
            Action::Answered(Box::new(Answer { number, outcome }))
        }
        Effect::TakeBack(request) => {
            let outcome = request::ask(clients, request.clone()).await.map(|deed| deed.said);
            Action::TakenBack { request, outcome }
        }
        Effect::Study(service) => study(clients, service).await,
        Effect::Around { incident, service, since, until } => {
            let time = |at: DateTime<Utc>| Some(at.to_rfc3339_opts(SecondsFormat::Millis, true));
            let query = LogQuery {
                service: Some(service.clone()),
                since: time(since),
                until: time(until),
                limit: Some(AROUND_MAX),
                ..LogQuery::default()
            };
            let records =
                clients.log.search(&query).await.map(|page| page.records.into_iter().rev().collect());
            let records = records.map_err(|error| error.to_string());
            Action::Around(Around { incident, service, records })
        }
        // What they leave stale, their feeds say.
        Effect::Uptimes => return clients.monitor.uptime(None).await.ok().map(Action::Uptimes),
        Effect::Lease { service, instance } => {
            return clients.registry.lease(&service, &instance).await.ok().map(Action::Lease);
        }
        Effect::Filter(filter) => {
            let outcome = accepts(&clients.log, &filter).await.map_err(Failure::from);
            Action::LogFiltered { filter, outcome }
        }
        Effect::Check(query) => {
            let outcome = accepts_query(&clients.log, &query).await.map_err(Failure::from);
            Action::LogChecked { query, outcome }
        }
        Effect::Page { generation, filter, side, from } => {
            let page = log::next(&clients.log, &filter, side, from).await.map_err(Failure::from);
            Action::LogPaged { generation, side, from, page }
        }
        Effect::Find { generation, filter, from, seek } => {
            let side = if seek.forward { LogSide::Newer } else { LogSide::Older };
            let found = log::beyond(&clients.log, &filter, side, from, 1).await.map_err(Failure::from);
            let found = found.map(|(lines, _)| lines.first().map(|line| line.seq));
            Action::LogFound { generation, seek, found }
        }
        Effect::Hits { asked, filter, span } => {
            let moment = |at: DateTime<Utc>| Some(at.to_rfc3339_opts(SecondsFormat::Secs, true));
            let query =
                LogQuery { since: moment(span.since), until: moment(span.until), ..filter.to_query() };
            let hits = clients.log.hits(&query, &format!("{}s", span.step_s), "level").await;
            Action::LogHits { asked, hits: hits.map_err(Failure::from) }
        }
        Effect::Export(export) => write(export).await,
        // The program's own, or a feed's.
        Effect::Quit
        | Effect::Suspend
        | Effect::Redraw
        | Effect::Copy(_)
        | Effect::Mouse(_)
        | Effect::Retry
        | Effect::Remember(_)
        | Effect::ShowReturned(_)
        | Effect::ShowPast(_)
        | Effect::Follow { .. } => return None,
    };
    Some(action)
}

/// All that the monitor tells of one service; what it cannot is missing.
async fn study(clients: &Clients, service: String) -> Action {
    let monitor = &clients.monitor;
    let (history, explanation, uptime) =
        tokio::join!(monitor.history(&service), monitor.explain(&service), monitor.uptime(Some(&service)));
    let uptime = uptime.ok().and_then(|reports| reports.into_iter().next());
    Action::Study(Box::new(Study { service, history: history.ok(), explanation: explanation.ok(), uptime }))
}

/// Whether the log accepts a filter: what was typed by itself, so that a place in
/// it is the one that was typed, then all of it.
async fn accepts(client: &LogClient, filter: &Filter) -> Result<(), ClientError> {
    accepts_query(client, filter.query.trim()).await?;
    let query = filter.to_query();
    if query.q == filter.query.trim() { Ok(()) } else { accepts_query(client, &query.q).await }
}

/// Whether the log accepts a query. Nothing is searched: no record is before the
/// first.
async fn accepts_query(client: &LogClient, query: &str) -> Result<(), ClientError> {
    let query = LogQuery { q: query.to_owned(), before: Some(0), limit: Some(1), ..LogQuery::default() };
    client.search_bytes(&query).await.map(drop)
}

/// Writes a file beside the runtime's thread.
async fn write(export: Box<Export>) -> Action {
    let (path, count) = (export.path.clone(), export.lines.len());
    let more = if export.more { "; the log has more that are not held here" } else { "" };
    let written = tokio::task::spawn_blocking(move || (export::write(&export), export)).await;
    let failed = |message: String| Action::Exported(Err(Failure { message, ..Failure::default() }));
    match written {
        Ok((Ok(()), _)) => Action::Exported(Ok(format!("{count} records were written to {path}{more}"))),
        Ok((Err(ExportError::Exists(_)), export)) => Action::Exists(export),
        Ok((Err(error), _)) => failed(error.to_string()),
        Err(error) => failed(format!("{path} was not written: {error}")),
    }
}
