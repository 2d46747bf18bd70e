//! The provider's client.

use super::ClientError;
use super::http::{Http, segment};
use crate::wire::provider::{Discovered, Discovery, Graph, Policy};
use reqwest::Method;

/// Calls the provider.
#[derive(Debug, Clone)]
pub struct ProviderClient(Http);

impl ProviderClient {
    /// A client of the provider at `base`.
    pub fn new(base: &str, client: reqwest::Client) -> Self {
        Self(Http::new(base, client))
    }

    /// One healthy instance of a service; 404 when there is none.
    ///
    /// # Errors
    /// As every call here: see [`ClientError`].
    pub async fn pick(&self, service: &str, policy: Policy) -> Result<Discovered, ClientError> {
        let path = format!("/providers/{}", segment(service));
        self.0.json(self.0.call(Method::GET, &path).query(&[("policy", policy)])).await
    }

    /// Every service and its instances.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn discovery(&self) -> Result<Discovery, ClientError> {
        self.0.get("/discovery").await
    }

    /// Who requires whom.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn graph(&self) -> Result<Graph, ClientError> {
        self.0.get("/providers/graph").await
    }
}
