//! A POST to a receiver, and what its answer means.

use super::SendError;
use crate::settings::Secret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use shared::client::root_cause;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How much of a refusal's body is read.
const BODY_MAX: usize = 1_000;

/// A place to post to.
pub struct Post {
    client: Client,
    url: String,
    headers: HeaderMap,
}

impl Post {
    /// Posts a body of this type there.
    pub fn new(client: &Client, url: &str, content_type: &str) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        let content_type =
            HeaderValue::from_str(content_type).map_err(|_| "content_type: that is no media type")?;
        headers.insert(CONTENT_TYPE, content_type);
        Ok(Self { client: client.clone(), url: url.to_owned(), headers })
    }

    /// With more headers.
    pub fn headers(mut self, more: &BTreeMap<String, Secret>) -> Result<Self, String> {
        for (name, value) in more {
            let wrong = || format!("headers: '{name}' is no header that can be sent");
            let key: HeaderName = name.parse().map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            self.headers.insert(key, value);
        }
        Ok(self)
    }

    /// With a bearer token, given or in a file.
    pub fn token(mut self, token: &Option<Secret>, file: &Option<PathBuf>) -> Result<Self, String> {
        let token = match (token, file) {
            (Some(token), _) => token.reveal().to_owned(),
            (None, Some(path)) => super::read(path)?,
            (None, None) => return Ok(self),
        };
        let mut value =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| "token: it cannot be sent")?;
        value.set_sensitive(true);
        self.headers.insert(AUTHORIZATION, value);
        Ok(self)
    }

    /// One attempt; accepted is any status of success.
    pub async fn send(&self, key: Option<&str>, body: String) -> Result<(), SendError> {
        let mut request = self.client.post(&self.url).headers(self.headers.clone()).body(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request
            .send()
            .await
            .map_err(|error| SendError::Away(format!("not reachable: {}", root_cause(&error))))?;
        if response.status().is_success() { Ok(()) } else { Err(refusal(response).await) }
    }
}

/// A status that the next notification would get as well says that the
/// receiver is away, or that the channel is not set up as it should be.
async fn refusal(mut response: Response) -> SendError {
    let status = response.status();
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await
        && body.len() < BODY_MAX
    {
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8_lossy(&body);
    let words = match body.trim() {
        "" => format!("it answered {status}"),
        body => format!("it answered {status}: {body}"),
    };
    match status {
        StatusCode::BAD_REQUEST
        | StatusCode::CONFLICT
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => SendError::Refused(words),
        _ => SendError::Away(words),
    }
}
