//! `GET /log/tail`.

use super::{App, which};
use crate::log::output::Form;
use crate::log::tail::{Told, follow};
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::sse;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use shared::wire::log::Lagged;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// How a tail is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TailFormat {
    /// Server-sent events.
    #[default]
    Sse,
    /// A record a line.
    Ndjson,
    /// The lines as in the file.
    Text,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TailQuery {
    /// What to look for, in the query language.
    q: Option<String>,
    /// Only this service.
    service: Option<String>,
    /// Only this level or graver.
    level: Option<String>,
    /// Not before: RFC 3339, or a span ago.
    since: Option<String>,
    /// Before: RFC 3339, or a span ago.
    until: Option<String>,
    /// Replay everything after this sequence first.
    after: Option<u64>,
    /// `sse` (default), `ndjson` or `text`.
    #[serde(default)]
    #[param(inline)]
    format: TailFormat,
}

/// Follow the log
///
/// With `after` (or `Last-Event-ID`) everything since is told first, then what
/// comes, with no gap and no repeat. A reader that follows live and falls too far
/// behind is told how many records it missed: the event `lagged`.
#[utoipa::path(get, path = "/log/tail", tag = "log", params(TailQuery),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub async fn tail(
    State(app): State<App>,
    Query(query): Query<TailQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let which = which!(query);
    let place = Arc::clone(&app.tails)
        .try_acquire_owned()
        .map_err(|_| ApiError::unavailable("too many tails are open", 5))?;
    let filter = which.filter().await?;
    let last = match headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty())
    {
        None => query.after,
        Some(id) => Some(
            id.parse().map_err(|_| ApiError::malformed("Last-Event-ID must be the sequence of a record"))?,
        ),
    };
    // A sequence that was never reached is of another log: begin where this one is.
    let next_seq = app.store.next_seq();
    let from = last.map_or(next_seq, |last| last.saturating_add(1).min(next_seq));
    let following = app.store.follow(from);
    Ok(match query.format {
        TailFormat::Sse => {
            let told = follow(following, filter, Form::Json, place);
            sse::answer(app.stop.clone(), told.flat_map(stream::iter).map(|told| event(&told)))
        }
        TailFormat::Ndjson => {
            lines(app, follow(following, filter, Form::Json, place), "application/x-ndjson", |told, out| {
                match told {
                    Told::Record { text, .. } => {
                        out.extend_from_slice(&text);
                        out.push(b'\n');
                    }
                    Told::Lagged(missed) => {
                        out.extend_from_slice(format!("{{\"missed\":{missed}}}\n").as_bytes())
                    }
                }
            })
        }
        TailFormat::Text => lines(
            app,
            follow(following, filter, Form::Text, place),
            "text/plain; charset=utf-8",
            |told, out| match told {
                Told::Record { text, .. } => out.extend_from_slice(&text),
                Told::Lagged(missed) => {
                    out.extend_from_slice(format!("# {missed} records were missed: too slow\n").as_bytes());
                }
            },
        ),
    })
}

fn event(told: &Told) -> Event {
    match told {
        Told::Record { seq, text } => {
            Event::default().id(seq.to_string()).data(String::from_utf8_lossy(text))
        }
        Told::Lagged(missed) => {
            Event::default().event("lagged").json_data(Lagged { missed: *missed }).unwrap_or_default()
        }
    }
}

/// A stream of lines for `curl -N`.
fn lines(
    app: App,
    told: impl Stream<Item = Vec<Told>> + Send + 'static,
    media_type: &'static str,
    write: fn(Told, &mut Vec<u8>),
) -> Response {
    let chunks = told
        .map(move |told| {
            let mut out = Vec::new();
            told.into_iter().for_each(|told| write(told, &mut out));
            Ok::<_, std::convert::Infallible>(Bytes::from(out))
        })
        .filter(|chunk| std::future::ready(chunk.as_ref().is_ok_and(|chunk| !chunk.is_empty())))
        .take_until(app.stop.clone().cancelled_owned());
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], Body::from_stream(chunks))
        .into_response()
}
