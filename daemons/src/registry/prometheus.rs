//! The fleet as Prometheus discovers it (`http_sd`).
//!
//! <https://prometheus.io/docs/prometheus/latest/http_sd/>

use serde::Serialize;
use shared::wire::registry::Registration;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One target and its labels.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TargetGroup {
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
}

impl TargetGroup {
    /// An instance as a target: what speaks HTTP.
    pub fn of(registration: &Registration) -> Option<Self> {
        let url = reqwest::Url::parse(&registration.service_url).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let mut labels = BTreeMap::from([
            ("__meta_distlog_service".to_owned(), registration.service_name.clone()),
            ("__meta_distlog_instance".to_owned(), registration.instance_id.clone()),
            ("__meta_distlog_version".to_owned(), registration.service_version.clone().unwrap_or_default()),
            // Commas around every tag, as in Prometheus' own discovery, so that
            // a rule can look for ",tag,".
            ("__meta_distlog_tags".to_owned(), format!(",{},", registration.tags.join(","))),
            ("__scheme__".to_owned(), url.scheme().to_owned()),
        ]);
        for (key, value) in &registration.metadata {
            labels.insert(format!("__meta_distlog_metadata_{}", label_name(key)), value.clone());
        }
        let target = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        Some(Self { targets: vec![target], labels })
    }
}

/// What is no letter, digit or underscore becomes an underscore.
fn label_name(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
