//! The services: who is registered.

use super::table::{self, Column};
use super::{Canvas, panel, service, waiting};
use crate::figures;
use crate::model::{SortBy, SourceName};
use crate::theme;
use ratatui::layout::Rect;

/// The width from which on the detail stands beside the table.
const BESIDE_FROM: u16 = 150;

/// The columns, each with what sorting by it means.
static COLUMNS: [(SortBy, Column); 7] = [
    (SortBy::Status, column(SortBy::Status, 13)),
    (SortBy::Service, column(SortBy::Service, 16).grow(2)),
    (SortBy::Instance, column(SortBy::Instance, 26).grow(3)),
    (SortBy::Url, column(SortBy::Url, 21).grow(2)),
    (SortBy::Latency, column(SortBy::Latency, 8).right()),
    (SortBy::Lease, column(SortBy::Lease, 6).right()),
    (SortBy::Version, column(SortBy::Version, 8)),
];

const fn column(by: SortBy, cells: u16) -> Column {
    Column::new(by.title(), cells).from(by.shown_from())
}

/// ```text
/// ┌ Services: 6 instances ───────────────────────────────────────────────┐
/// │STATUS        SERVICE↑        URL                       LATENCY   TTL│
/// │● healthy     LibraryService  http://localhost:5000        3 ms   15s│
/// │/ lib_                                                                │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let instances = &model.fleet.instances;
    if model.sources.get(SourceName::Registry).is_new() && instances.is_empty() {
        waiting::render(canvas, area);
        return;
    }
    let (list, detail) = panel::beside(area, model.services.detail.is_some(), BESIDE_FROM, 45);
    if let Some(detail) = detail {
        service::render(canvas, detail);
    }
    let Some(area) = list else { return };
    let pane = &model.services;
    let noun = if instances.len() == 1 { "instance" } else { "instances" };
    let bare = model.fleet.services.iter().filter(|service| service.instances == 0).count();
    let bare = match bare {
        0 => String::new(),
        1 => "; 1 service has none".to_owned(),
        bare => format!("; {bare} services have none"),
    };
    let title = if pane.len() == instances.len() {
        format!("Services: {} {noun}{bare}", instances.len())
    } else {
        format!("Services: {} of {} {noun}{bare}", pane.len(), instances.len())
    };
    let inner = panel::of_source(canvas, area, &title, SourceName::Registry);
    if instances.is_empty() {
        panel::no_service(canvas, inner);
        return;
    }
    let inner = panel::finder(canvas, inner, &pane.finder);
    if pane.is_empty() {
        canvas.text(inner, "no instance has that in its name, URL, status, tags or metadata", theme.muted);
        return;
    }
    let columns = COLUMNS.map(|(by, column)| Column {
        sorted: (by == pane.sort).then_some(by.falls() != pane.reversed),
        ..column
    });
    let selected = pane.selected.index(pane.len());
    table::render(canvas, inner, &columns, pane.len(), selected, |at| {
        let Some(instance) = pane.row(at, &model.fleet) else { return Vec::new() };
        let registration = &instance.registration;
        let status = instance.status;
        let lease = registration.ttl_seconds.map_or_else(|| "none".to_owned(), |ttl| format!("{ttl}s"));
        vec![
            (format!("{} {status}", theme::glyph(status)), theme.status(status)),
            (registration.service_name.clone(), theme.text),
            (registration.instance_id.clone(), theme.text),
            (registration.service_url.clone(), theme.text),
            (figures::millis(instance.latency), theme.text),
            (lease, theme.muted),
            (registration.service_version.clone().unwrap_or_default(), theme.muted),
        ]
    });
}
