//! The registry's history: what happened to whom, when and why.

use super::Registration;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// Where an entry stands: after a change's revision, and for what has no
/// revision of its own, its number. Written `17`, or `17.3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryId {
    /// The revision.
    pub revision: u64,
    /// 0 for the change itself.
    pub note: u64,
}

impl fmt::Display for HistoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.note {
            0 => write!(f, "{}", self.revision),
            note => write!(f, "{}.{note}", self.revision),
        }
    }
}

/// A text that is no [`HistoryId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an entry of the history is named by its id, such as 17 or 17.3")]
pub struct HistoryIdError;

impl FromStr for HistoryId {
    type Err = HistoryIdError;

    fn from_str(text: &str) -> Result<Self, HistoryIdError> {
        let (revision, note) = text.split_once('.').unwrap_or((text, "0"));
        let number = |text: &str| text.parse().map_err(|_| HistoryIdError);
        Ok(Self { revision: number(revision)?, note: number(note)? })
    }
}

impl Serialize for HistoryId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HistoryId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A new instance registered.
    Registered,
    /// A known instance registered with other contents.
    Updated,
    /// It was removed by request.
    Deregistered,
    /// Its lease ran out.
    Expired,
    /// Its lease ran out, together with too many others.
    Held,
}

/// What that did to the registrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// One more.
    Added,
    /// One has other contents.
    Updated,
    /// One less.
    Removed,
    /// None.
    None,
}

/// One entry of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Its id, for `after` and `before`.
    #[schema(value_type = String)]
    pub id: HistoryId,
    /// The revision after it.
    pub revision: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What it did to the registrations.
    pub change: Effect,
    /// Why.
    pub cause: Cause,
    /// More of it in words.
    #[serde(default)]
    pub detail: Option<String>,
    /// The service.
    pub service: String,
    /// The instance.
    pub instance_id: String,
    /// The registration after it; before it, where it was removed. None where
    /// nothing changed.
    #[serde(default)]
    pub registration: Option<Registration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_is_written() {
        for text in ["17", "17.3", "0"] {
            assert_eq!(text.parse::<HistoryId>().map(|id| id.to_string()), Ok(text.to_owned()));
        }
        for text in ["", ".", "x", "1.", "-1", "1.2.3"] {
            assert!(text.parse::<HistoryId>().is_err(), "{text}");
        }
    }
}
