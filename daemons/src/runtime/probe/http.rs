//! The probe by an HTTP request.

use super::address::{self, Guard, Refusal};
use super::spec::Http;
use super::{Failure, Passed, body, certificate};
use reqwest::tls::TlsInfo;
use reqwest::{Client, Response, redirect};
use shared::client::{http, root_cause};
use shared::credentials::without_password;
use shared::wire::health;
use shared::wire::monitor::Phase;
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 5;
/// Of a header's value so many characters are told.
const TOLD_MAX: usize = 100;

/// A client that follows no redirect, and one that does.
#[derive(Clone)]
pub struct Clients {
    plain: Client,
    following: Client,
}

impl Clients {
    pub fn new() -> Result<Self, reqwest::Error> {
        let guarded = |builder: reqwest::ClientBuilder| {
            builder.pool_max_idle_per_host(0).dns_resolver(Arc::new(Guard)).tls_info(true)
        };
        Ok(Self {
            plain: http::build(guarded)?,
            following: http::build(|builder| guarded(builder).redirect(redirect::Policy::custom(hop)))?,
        })
    }

    /// Whether the answer is what it has to be.
    pub async fn probe(&self, probe: &Http) -> Passed {
        address::check(&probe.url)?;
        let client = if probe.follow { &self.following } else { &self.plain };
        let request = client.get(probe.url.clone()).headers(probe.headers.clone());
        let mut response = request.send().await.map_err(|e| classify(&e))?;
        let status = response.status();
        if !probe.status.has(status.as_u16()) {
            let mut detail = format!("status {status}");
            if let Some(place) = header(&response, "location").filter(|_| status.is_redirection()) {
                detail
                    .push_str(&format!(", to {}: redirects are not followed here", without_password(&place)));
            }
            return Err(Failure::new(Phase::Http, detail));
        }
        for (name, wanted) in &probe.expect_headers {
            let values = response.headers().get_all(name);
            if !values.iter().any(|value| wanted.is_in(value.as_bytes())) {
                return Err(Failure::new(Phase::Http, format!("the header {name} does not hold {wanted}")));
            }
        }
        let shown = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        let warning = match shown {
            Some(der) => certificate::judge(der, probe.warn, SystemTime::now())?,
            None => None,
        };
        let is_health = header(&response, "content-type").is_some_and(|v| v.starts_with(health::MEDIA_TYPE));
        // A body of which nothing is expected may go on for ever.
        if !is_health && probe.body.is_none() {
            return Ok(warning);
        }
        let (body, complete) = body::read(&mut response).await?;
        if let Some(why) = Some(&body).filter(|_| is_health).and_then(|body| complaint(body)) {
            return Err(Failure::new(Phase::Body, format!("it reports that it fails: {why}")));
        }
        match &probe.body {
            Some(wanted) if !wanted.is_in(&body) && complete => {
                Err(Failure::new(Phase::Body, format!("the body does not hold {wanted}")))
            }
            Some(wanted) if !wanted.is_in(&body) => Err(Failure::new(
                Phase::Body,
                format!("{wanted} is not in the first {} KiB of the body; no more is read", body::MAX / 1024),
            )),
            _ => Ok(warning),
        }
    }
}

/// Looks at where a redirect leads; a name is looked at when it is resolved.
fn hop(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error(format!("more than {REDIRECTS_MAX} redirects"));
    }
    match address::check(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(refusal) => attempt.error(refusal),
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).chars().take(TOLD_MAX).collect())
}

/// Why a health document says that the service fails, if it does.
fn complaint(body: &[u8]) -> Option<String> {
    let report = serde_json::from_slice::<health::Health>(body).ok()?;
    let why = report.checks.values().find(|check| check.status == health::Status::Fail);
    let why = why.and_then(|check| check.output.clone()).unwrap_or_default();
    (report.status == health::Status::Fail).then_some(why)
}

/// The phase from what reqwest tells. A refusal of the address is ours. An
/// error of the operating system while connecting is one of the connection; any
/// other while connecting to `https://` is one of the secure session.
fn classify(error: &reqwest::Error) -> Failure {
    let chain = || std::iter::successors(error.source(), |cause| (**cause).source());
    if let Some(refusal) = chain().find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return refusal.clone().into();
    }
    let by_the_system = chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.raw_os_error().is_some());
    let secure = error.url().is_some_and(|url| url.scheme() == "https");
    let phase = match error {
        error if error.is_timeout() => Phase::Timeout,
        error if error.is_connect() && secure && !by_the_system => Phase::Tls,
        error if error.is_connect() => Phase::Connect,
        _ => Phase::Http,
    };
    Failure::new(phase, root_cause(error))
}
