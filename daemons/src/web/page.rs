//! The page's three files and icon, and how they are answered.

use super::html::{Html, fill};
use super::render::{self, LogPage};
use super::upstream::Upstream;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use shared::daemon::Daemon;
use shared::wire::library::{Book, Loan};
use shared::wire::monitor::ServiceStatus;
use shared::wire::registry::Registration;
use std::hash::{DefaultHasher, Hash, Hasher};

const TEMPLATE: &str = include_str!("page/page.html");

/// What the browser may do with the page: run its script, use its style, show
/// its icon, call its origin. Nothing inline, nothing from elsewhere, no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A file that the page consists of.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    content: &'static str,
    media_type: &'static str,
}

/// How it looks.
pub const STYLE: Asset =
    Asset { content: include_str!("page/page.css"), media_type: "text/css; charset=utf-8" };
/// What makes it alive.
pub const SCRIPT: Asset =
    Asset { content: include_str!("page/page.js"), media_type: "text/javascript; charset=utf-8" };
/// Its icon.
pub const ICON: Asset = Asset { content: include_str!("page/icon.svg"), media_type: "image/svg+xml" };

impl Asset {
    /// The file; nothing of it when the browser has it already.
    pub fn answer(self, request: &HeaderMap) -> Response {
        let tag = self.tag();
        let fresh =
            request.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let head = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, "no-cache")];
        let mut response = if fresh {
            (StatusCode::NOT_MODIFIED, head).into_response()
        } else {
            (head, [(header::CONTENT_TYPE, self.media_type)], self.content).into_response()
        };
        protect(&mut response);
        response
    }

    fn tag(self) -> String {
        let mut hasher = DefaultHasher::new();
        self.content.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}

/// The page, with what the other daemons say now.
pub async fn answer(upstream: &Upstream) -> Response {
    let (registry, monitor, log, books, loans) = tokio::join!(
        upstream.read::<Vec<Registration>>(Daemon::Registry, "/services"),
        upstream.read::<Vec<ServiceStatus>>(Daemon::Monitor, "/monitor/health"),
        upstream.read::<LogPage>(Daemon::Log, "/log?format=json&limit=100"),
        upstream.read_part::<Book>(Daemon::Library, "/library/books?limit=100"),
        upstream.read_part::<Loan>(Daemon::Library, "/library/borrow?active=true&limit=100"),
    );
    let services = render::services(registry.as_deref().ok(), monitor.as_deref().ok());
    let services = (registry.is_ok() || monitor.is_ok()).then_some(services.as_slice());
    let shelf = books.as_ref().map(|books| books.rows.as_slice()).unwrap_or_default();
    let cut = |shown: usize, total: usize, what: &str| {
        let said = if shown < total { format!("{shown} of {total} {what}") } else { String::new() };
        Html::default().text(&said)
    };
    let all_services = services.map_or(0, <[_]>::len);
    let shown_services = services.map_or(0, render::rows_shown);
    let at = Utc::now().format("as of %H:%M:%S UTC").to_string();
    let services_away: Vec<&str> =
        [registry.as_ref().err(), monitor.as_ref().err()].into_iter().flatten().map(String::as_str).collect();
    let away = |why: Option<&String>| why.map_or_else(Html::default, |why| Html::default().text(why));
    let page = fill(
        TEMPLATE,
        &[
            ("at", Html::default().text(&at)),
            ("summary", render::summary(services, monitor.is_ok())),
            ("services", render::service_rows(services)),
            ("services_away", Html::default().text(&services_away.join(" · "))),
            (
                "records",
                render::records(log.as_ref().map(|page| page.records.as_slice()).unwrap_or_default()),
            ),
            ("log_away", away(log.as_ref().err())),
            ("services_more", cut(shown_services, all_services, "services, the worst first")),
            ("books", render::book_rows(books.as_ref().ok().map(|books| books.rows.as_slice()))),
            ("books_away", away(books.as_ref().err().or(loans.as_ref().err()))),
            (
                "books_more",
                books.as_ref().map_or_else(|_| Html::default(), |it| cut(it.rows.len(), it.total, "books")),
            ),
            (
                "loans_more",
                loans.as_ref().map_or_else(
                    |_| Html::default(),
                    |it| cut(it.rows.len(), it.total, "copies that are out"),
                ),
            ),
            ("loans", render::loan_rows(loans.as_ref().ok().map(|loans| loans.rows.as_slice()), shelf)),
        ],
    );
    let head = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (head, page).into_response();
    protect(&mut response);
    response
}

fn protect(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_automata::meta::Regex;
    use shared::sanitize::is_hazard;

    #[test]
    fn the_whole_page_is_small() {
        let bytes = [TEMPLATE, STYLE.content, SCRIPT.content, ICON.content].map(str::len);
        assert!(bytes.iter().sum::<usize>() < 30_000, "{bytes:?}");
    }

    #[test]
    fn the_script_knows_every_hazard_that_the_sanitiser_knows() {
        let (_, rest) = SCRIPT.content.split_once("HAZARD = /").unwrap();
        let (class, _) = rest.split_once("/gu;").unwrap();
        let regex = Regex::new(class).unwrap();
        for c in '\0'..=char::MAX {
            assert_eq!(regex.is_match(c.to_string().as_bytes()), is_hazard(c), "{c:?}");
        }
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        for forbidden in ["style=\"", "<style", "onclick", "http://", "https://"] {
            assert!(!TEMPLATE.contains(forbidden), "{forbidden}");
        }
        assert!(!SCRIPT.content.contains("innerHTML"));
    }
}
