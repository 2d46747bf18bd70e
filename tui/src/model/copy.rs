//! What can be copied of what is on the screen: the thing itself, a URL that
//! shows it, a curl command that fetches it.

use super::{Filter, IncidentsView, Model, Side};
use crate::keys::Place;
use crate::text::{clean, harmless_json};
use shared::client::http::segment;

/// What of it is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// What is selected.
    Selected,
    /// The value of the selected field of a record.
    Value,
    /// A URL.
    Url,
    /// A curl command.
    Curl,
}

/// Terminals keep no longer text than this in one go.
pub const COPIED_BYTES_MAX: usize = 74_000 / 4 * 3;

/// What is copied: what it is, in words, and its text. None where nothing that
/// could be copied is selected.
pub fn copied(model: &Model, what: Copied) -> Option<(String, String)> {
    match what {
        Copied::Selected => selected(model),
        Copied::Value => {
            let field = model.log.detail.as_ref()?.selected()?;
            Some((format!("the value of {}", field.name), clean(&field.value).into_owned()))
        }
        Copied::Url => Some(("the URL".to_owned(), url(model))),
        Copied::Curl => {
            // What goes on for ever is shown as it comes.
            let flags = if is_followed(model) { "-sSN" } else { "-sS" };
            Some((
                "the curl command".to_owned(),
                format!("curl {flags} '{}'", url(model).replace('\'', "%27")),
            ))
        }
    }
}

fn selected(model: &Model) -> Option<(String, String)> {
    // What is pasted must not harm a terminal either.
    let json = |what: String, value: serde_json::Result<String>| Some((what, harmless_json(value.ok()?)));
    match model.place_below() {
        Place::Services | Place::Service => {
            let registration = &model.services.subject(&model.fleet)?.registration;
            let what = format!("the URL of {}", registration.instance_id);
            Some((what, registration.service_url.clone()))
        }
        Place::Log | Place::Prompt | Place::Timeline | Place::Facets => {
            let record = model.log.selected()?.to_record();
            json(format!("record {}", record.seq), serde_json::to_string(&record))
        }
        Place::Record => {
            let record = &model.log.detail.as_ref()?.record;
            json(format!("record {}", record.seq), serde_json::to_string(record))
        }
        Place::Overview => {
            let health = model.fleet.service(model.subject()?)?.health.as_ref()?;
            json(format!("the health of {}", health.name), serde_json::to_string(&**health))
        }
        Place::Incidents | Place::Incident => {
            let incident = model.incidents.incident()?;
            json(format!("the incident of {}", incident.service), serde_json::to_string(incident))
        }
        Place::Library if model.library.side == Side::Books => {
            let book = model.library.selected_book()?;
            json(format!("book {}", book.id), serde_json::to_string(book))
        }
        Place::Library => {
            let loan = model.library.selected_loan()?;
            json(format!("the loan of {}", loan.borrower), serde_json::to_string(loan))
        }
        _ => None,
    }
}

/// Whether the log is shown as it grows.
fn is_followed(model: &Model) -> bool {
    let log = [Place::Log, Place::Timeline, Place::Facets];
    log.contains(&model.place_below()) && model.log.is_following()
}

/// A URL that answers what is on the screen.
fn url(model: &Model) -> String {
    let endpoints = &model.endpoints;
    match model.place_below() {
        Place::Services | Place::Service => match model.services.subject(&model.fleet) {
            Some(instance) => {
                let name = segment(&instance.registration.service_name);
                format!("{}/services/{name}?format=text", endpoints.registry)
            }
            None => format!("{}/services?format=text", endpoints.registry),
        },
        Place::Record => {
            let seq = model.log.detail.as_ref().map_or(0, |detail| detail.record.seq);
            format!("{}/log?after={}&before={}", endpoints.log, seq.saturating_sub(1), seq.saturating_add(1))
        }
        Place::Log | Place::Prompt | Place::Timeline | Place::Facets => {
            let path = if is_followed(model) { "/log/tail" } else { "/log" };
            format!("{}{path}?{}format=text", endpoints.log, query(&model.log.filter))
        }
        Place::Incident => {
            let service = segment(model.subject().unwrap_or_default());
            format!("{}/monitor/explain/{service}?format=text", endpoints.monitor)
        }
        Place::Incidents if model.incidents.view == IncidentsView::Uptime => {
            format!("{}/monitor/uptime?format=text", endpoints.monitor)
        }
        Place::Incidents => format!("{}/monitor/incidents?format=text", endpoints.monitor),
        Place::Library if model.library.side == Side::Books => {
            format!("{}/library/books?format=text", endpoints.library)
        }
        Place::Library => format!("{}/library/borrow?format=text", endpoints.library),
        _ => format!("{}/monitor/health?format=text", endpoints.monitor),
    }
}

/// A filter as the log takes it.
fn query(filter: &Filter) -> String {
    let query = filter.to_query();
    let parameter = |name: &str, value: Option<&str>| {
        value.map_or_else(String::new, |value| format!("{name}={}&", segment(value)))
    };
    [
        parameter("q", Some(query.q.as_str()).filter(|query| !query.is_empty())),
        parameter("service", query.service.as_deref()),
        parameter("level", query.level.map(|level| level.as_str())),
        parameter("since", query.since.as_deref()),
        parameter("until", query.until.as_deref()),
    ]
    .concat()
}
