//! The services: who is registered.

use super::table::{self, Column};
use super::{Canvas, panel, service, waiting, when};
use crate::model::SourceName;
use crate::theme;
use ratatui::layout::{Constraint, Layout, Rect};

/// The width from which on the detail stands beside the table.
const BESIDE_FROM: u16 = 150;

static COLUMNS: [Column; 7] = [
    Column::new("STATUS", 13),
    Column::new("SERVICE", 16).grow(2),
    Column::new("INSTANCE", 26).from(110).grow(3),
    Column::new("URL", 21).grow(2),
    Column::new("LATENCY", 7).right(),
    Column::new("LEASE", 6).right(),
    Column::new("VERSION", 8),
];

/// ```text
/// ┌ Services: 6 instances ───────────────────────────────────────────────┐
/// │STATUS        SERVICE         URL                   LATENCY LEASE VER…│
/// │● healthy     LibraryService  http://localhost:5000    3 ms   15s 1.0 │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let instances = &model.fleet.instances;
    if model.sources.get(SourceName::Registry).is_new() && instances.is_empty() {
        waiting::render(canvas, area);
        return;
    }
    let (area, detail) = match (&model.services.detail, area.width >= BESIDE_FROM) {
        (None, _) => (area, None),
        (Some(_), false) => (Rect::default(), Some(area)),
        (Some(_), true) => {
            let [left, right] =
                Layout::horizontal([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(area);
            (left, Some(right))
        }
    };
    if let Some(detail) = detail {
        service::render(canvas, detail);
    }
    if area.is_empty() {
        return;
    }
    let title = match instances.len() {
        1 => "Services: 1 instance".to_owned(),
        n => format!("Services: {n} instances"),
    };
    let inner = panel::of_source(canvas, area, &title, SourceName::Registry);
    if instances.is_empty() {
        panel::empty(canvas, inner, SourceName::Registry, "no service is registered: r registers one");
        return;
    }
    let selected = model.services.cursor.index(instances.len());
    table::render(canvas, inner, &COLUMNS, instances.len(), selected, |index| {
        let Some(instance) = instances.get(index) else { return Vec::new() };
        let registration = &instance.registration;
        let status = instance.status;
        vec![
            (format!("{} {status}", theme::glyph(status)), theme.status(status)),
            (registration.service_name.clone(), theme.text),
            (registration.instance_id.clone(), theme.text),
            (registration.service_url.clone(), theme.text),
            (when::millis(instance.latency), theme.text),
            (
                registration.ttl_seconds.map_or_else(|| "none".to_owned(), |ttl| format!("{ttl}s")),
                theme.muted,
            ),
            (registration.service_version.clone().unwrap_or_default(), theme.muted),
        ]
    });
}
