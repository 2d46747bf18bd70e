//! `POST /log`.

use super::bodies::blocking;
use super::{App, level};
use crate::log::assumed::Assumed;
use crate::log::batch::{Batch, Defaults};
use crate::log::codec::checksum;
use crate::log::ingest::{BodyError, BodyKind, DecodeError, Encoding, read};
use crate::log::limits::KEY_MAX;
use crate::log::retention::Policy;
use crate::log::store::{AppendError, RequestKey};
use crate::runtime::body;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Query, media_type};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use shared::wire::log::{Accepted, Appended, NewRecord};
use std::sync::Arc;
use utoipa::IntoParams;

const KEY_HEADER: &str = "Idempotency-Key";

/// A body larger than this, or packed, is read beside the runtime's threads.
const INLINE_MAX: usize = 64 * 1024;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AppendQuery {
    /// The service of records that name none.
    service: Option<String>,
    /// The level of records that name none.
    level: Option<String>,
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        let retry_after_s = match error {
            AppendError::KeyReused => {
                return Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).field(KEY_HEADER);
            }
            AppendError::Full | AppendError::Later(_) | AppendError::Closed => 5,
            AppendError::Broken(_) => 60,
        };
        Self::unavailable(error.to_string(), retry_after_s)
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let detail = error.to_string();
        match error {
            BodyError::Empty | BodyError::Syntax { .. } => Self::malformed(detail),
            BodyError::Record { error, .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail).field(&error.field)
            }
        }
    }
}

impl From<DecodeError> for ApiError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooLarge(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
            DecodeError::Broken(_) => Self::malformed(error.to_string()),
        }
    }
}

/// Store records; answered when they are on disk
///
/// `text/plain` (or no type): the whole body is one record. `application/json`:
/// one record or an array. `application/x-ndjson`: one a line. gzip, deflate and
/// zstd bodies are unpacked. With an `Idempotency-Key` a repetition stores
/// nothing and gets the first answer; the same key with another body, type or
/// default is 422. `ts` is read in many forms, best is RFC 3339: what was assumed
/// to read it is in `notes`. `expires` counts records so old that the log deletes
/// them soon.
#[utoipa::path(post, path = "/log", tag = "log", params(AppendQuery, ("Idempotency-Key" = Option<String>, Header,
    description = "A repetition with the same key stores nothing and gets the first answer")), request_body(content(
    (NewRecord = "application/json"), (String = "text/plain"), (NewRecord = "application/x-ndjson")
)), responses((status = 200, body = Appended)))]
pub async fn append(
    State(app): State<App>,
    Query(query): Query<AppendQuery>,
    request: Request,
) -> Result<Json<Appended>, ApiError> {
    let headers = request.headers();
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?")).unwrap_or_default();
    let media_type = media_type(text(header::CONTENT_TYPE));
    let kind = BodyKind::of(&media_type).ok_or_else(|| {
        unsupported(format!(
            "'{media_type}' is not taken here: send text/plain, application/json or application/x-ndjson"
        ))
    })?;
    let encoding = Encoding::of(text(header::CONTENT_ENCODING)).ok_or_else(|| {
        unsupported("that content-encoding is not taken here: send gzip, deflate, zstd or none".to_owned())
    })?;
    let key = idempotency_key(headers)?;
    let defaults = Defaults::now(level(query.level.as_deref())?, query.service);
    let max = app.body_max;
    let mut room = app.bodies.reserve();
    let body = body::read(request, max, &mut room).await?;
    let intake = Intake { kind, defaults, key, policy: Arc::clone(&app.retention) };
    let ready = if encoding == Encoding::Identity && body.len() <= INLINE_MAX {
        intake.read(&body)?
    } else {
        let body = app.bodies.unpack(encoding, body, max, &mut room).await?;
        blocking(move || intake.read(&body)).await??
    };
    let Ready { batch, key, expires, notes } = ready;
    // The body is gone; from here on its lines are what is held.
    room.grow(batch.lines.len()).await?;
    room.shrink(batch.lines.len());
    let Accepted { accepted, first, last } = app.store.append(batch, key, room).await?;
    Ok(Json(Appended { accepted, first, last, expires, notes }))
}

/// What is known of a request before its body is read.
struct Intake {
    kind: BodyKind,
    defaults: Defaults,
    key: Option<String>,
    policy: Arc<Policy>,
}

/// Records to be stored, and what is answered with their sequences.
struct Ready {
    batch: Batch,
    key: Option<RequestKey>,
    expires: u64,
    notes: Vec<String>,
}

impl Intake {
    fn read(self, body: &[u8]) -> Result<Ready, ApiError> {
        let batch = read(self.kind, body, &self.defaults)?;
        let request = if self.key.is_some() { self.fingerprint(body) } else { 0 };
        let key = self.key.map(|key| RequestKey { key, request });
        let expires = match batch.span {
            Some((earliest_ns, _)) if self.policy.may_expire(earliest_ns, self.defaults.ts_ns) => {
                self.policy.expired(&batch.lines, self.defaults.ts_ns)
            }
            _ => 0,
        };
        let assumed = Assumed::ALL.iter().filter(|(one, ..)| batch.assumed.has(*one));
        let notes = assumed.map(|(_, what, _)| format!("ts with {what}")).collect();
        Ok(Ready { batch, key, expires, notes })
    }

    /// A hash of what determines the records, except for the time of arrival. It
    /// is taken of the unpacked body: a retry may choose another encoding.
    fn fingerprint(&self, body: &[u8]) -> u64 {
        let Defaults { level, service, .. } = &self.defaults;
        let head = format!("{:?} {level} {} {service} {:016x}", self.kind, service.len(), checksum(body));
        checksum(head.as_bytes())
    }
}

fn unsupported(detail: String) -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(key) = headers.get(KEY_HEADER) else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=KEY_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => {
            Err(ApiError::malformed(format!("an idempotency key is 1 to {KEY_MAX} visible ASCII characters"))
                .field(KEY_HEADER))
        }
    }
}
