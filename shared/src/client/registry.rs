//! The registry's client.

use super::http::{Http, segment};
use super::{ClientError, sse};
use crate::wire::registry::{
    Bookmark, Change, ChangeKind, Deregistered, GuardStatus, HistoryEntry, INDEX_HEADER, Lease, LeaseStatus,
    Place, Register, Registration, ServiceHealth, Snapshot,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::Method;
use serde::de::DeserializeOwned;

/// Calls a registry.
#[derive(Debug, Clone)]
pub struct RegistryClient(Http);

/// What a watch tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEvent {
    /// All there is: forget what was known before.
    Snapshot(Place, Snapshot),
    /// One change.
    Change(Place, Box<Change>),
    /// Everything up to this place has been told.
    Bookmark(Place),
}

impl RegistryClient {
    /// A client of the registry at `base`.
    pub fn new(base: &str, client: reqwest::Client) -> Self {
        Self(Http::new(base, client))
    }

    /// Where the registry is.
    pub fn base(&self) -> &str {
        self.0.base()
    }

    /// Registers an instance, or renews and updates it.
    ///
    /// # Errors
    /// As every call here: see [`ClientError`].
    pub async fn register(&self, register: &Register) -> Result<Registration, ClientError> {
        self.0.post("/services", register).await
    }

    /// Renews the lease of a registration that was made at `revision`. 404 (unknown)
    /// and 409 (another registration replaced it) tell the client to register again.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn heartbeat(
        &self,
        service: &str,
        instance: &str,
        revision: u64,
    ) -> Result<Lease, ClientError> {
        let path = format!("/services/{}/{}/lease", segment(service), segment(instance));
        self.0.json(self.0.call(Method::PUT, &path).query(&[("revision", revision)])).await
    }

    /// How an instance's lease stands.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn lease(&self, service: &str, instance: &str) -> Result<LeaseStatus, ClientError> {
        self.0.get(&format!("/services/{}/{}/lease", segment(service), segment(instance))).await
    }

    /// Removes one instance.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn deregister(&self, service: &str, instance: &str) -> Result<Deregistered, ClientError> {
        let path = format!("/services/{}/{}", segment(service), segment(instance));
        self.0.json(self.0.call(Method::DELETE, &path)).await
    }

    /// All registrations, and the revision that they are of.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn services(&self) -> Result<(u64, Vec<Registration>), ClientError> {
        let (revision, body) = self.services_bytes().await?;
        let services = serde_json::from_slice(&body).map_err(|e| ClientError::unexpected(self.base(), e))?;
        Ok((revision, services))
    }

    /// As [`Self::services`], not parsed: whoever asks again and again need not
    /// read the same answer twice.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn services_bytes(&self) -> Result<(u64, Bytes), ClientError> {
        let response = self.0.send(self.0.call(Method::GET, "/services")).await?;
        let revision = response
            .headers()
            .get(INDEX_HEADER)
            .and_then(|v| v.to_str().ok()?.parse().ok())
            .ok_or_else(|| ClientError::unexpected(self.base(), "no revision"))?;
        let body = response.bytes().await.map_err(|e| ClientError::transport(self.base(), &e))?;
        Ok((revision, body))
    }

    /// Whether expiry is held back, for whom and until when.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn guard(&self) -> Result<GuardStatus, ClientError> {
        self.0.get("/services/guard").await
    }

    /// The newest entries of a service's history, newest first: at most so many,
    /// and no more than 1000.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn history(&self, service: &str, limit: usize) -> Result<Vec<HistoryEntry>, ClientError> {
        self.0.get(&format!("/services/history?service={}&limit={limit}", segment(service))).await
    }

    /// Probes a service now.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn health(&self, service: &str) -> Result<ServiceHealth, ClientError> {
        self.0.get(&format!("/health/{}", segment(service))).await
    }

    /// Watches all services: a snapshot and then every change, or, with a place
    /// to resume from, every change since. Refused with 410 when the registry
    /// no longer knows that place.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn watch(
        &self,
        resume: Option<Place>,
    ) -> Result<impl Stream<Item = Result<WatchEvent, ClientError>> + Send + use<>, ClientError> {
        let mut request = self.0.stream("/services/watch");
        if let Some(place) = resume {
            request = request.header("last-event-id", place.to_string());
        }
        let response = self.0.open(request).await?;
        let base = self.base().to_owned();
        Ok(sse::events(base.clone(), response).filter_map(move |event| {
            let event = event.and_then(|event| parse(&base, &event)).transpose();
            async move { event }
        }))
    }
}

/// An event of an unknown name is skipped: a newer registry may send more.
fn parse(base: &str, event: &sse::Event) -> Result<Option<WatchEvent>, ClientError> {
    fn data<T: DeserializeOwned>(base: &str, event: &sse::Event) -> Result<T, ClientError> {
        serde_json::from_str(&event.data).map_err(|e| ClientError::unexpected(base, e))
    }
    let place = || -> Result<Place, ClientError> {
        let id = event.id.as_deref().unwrap_or_default();
        id.parse().map_err(|e| ClientError::unexpected(base, e))
    };
    let change = |kind| -> Result<Option<WatchEvent>, ClientError> {
        Ok(Some(WatchEvent::Change(place()?, Box::new(Change { kind, registration: data(base, event)? }))))
    };
    match event.name.as_str() {
        "snapshot" => Ok(Some(WatchEvent::Snapshot(place()?, data(base, event)?))),
        "bookmark" => data::<Bookmark>(base, event).and(Ok(Some(WatchEvent::Bookmark(place()?)))),
        "registered" => change(ChangeKind::Registered),
        "updated" => change(ChangeKind::Updated),
        "deregistered" => change(ChangeKind::Deregistered),
        "expired" => change(ChangeKind::Expired),
        _ => Ok(None),
    }
}
