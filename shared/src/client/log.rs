//! The log's client.

use super::http::Http;
use super::{ClientError, sse};
use crate::wire::log::{Accepted, Hits, Lagged, Level, NewRecord, Page, Record, Stats};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;

/// Calls the log service.
#[derive(Debug, Clone)]
pub struct LogClient(Http);

/// What to search, count or tail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LogQuery {
    /// The query, in the query language.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// Only this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Only this level or graver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Not before this time (RFC 3339, or a span ago).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Not at or after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Only records after this sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only records before this sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which come first; the newest unless it says otherwise. Only a search
    /// knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

impl LogQuery {
    /// Before any record that is not stored yet. As [`Self::before`] it asks for
    /// the order of storing, in which a record that came late is a new one.
    pub const END: u64 = u64::MAX - 1;
}

/// In which order a search is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

/// What a tail tells.
#[derive(Debug, Clone, PartialEq)]
pub enum TailEvent {
    /// A record.
    Record(Box<Record>),
    /// So many records were not told because this reader was too slow.
    Lagged(u64),
}

impl LogClient {
    /// A client of the log service at `base`.
    pub fn new(base: &str, client: reqwest::Client) -> Self {
        Self(Http::new(base, client))
    }

    /// Where the log service is.
    pub fn base(&self) -> &str {
        self.0.base()
    }

    /// Stores records: all of them or none. With a key, a repetition of the
    /// call stores nothing and gets the first answer.
    ///
    /// # Errors
    /// As every call here: see [`ClientError`].
    pub async fn append(&self, records: &[NewRecord], key: Option<&str>) -> Result<Accepted, ClientError> {
        let mut request = self.0.call(Method::POST, "/log").json(records);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.0.json(request).await
    }

    /// Stores a text as one record of the level info.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn append_text(&self, service: &str, text: String) -> Result<Accepted, ClientError> {
        let request = self.0.call(Method::POST, "/log").query(&[("service", service)]);
        self.0.json(request.header("content-type", "text/plain").body(text)).await
    }

    /// The newest records that match, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn search(&self, query: &LogQuery) -> Result<Page, ClientError> {
        self.newest(query, None).await
    }

    /// As [`Self::search`]; with the `next` of a page of these, those that come
    /// before it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn newest(&self, query: &LogQuery, next: Option<&str>) -> Result<Page, ClientError> {
        let before = next.map(|next| ("before", next));
        self.0
            .json(
                self.0
                    .call(Method::GET, "/log")
                    .query(query)
                    .query(&[("format", "json")])
                    .query(&before.as_slice()),
            )
            .await
    }

    /// The sequence of the record that was stored last; 0 in an empty log.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn last_seq(&self) -> Result<u64, ClientError> {
        let query = LogQuery { before: Some(LogQuery::END), limit: Some(1), ..LogQuery::default() };
        Ok(self.search(&query).await?.records.first().map_or(0, |record| record.seq))
    }

    /// The oldest records that match, oldest first; with the `next` of a page of
    /// these, those that come after it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn oldest(&self, query: &LogQuery, next: Option<&str>) -> Result<Page, ClientError> {
        let after = next.map(|next| ("after", next));
        let request = self.0.call(Method::GET, "/log").query(query).query(&after.as_slice());
        self.0.json(request.query(&[("format", "json"), ("order", "asc")])).await
    }

    /// As [`Self::search`], but the answer's bytes, a [`Page`] in JSON: for
    /// readers that hold records in a form of their own.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn search_bytes(&self, query: &LogQuery) -> Result<Bytes, ClientError> {
        self.0.bytes(self.0.call(Method::GET, "/log").query(query).query(&[("format", "json")])).await
    }

    /// Counts over time, `by` labels, in steps such as `1m`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn hits(&self, query: &LogQuery, step: &str, by: &str) -> Result<Hits, ClientError> {
        self.counted("/log/hits", query, &[("step", step), ("by", by)]).await
    }

    /// Counts by label.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn stats(&self, query: &LogQuery, by: &str) -> Result<Stats, ClientError> {
        self.counted("/log/stats", query, &[("by", by)]).await
    }

    async fn counted<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &LogQuery,
        more: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        self.0.json(self.0.call(Method::GET, path).query(query).query(more)).await
    }

    /// The neighbours of one record in its service, oldest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn context(&self, seq: u64, before: u32, after: u32) -> Result<Vec<Record>, ClientError> {
        let request = self.0.call(Method::GET, "/log/context").query(&[
            ("seq", seq.to_string()),
            ("before", before.to_string()),
            ("after", after.to_string()),
            ("format", "json".to_owned()),
        ]);
        Ok(self.0.json::<Page>(request).await?.records)
    }

    /// Follows the log. With `query.after`, everything since is told first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn tail(
        &self,
        query: &LogQuery,
    ) -> Result<impl Stream<Item = Result<TailEvent, ClientError>> + Send + use<>, ClientError> {
        let request: RequestBuilder = self.0.stream("/log/tail").query(query);
        let response = self.0.open(request).await?;
        let base = self.base().to_owned();
        Ok(sse::events(base.clone(), response).filter_map(move |event| {
            let event = event.and_then(|event| parse(&base, &event)).transpose();
            async move { event }
        }))
    }

    /// As [`Self::tail`], but the bytes as they come, cut anywhere: a record a
    /// line in JSON, and `{"missed":n}` where this reader was too slow. A quiet
    /// log sends nothing at all, so whoever reads it has to look after the
    /// connection itself.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn tail_bytes(
        &self,
        query: &LogQuery,
    ) -> Result<impl Stream<Item = Result<Bytes, ClientError>> + Send + use<>, ClientError> {
        let request = self.0.stream("/log/tail").query(query).query(&[("format", "ndjson")]);
        let response = self.0.open(request).await?;
        let base = self.base().to_owned();
        Ok(response.bytes_stream().map(move |chunk| chunk.map_err(|e| ClientError::transport(&base, &e))))
    }
}

fn parse(base: &str, event: &sse::Event) -> Result<Option<TailEvent>, ClientError> {
    let unexpected = |e| ClientError::unexpected(base, e);
    match event.name.as_str() {
        "message" => {
            Ok(Some(TailEvent::Record(Box::new(serde_json::from_str(&event.data).map_err(unexpected)?))))
        }
        "lagged" => {
            let Lagged { missed } = serde_json::from_str(&event.data).map_err(unexpected)?;
            Ok(Some(TailEvent::Lagged(missed)))
        }
        _ => Ok(None),
    }
}
