//! HTTP as every client here uses it.

use super::ClientError;
use crate::wire::TOTAL_HEADER;
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Once;
use std::time::Duration;

/// For how long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For how long a call may take as a whole.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// For how long a stream may be silent: three times the pause between two of
/// the server's keep-alive comments.
pub const STREAM_SILENCE_MAX: Duration = Duration::from_secs(45);
/// Kept connections are dropped before the server's idle limit is reached, so
/// that no request is sent into a connection that is being closed.
const POOL_IDLE_MAX: Duration = Duration::from_secs(5);

/// A client that follows no redirect and uses no proxy.
///
/// A machine without a bundle of certificate authorities still gets a client;
/// it reaches `http://`, and `https://` fails there with a clear error.
pub fn builder() -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error means that the program has installed one: that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_MAX)
        .user_agent(concat!("distlog/", env!("CARGO_PKG_VERSION")))
}

/// Builds what `configure` makes of [`builder`].
///
/// # Errors
/// When the TLS library cannot be set up even without authorities.
pub fn build(
    configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, reqwest::Error> {
    configure(builder()).build().or_else(|_| configure(builder()).tls_certs_only([]).build())
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    /// The entries of this part.
    pub rows: Vec<T>,
    /// How many entries the whole list has.
    pub total: usize,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), total: 0 }
    }
}

impl<T> From<Vec<T>> for Part<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { total: rows.len(), rows }
    }
}

/// One daemon, called over HTTP.
#[derive(Debug, Clone)]
pub(super) struct Http {
    base: String,
    client: reqwest::Client,
}

impl Http {
    /// `base` is the daemon's URL, with or without a slash at its end.
    pub(super) fn new(base: &str, client: reqwest::Client) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), client }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// A call with a bound on its whole duration.
    pub(super) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).timeout(CALL_TIMEOUT)
    }

    /// A request for a stream of events, which may go on for ever.
    pub(super) fn stream(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    /// Sends a request for a stream: its head must come in time, its body may
    /// go on for ever.
    pub(super) async fn open(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        tokio::time::timeout(CALL_TIMEOUT, self.send(request))
            .await
            .unwrap_or_else(|_| Err(ClientError::Timeout { url: self.base.clone() }))
    }

    /// Sends, and turns a refusal into an error.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|e| ClientError::transport(&self.base, &e))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.unwrap_or_default();
        Err(ClientError::refused(status, &body))
    }

    /// Sends, and reads the answer's JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let body = self.bytes(request).await?;
        serde_json::from_slice(&body).map_err(|e| ClientError::unexpected(&self.base, e))
    }

    /// Sends, and reads the answer's body.
    pub(super) async fn bytes(&self, request: RequestBuilder) -> Result<Bytes, ClientError> {
        let response = self.send(request).await?;
        response.bytes().await.map_err(|e| ClientError::transport(&self.base, &e))
    }

    /// Sends, and reads a part of a list and the total that the answer states. A
    /// daemon of an earlier version states none: then it is the part's length.
    pub(super) async fn part<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Part<T>, ClientError> {
        let response = self.send(request).await?;
        let total = response.headers().get(TOTAL_HEADER).and_then(|total| total.to_str().ok()?.parse().ok());
        let body = response.bytes().await.map_err(|e| ClientError::transport(&self.base, &e))?;
        let rows: Vec<T> =
            serde_json::from_slice(&body).map_err(|e| ClientError::unexpected(&self.base, e))?;
        let total = total.unwrap_or(rows.len()).max(rows.len());
        Ok(Part { rows, total })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.json(self.call(Method::GET, path)).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, ClientError> {
        self.json(self.call(Method::POST, path).json(body)).await
    }
}

/// A path segment in which every byte that is not unreserved is escaped
/// (RFC 3986, 2.3), so that a name with slashes stays one segment. A name of
/// one or two dots has no segment, escaped or not: no daemon takes it.
pub fn segment(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(name.len());
    for b in name.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}
