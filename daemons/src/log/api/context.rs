//! `GET /log/context`.

use super::answer::RecordFormat;
use super::held_body::held_body;
use super::{App, bounded};
use crate::log::limits::{NEIGHBOURS_MAX, WHOLE_LEN_MAX};
use crate::log::output::{self, Form};
use crate::log::query::Filter;
use crate::log::search::{Budget, Order, Reservation, WAIT_MAX, walk};
use crate::log::store::Snapshot;
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::peer::Peer;
use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared::wire::log::{Page, Record};
use std::ops::ControlFlow;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContextQuery {
    /// The record.
    seq: u64,
    /// How many before it (10).
    before: Option<usize>,
    /// How many after it (10).
    after: Option<usize>,
    /// `ndjson` (default), `json` or `text`.
    #[serde(default)]
    #[param(inline)]
    format: RecordFormat,
}

/// The neighbours of one record in its service, oldest first
#[utoipa::path(get, path = "/log/context", tag = "log", params(ContextQuery),
    responses((status = 200, content((Record = "application/x-ndjson"), (Page = "application/json"), (String = "text/plain")))))]
pub async fn context(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Query(query): Query<ContextQuery>,
) -> Result<Response, ApiError> {
    let side = |field, count: Option<usize>| match count {
        Some(0) => Ok(0),
        count => bounded(field, count.unwrap_or(10), NEIGHBOURS_MAX),
    };
    let (before, after) = (side("before", query.before)?, side("after", query.after)?);
    let admitted = app.admit(peer.client()).await?;
    let snapshot = app.store.snapshot();
    let form = if query.format == RecordFormat::Text { Form::Text } else { Form::Json };
    let look = move |budget: &Budget| neighbours(&snapshot, query.seq, before, after, budget, form);
    let found = admitted.run(look).await??;
    let Neighbours { records, partial, reserved } =
        found.ok_or_else(|| ApiError::unknown(format!("no record has the sequence {}", query.seq)))?;
    let body = match query.format {
        RecordFormat::Text => records.concat(),
        RecordFormat::Ndjson => {
            let mut body = records.join(&b'\n');
            body.push(b'\n');
            body
        }
        RecordFormat::Json => {
            let mut body = b"{\"records\":[".to_vec();
            body.extend_from_slice(&records.join(&b','));
            body.extend_from_slice(format!("],\"next\":null,\"partial\":{partial}}}").as_bytes());
            body
        }
    };
    drop((records, reserved));
    let body = held_body(&app.answers, body)?;
    Ok(([(header::CONTENT_TYPE, query.format.media_type())], body).into_response())
}

/// A record and its neighbours, written.
struct Neighbours {
    records: Vec<Vec<u8>>,
    partial: bool,
    /// What they take, and what it takes to join them.
    reserved: Reservation,
}

/// The record and its neighbours; none when there is no such record.
fn neighbours(
    snapshot: &Snapshot,
    seq: u64,
    before: usize,
    after: usize,
    budget: &Budget,
    form: Form,
) -> Result<Option<Neighbours>, ApiError> {
    let all = || Filter::parse("").map_err(ApiError::internal);
    let mut service = None;
    let mut partial =
        walk(snapshot, &all()?.between(seq, seq.saturating_add(1)), Order::FirstStored, 1, budget, |hit| {
            service = Some(hit.line.service().into_owned());
            ControlFlow::Break(())
        })
        .partial;
    let Some(service) = service else {
        if partial {
            let why = format!("the record {seq} is in a part of the log that cannot be read");
            return Err(ApiError::unavailable(why, 60));
        }
        return Ok(None);
    };
    let mut reserved = budget.memory.reservation();
    let mut collect = |from, to, order, limit: usize| -> Result<Vec<Vec<u8>>, ApiError> {
        let mut records = Vec::new();
        if limit == 0 {
            return Ok(records);
        }
        let filter = all()?.service(&service).between(from, to);
        let mut len = 0;
        let mut starved = false;
        partial |= walk(snapshot, &filter, order, limit, budget, |hit| {
            let mut text = Vec::new();
            output::write(&mut text, form, hit.seq, hit.raw, hit.line);
            starved = !reserved.resize(reserved.len() + 3 * text.len(), WAIT_MAX);
            if starved {
                return ControlFlow::Break(());
            }
            len += text.len();
            records.push(text);
            if len >= WHOLE_LEN_MAX / 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .partial;
        partial |= starved;
        Ok(records)
    };
    let mut records = collect(0, seq, Order::LastStored, before)?;
    records.reverse();
    records.extend(collect(seq, u64::MAX, Order::FirstStored, after + 1)?);
    Ok(Some(Neighbours { records, partial, reserved }))
}
