//! The fleet as targets to scrape.

use super::App;
use crate::registry::prometheus::TargetGroup;
use crate::registry::state::Entry;
use crate::runtime::extract::Query;
use axum::extract::State;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TargetsQuery {
    /// Only instances of this service.
    service: Option<String>,
    /// Only instances with this tag.
    tag: Option<String>,
}

/// The fleet as targets for Prometheus (`http_sd`)
///
/// Always all of it, from one revision: where it cannot be told, an error is,
/// and Prometheus stays with what it has.
#[utoipa::path(get, path = "/sd/prometheus", tag = "registry", params(TargetsQuery),
    responses((status = 200, body = [TargetGroup])))]
pub async fn prometheus(
    State(app): State<App>,
    Query(query): Query<TargetsQuery>,
) -> axum::Json<Vec<TargetGroup>> {
    let (_, entries) = app.core.list(query.service.as_deref());
    let tagged =
        |entry: &&Arc<Entry>| query.tag.as_ref().is_none_or(|tag| entry.registration.tags.contains(tag));
    let listed = entries.iter().filter(tagged);
    axum::Json(listed.filter_map(|entry| TargetGroup::of(&entry.registration)).collect())
}
