//! A service's health over time: in its detail, and under the incidents.

use super::{Canvas, when};
use crate::text;
use crate::theme;
use ratatui::text::{Line, Span};
use shared::wire::monitor::{ProbeRecord, Transition};

/// How many changes of status are listed; the probes come after them.
const TRANSITIONS_SHOWN: usize = 50;
/// How many probes are listed.
const PROBES_SHOWN: usize = 100;

/// ```text
/// Uptime      99.8 % of the last day  ▁▁▂▁▁▁·▁▁
/// 10:42:07  healthy → ✗ unhealthy  connect: connection refused
/// Last probes
/// 10:42:09  ✓ 3 ms   LibraryService-localhost-5000
/// ```
///
/// With `instance`, only the probes of that instance are listed.
pub(super) fn lines(
    canvas: &Canvas<'_>,
    service: &str,
    instance: Option<&str>,
    cells: usize,
) -> Vec<Line<'static>> {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let Some(history) = model.history.as_ref().filter(|history| history.name == service) else {
        return vec![Line::styled("○ no health history yet", theme.muted)];
    };
    let probes = || history.probes.iter().filter(|probe| instance.is_none_or(|id| id == probe.instance_id));
    let uptime = history.uptime.map_or_else(|| "not known".to_owned(), when::percent);
    let recent: Vec<_> = probes().map(|probe| probe.latency.filter(|_| probe.healthy)).take(60).collect();
    let trend = theme::sparkline(recent.into_iter().rev(), cells.saturating_sub(40).min(60));
    let mut lines = vec![Line::from(vec![
        Span::styled(text::fit("Uptime", 12), theme.muted),
        Span::styled(format!("{uptime} of the last day  "), theme.text),
        Span::styled(trend, theme.key),
    ])];
    lines.push(Line::raw(""));
    lines.push(Line::styled("Changes", theme.title));
    if history.transitions.is_empty() {
        lines.push(Line::styled("none", theme.muted));
    }
    for transition in history.transitions.iter().take(TRANSITIONS_SHOWN) {
        let said = format!("{}  {}", when::moment(transition.at, now), change(transition));
        lines.push(Line::styled(text::clip(&said, cells), theme.status(transition.to)));
    }
    lines.push(Line::raw(""));
    lines.push(Line::styled("Last probes", theme.title));
    for probe in probes().take(PROBES_SHOWN) {
        let style = if probe.healthy { theme.text } else { theme.bad };
        let said = format!("{}  {}", when::moment(probe.at, now), outcome(probe, instance.is_none()));
        lines.push(Line::styled(text::clip(&said, cells), style));
    }
    lines
}

fn change(transition: &Transition) -> String {
    let to = transition.to;
    let mut said = format!("{} → {} {to}", transition.from, theme::glyph(to));
    if let Some(reason) = transition.reason {
        said = format!("{said}  {}", reason.as_str());
    }
    match &transition.detail {
        Some(detail) => format!("{said}: {detail}"),
        None => said,
    }
}

fn outcome(probe: &ProbeRecord, named: bool) -> String {
    let glyph = if probe.healthy { "✓" } else { "✗" };
    let mut said = format!("{glyph} {:>8}", when::millis(probe.latency));
    if named {
        said = format!("{said}  {}", probe.instance_id);
    }
    if let Some(reason) = probe.reason {
        said = format!("{said}  {}", reason.as_str());
    }
    match &probe.detail {
        Some(detail) => format!("{said}: {detail}"),
        None => said,
    }
}
