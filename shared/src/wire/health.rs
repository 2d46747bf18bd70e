//! `GET /health` of every daemon, after draft-inadarei-api-health-check-06.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The media type of a [`Health`] document.
pub const MEDIA_TYPE: &str = "application/health+json";

/// How well a daemon does, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CheckStatus)]
pub enum Status {
    /// All is well.
    Pass,
    /// It serves, but somebody should look.
    Warn,
    /// It cannot do its work.
    Fail,
}

/// One part of a daemon and how it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// How it does.
    pub status: Status,
    /// Why, in words; absent when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// What `GET /health` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The worst of all checks.
    pub status: Status,
    /// Which service this is.
    pub service_id: String,
    /// The version of the program.
    pub version: String,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// The parts, by name.
    pub checks: BTreeMap<String, Check>,
}
