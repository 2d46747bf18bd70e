//! What went wrong, and how a service has been.

use super::table::{self, Column};
use super::{Canvas, history, panel, when};
use crate::model::SourceName;
use ratatui::layout::{Constraint, Layout, Rect};

static COLUMNS: [Column; 7] = [
    Column::new("STATE", 10),
    Column::new("NO", 4).right(),
    Column::new("ROOT", 15).grow(2),
    Column::new("OPENED", 11),
    Column::new("LASTED", 8),
    Column::new("AFFECTED", 10).grow(2),
    Column::new("WHY", 14).grow(4),
];

/// ```text
/// ┌ Incidents: 1 open ───────────────────────────────────────────────────┐
/// │STATE      NO ROOT        OPENED   LASTED  AFFECTED        WHY        │
/// │✗ open      3 LogService  10:42:07 4m 10s  LibraryService  connect: … │
/// │✓ resolved  2 WebService  09:12:00 12s     -               timeout: … │
/// ├ Health of LogService ────────────────────────────────────────────────┤
/// │Uptime      99.8 % of the last day  ▁▁▂▁▁▁·▁▁                         │
/// │10:42:07  healthy → ✗ unhealthy  connect: connection refused          │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let model = canvas.model;
    let rows = u16::try_from(model.incidents.incidents.len()).unwrap_or(u16::MAX).max(1);
    let upper = rows.saturating_add(3).min(area.height / 2);
    let [upper, lower] = Layout::vertical([Constraint::Length(upper), Constraint::Min(0)]).areas(area);
    list(canvas, upper);
    let service = model.incidents.service(&model.fleet);
    let title = service.map_or_else(|| "Health".to_owned(), |service| format!("Health of {service}"));
    let inner = panel::of_source(canvas, lower, &title, SourceName::Monitor);
    match service {
        Some(service) => {
            let lines = history::lines(canvas, service, None, usize::from(inner.width));
            canvas.lines(inner, lines);
        }
        None => panel::empty(canvas, inner, SourceName::Monitor, "no service is registered"),
    }
}

fn list(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let incidents = &model.incidents.incidents;
    let title = format!("Incidents: {} open", model.incidents.open());
    let inner = panel::of_source(canvas, area, &title, SourceName::Monitor);
    if incidents.is_empty() {
        panel::empty(canvas, inner, SourceName::Monitor, "✓ no incident so far");
        return;
    }
    let selected = model.incidents.cursor.index(incidents.len());
    table::render(canvas, inner, &COLUMNS, incidents.len(), selected, |index| {
        let Some(incident) = incidents.get(index) else { return Vec::new() };
        let (state, style) = match incident.resolved_at {
            None => ("✗ open", theme.bad),
            Some(_) => ("✓ resolved", theme.good),
        };
        let affected = match incident.affected.as_slice() {
            [] => "-".to_owned(),
            affected => affected.join(", "),
        };
        let why = match (incident.reason, &incident.detail) {
            (Some(reason), Some(detail)) => format!("{}: {detail}", reason.as_str()),
            (reason, detail) => {
                detail.clone().or(reason.map(|reason| reason.as_str().to_owned())).unwrap_or_default()
            }
        };
        vec![
            (state.to_owned(), style),
            (incident.id.to_string(), theme.muted),
            (incident.service.clone(), theme.text),
            (when::moment(incident.opened_at, now), theme.muted),
            (when::between(incident.opened_at, incident.resolved_at.unwrap_or(now)), theme.text),
            (affected, theme.text),
            (why, theme.muted),
        ]
    });
}
