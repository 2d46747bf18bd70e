//! The sections of the page as the server writes them, for readers without
//! JavaScript and for the first moment. `page.js` writes the same markup.

use super::html::Html;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::credentials::without_password;
use shared::wire::library::{Book, Loan};
use shared::wire::log::Level;
use shared::wire::monitor::{ServiceStatus, Status};
use shared::wire::registry::Registration;
use std::collections::BTreeMap;

/// Rows of a table.
pub const ROWS_MAX: usize = 100;
/// The order of the services, by status.
const WORST: [&str; 6] = ["unhealthy", "unknown", "pending", "maintenance", "draining", "healthy"];

/// The newest records, as the log answers them.
#[derive(Debug, Deserialize)]
pub struct LogPage {
    /// The records, newest first.
    pub records: Vec<LogRecord>,
}

/// A record whose fields keep the text of their values: a number keeps every digit.
#[derive(Debug, Deserialize)]
pub struct LogRecord {
    ts: DateTime<Utc>,
    level: Level,
    service: String,
    message: String,
    #[serde(default)]
    fields: BTreeMap<String, Box<RawValue>>,
}

/// A service as registry and monitor together know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    name: String,
    url: String,
    instances: usize,
    status: Status,
    why: String,
    latency_ms: Option<u64>,
    checked_at: Option<DateTime<Utc>>,
}

/// Puts together what the registry lists and what the monitor holds of it;
/// either may be away.
pub fn services(registry: Option<&[Registration]>, monitor: Option<&[ServiceStatus]>) -> Vec<Seen> {
    let mut seen = BTreeMap::new();
    for status in monitor.unwrap_or_default() {
        let why = [status.reason.map(|phase| phase.as_str().to_owned()), status.detail.clone()];
        let why = if status.status == Status::Unhealthy {
            why.into_iter().flatten().collect::<Vec<_>>().join(": ")
        } else {
            String::new()
        };
        let service = Seen {
            name: status.name.clone(),
            url: status.url.clone(),
            instances: status.instances.len(),
            status: status.status,
            why,
            latency_ms: status.latency,
            checked_at: status.last_check,
        };
        seen.insert(status.name.as_str(), service);
    }
    for registration in registry.unwrap_or_default() {
        let unprobed = || Seen {
            name: registration.service_name.clone(),
            url: without_password(&registration.service_url).into_owned(),
            instances: 0,
            status: Status::Unknown,
            why: String::new(),
            latency_ms: None,
            checked_at: None,
        };
        let service = seen.entry(registration.service_name.as_str()).or_insert_with(unprobed);
        service.instances += usize::from(monitor.is_none() || service.instances == 0);
    }
    let mut seen: Vec<Seen> = seen.into_values().collect();
    // Stable: services of one status stay sorted by name.
    seen.sort_by_key(|service| WORST.iter().position(|status| *status == service.status.as_str()));
    seen
}

/// How many services are listed: at most [`ROWS_MAX`], and all that are not healthy.
/// With the monitor away the status of none is known, and the limit holds.
pub fn rows_shown(services: &[Seen]) -> usize {
    let not_healthy = services.iter().filter(|service| service.status != Status::Healthy).count();
    let probed = services.iter().any(|service| service.status != Status::Unknown);
    services.len().min(if probed { ROWS_MAX.max(not_healthy) } else { ROWS_MAX })
}

/// The line beside the title.
pub fn summary(services: Option<&[Seen]>, probed: bool) -> Html {
    let Some(services) = services else { return state(Status::Unknown, "services unknown") };
    let (all, healthy) =
        (services.len(), services.iter().filter(|service| service.status == Status::Healthy).count());
    match probed {
        false => state(Status::Unknown, &format!("{all} services registered")),
        true if healthy < all => state(Status::Unhealthy, &format!("{healthy} of {all} services healthy")),
        true => state(Status::Healthy, &format!("{healthy} of {all} services healthy")),
    }
}

/// A state by glyph, colour and words.
fn state(status: Status, words: &str) -> Html {
    let glyph = match status {
        Status::Healthy => "●",
        Status::Unhealthy => "✗",
        Status::Maintenance => "◆",
        Status::Draining => "▽",
        Status::Unknown => "○",
        Status::Pending => "◌",
    };
    Html::default()
        .raw("<span class=\"state ")
        .raw(status.as_str())
        .raw("\" data-glyph=\"")
        .raw(glyph)
        .raw("\">")
        .text(words)
        .raw("</span>")
}

/// The rows of the services; none where nobody could be asked.
pub fn service_rows(services: Option<&[Seen]>) -> Html {
    match services {
        None => nothing(4, "What is registered is not known."),
        Some([]) => nothing(4, "No service is registered."),
        Some(services) => services.iter().take(rows_shown(services)).map(service_row).collect(),
    }
}

fn service_row(service: &Seen) -> Html {
    let mut row = Html::default()
        .raw("<tr><td>")
        .append(&state(service.status, service.status.as_str()))
        .raw("</td><td><span class=\"name\">")
        .text(&service.name)
        .raw("</span><small>")
        .text(&service.url);
    if service.instances > 1 {
        row = row.text(&format!(" and {} more", service.instances - 1));
    }
    row = row.raw("</small>");
    if !service.why.is_empty() {
        row = row.raw("<small class=\"unhealthy\">").text(&service.why).raw("</small>");
    }
    row = row.raw("</td><td class=\"num\">");
    row = match service.latency_ms {
        Some(ms) => row.number(ms).raw(" ms"),
        None => row.raw("–"),
    };
    row = row.raw("</td><td class=\"nowrap\">");
    row = match service.checked_at {
        Some(at) => row.time(at, "%H:%M:%S"),
        None => row.raw("–"),
    };
    row.raw("</td></tr>")
}

/// The records, newest first.
pub fn records(records: &[LogRecord]) -> Html {
    records.iter().map(record).collect()
}

fn record(record: &LogRecord) -> Html {
    let glyph = match record.level {
        Level::Trace => "·",
        Level::Debug => "○",
        Level::Info => "●",
        Level::Warn => "▲",
        Level::Error => "✗",
        Level::Fatal => "■",
    };
    let level = record.level.as_str();
    let item = Html::default()
        .raw("<li class=\"l-")
        .raw(level)
        .raw("\">")
        .time(record.ts, "%H:%M:%S%.3f")
        .raw("<span class=\"level\" data-glyph=\"")
        .raw(glyph)
        .raw("\">")
        .raw(level)
        .raw("</span><span class=\"body\"><span class=\"service\">")
        .text(&record.service)
        .raw("</span><span class=\"message\">")
        .text(&record.message)
        .raw("</span>");
    let fields: Vec<String> = record
        .fields
        .iter()
        .map(|(key, value)| match serde_json::from_str::<String>(value.get()) {
            Ok(text) => format!("{key}={text}"),
            Err(_) => format!("{key}={}", value.get()),
        })
        .collect();
    let item = if fields.is_empty() {
        item
    } else {
        item.raw("<span class=\"fields\">").text(&fields.join("  ")).raw("</span>")
    };
    item.raw("</span></li>")
}

/// The rows of the books; none where the library could not be asked.
pub fn book_rows(books: Option<&[Book]>) -> Html {
    let books = match books {
        None => return nothing(3, "The books are not known."),
        Some([]) => return nothing(3, "No books."),
        Some(books) => books,
    };
    let row = |book: &Book| {
        Html::default()
            .raw("<tr><td><span class=\"name\">")
            .text(&book.title)
            .raw("</span><small>")
            .text(&format!("{} · {}", book.author, book.id))
            .raw("</small></td><td class=\"num\">")
            .number(book.available)
            .raw(" of ")
            .number(book.copies)
            .raw("</td><td class=\"act js\"></td></tr>")
    };
    books.iter().take(ROWS_MAX).map(row).collect()
}

/// The rows of the loans that are out; none where the library could not be asked.
pub fn loan_rows(loans: Option<&[Loan]>, books: &[Book]) -> Html {
    let loans = match loans {
        None => return nothing(4, "The loans are not known."),
        Some([]) => return nothing(4, "Nothing is out."),
        Some(loans) => loans,
    };
    let row = |loan: &Loan| {
        let title =
            books.iter().find(|book| book.id == loan.book_id).map_or(&loan.book_id, |book| &book.title);
        Html::default()
            .raw("<tr><td class=\"name\">")
            .text(title)
            .raw("</td><td>")
            .text(&loan.borrower)
            .raw("</td><td class=\"nowrap\">")
            .time(loan.borrowed_at, "%Y-%m-%d %H:%M")
            .raw("</td><td class=\"act js\"></td></tr>")
    };
    loans.iter().take(ROWS_MAX).map(row).collect()
}

fn nothing(columns: u32, why: &str) -> Html {
    Html::default()
        .raw("<tr class=\"none\"><td colspan=\"")
        .number(columns)
        .raw("\">")
        .text(why)
        .raw("</td></tr>")
}

impl Html {
    /// A time; without JavaScript it is UTC, and says so when it is pointed at.
    #[must_use]
    fn time(self, at: DateTime<Utc>, format: &str) -> Self {
        let machine = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        self.raw("<time datetime=\"")
            .raw(&machine)
            .raw("\" title=\"")
            .raw(&machine)
            .raw("\">")
            .text(&at.format(format).to_string())
            .raw("</time>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn registration(name: &str, port: u16) -> Registration {
        serde_json::from_value(json!({"serviceName": name, "serviceUrl": format!("http://localhost:{port}"),
            "instanceId": format!("{name}-{port}"), "registeredAt": "2026-11-22T10:00:00Z", "revision": 1}))
        .unwrap()
    }

    fn status(name: &str) -> ServiceStatus {
        serde_json::from_value(json!({"name": name, "url": "http://localhost:1", "status": "unhealthy",
            "last_check": null, "latency": null, "instances": [], "reason": "connect", "detail": "refused",
            "since": null, "uptime": null}))
        .unwrap()
    }

    #[test]
    fn with_the_monitor_away_every_service_is_listed_once_and_unknown() {
        let registry = [registration("A", 1), registration("A", 2), registration("B", 3)];
        let seen = services(Some(&registry), None);
        let listed: Vec<_> = seen.iter().map(|s| (s.name.as_str(), s.instances, s.status)).collect();
        assert_eq!(listed, [("A", 2, Status::Unknown), ("B", 1, Status::Unknown)]);
        assert!(summary(Some(&seen), false).as_str().contains("2 services registered"));
    }

    #[test]
    fn with_the_registry_away_what_the_monitor_holds_is_shown() {
        let seen = services(None, Some(&[status("A")]));
        assert!(summary(Some(&seen), true).as_str().contains("0 of 1 services healthy"));
        assert!(service_rows(Some(&seen)).as_str().contains("connect: refused"));
    }

    #[test]
    fn a_service_that_fails_is_shown_though_its_lease_ran_out() {
        let seen = services(Some(&[]), Some(&[status("A")]));
        assert!(service_rows(Some(&seen)).as_str().contains("connect: refused"));
    }

    #[test]
    fn the_worst_services_come_first_and_none_that_fails_is_cut() {
        let healthy = |n: usize| ServiceStatus { status: Status::Healthy, ..status(&format!("a{n:03}")) };
        let statuses = |healthy_count: usize, failing: usize| -> Vec<ServiceStatus> {
            let failing = (0..failing).map(|n| status(&format!("z{n:03}")));
            (0..healthy_count).map(healthy).chain(failing).collect()
        };
        for (healthy, failing, shown) in [(3, 1, 4), (150, 2, 100), (150, 120, 120)] {
            let seen = services(None, Some(&statuses(healthy, failing)));
            assert_eq!(rows_shown(&seen), shown);
            let rows = service_rows(Some(&seen)).as_str().to_owned();
            assert_eq!(rows.matches("connect: refused").count(), failing);
            assert!(rows.starts_with("<tr><td><span class=\"state unhealthy"), "the worst is first");
        }
        let registry: Vec<_> = (0..150).map(|n| registration(&format!("A{n}"), 1)).collect();
        assert_eq!(rows_shown(&services(Some(&registry), None)), ROWS_MAX);
    }

    #[test]
    fn numbers_keep_every_digit() {
        let page: LogPage = serde_json::from_str(
            r#"{"records":[{"seq":1,"ts":"2026-11-22T10:00:00Z","level":"info","service":"S","message":"m",
                "fields":{"a":646586703926004764,"b":1e400,"c":0.1000000000000000055511151231257827}}]}"#,
        )
        .unwrap();
        let markup = records(&page.records).as_str().to_owned();
        assert!(
            markup.contains("a=646586703926004764  b=1e400  c=0.1000000000000000055511151231257827"),
            "{markup}"
        );
    }

    #[test]
    fn what_nobody_could_be_asked_about_is_not_said_to_be_missing() {
        assert!(service_rows(None).as_str().contains("not known"));
        assert!(book_rows(None).as_str().contains("not known"));
        assert!(loan_rows(None, &[]).as_str().contains("not known"));
    }

    #[test]
    fn a_hostile_record_is_text() {
        let hostile: LogRecord = serde_json::from_str(
            &json!({"seq": 1, "ts": "2026-11-22T10:00:00Z",
            "level": "info", "service": "<b>", "message": "<script>\u{1b}[2J", "fields": {"\"": "<i>"}})
            .to_string(),
        )
        .unwrap();
        let markup = records(&[hostile]).as_str().to_owned();
        assert!(markup.contains("&lt;script&gt;\\x1b[2J"), "{markup}");
        assert!(!markup.contains("<b>") && !markup.contains("<i>"), "{markup}");
    }
}
