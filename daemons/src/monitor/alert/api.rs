//! The routes of alerts.

use super::outbox::{self, Filter};
use super::{Alerts, sample};
use crate::monitor::api::limit;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Body, Query, parse_json};
use crate::runtime::listing::{Format, ListQuery};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{Local, Utc};
use futures_util::future::join_all;
use rusqlite::Connection;
use serde::Deserialize;
use shared::wire::alert::{AlertTest, AlertTested, ChannelStatus, Delivery, DeliveryState, NotificationKind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// For how long the channels may be tried: somebody waits for the answer.
const TEST_MAX: Duration = Duration::from_secs(45);

#[derive(Clone)]
struct App {
    alerts: Arc<Alerts>,
    /// One test at a time: each makes a call of every receiver.
    tests: Arc<Semaphore>,
}

/// All routes.
pub fn routes(alerts: Arc<Alerts>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_alerts))
        .routes(routes!(list_channels))
        .routes(routes!(test))
        .with_state(App { alerts, tests: Arc::new(Semaphore::new(1)) })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AlertsQuery {
    /// Only those that are `pending`, `delivered`, `given_up` or `suppressed`.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// Only those of this channel.
    channel: Option<String>,
    /// How many (100; at most 1000).
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<usize>,
    /// How many to skip: that of the next page is the sum of `offset` and `limit`.
    #[serde(default)]
    offset: usize,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// Notifications and how their delivery stands, newest first
#[utoipa::path(get, path = "/monitor/alerts", tag = "monitor", params(AlertsQuery),
    responses((status = 200, body = [Delivery],
        headers(("X-Total-Count" = u64, description = "How many notifications match, on all pages")))))]
async fn list_alerts(State(app): State<App>, Query(query): Query<AlertsQuery>) -> Result<Response, ApiError> {
    let limit = limit(query.limit)?;
    let filter = Filter { state: query.state, channel: query.channel };
    let read = move |connection: &Connection| outbox::list(connection, &filter, limit, query.offset);
    let (list, total) = app.alerts.core.database().read(read).await?;
    Ok(query.format.answer_part(&list, total))
}

/// The channels and how each does
#[utoipa::path(get, path = "/monitor/channels", tag = "monitor", params(ListQuery),
    responses((status = 200, body = [ChannelStatus])))]
async fn list_channels(
    State(app): State<App>,
    Query(ListQuery { format }): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let core = &app.alerts.core;
    let channels = &core.desk().channels.all;
    let names: Vec<String> = channels.iter().map(|channel| channel.name.clone()).collect();
    let now = Utc::now();
    let standings = core
        .database()
        .read(move |connection| {
            names
                .iter()
                .map(|name| outbox::standing(connection, name, now))
                .collect::<rusqlite::Result<Vec<_>>>()
        })
        .await?;
    let list: Vec<ChannelStatus> = channels
        .iter()
        .zip(standings)
        .map(|(channel, standing)| ChannelStatus {
            name: channel.name.clone(),
            kind: channel.kind.word().to_owned(),
            target: channel.kind.target(),
            pending: standing.pending,
            waiting_since: standing.waiting_since,
            last_error: standing.last_error,
            last_delivered: standing.last_delivered,
            quiet_until: channel.quiet.until(&now.with_timezone(&Local)),
            fallback: channel.fallback.clone(),
        })
        .collect();
    Ok(format.answer(&list))
}

/// Try whether notifications arrive
///
/// Sends one to a channel, or without a body to all, now and also in quiet
/// hours, in the way in which alerts are sent, and tells how that went.
#[utoipa::path(post, path = "/monitor/alerts/test", tag = "monitor", params(ListQuery),
    request_body = Option<AlertTest>, responses((status = 200, body = [AlertTested])))]
async fn test(
    State(app): State<App>,
    Query(ListQuery { format }): Query<ListQuery>,
    Body(body): Body,
) -> Result<Response, ApiError> {
    let wanted: AlertTest = if body.is_empty() { AlertTest::default() } else { parse_json(&body)? };
    let senders: Vec<_> = app
        .alerts
        .senders
        .iter()
        .filter(|sender| wanted.channel.as_ref().is_none_or(|name| *name == sender.name))
        .cloned()
        .collect();
    if senders.is_empty() {
        return Err(match wanted.channel {
            Some(name) => ApiError::unknown(format!("there is no channel '{name}'")),
            None => ApiError::conflict("no channel is configured: add a [[channel]] to the file"),
        });
    }
    let Ok(_one) = app.tests.try_acquire() else {
        return Err(ApiError::new(StatusCode::CONFLICT, "another test is under way; wait for its answer"));
    };
    let url = &app.alerts.core.desk().channels.url;
    let tests = senders.iter().map(async |sender| {
        let sample = sample(&sender.name, NotificationKind::Test, url.clone(), Utc::now());
        let began = Instant::now();
        let result = tokio::time::timeout(TEST_MAX, sender.send(&sample)).await;
        let error = match result {
            Ok(result) => result.err().map(|error| error.words()),
            Err(_) => Some(format!("no answer within {} s", TEST_MAX.as_secs())),
        };
        let latency = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        AlertTested { channel: sender.name.clone(), ok: error.is_none(), error, latency }
    });
    let tested: Vec<AlertTested> = join_all(tests).await;
    Ok(format.answer(&tested))
}
