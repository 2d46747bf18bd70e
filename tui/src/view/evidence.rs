//! What is known of one service, from its monitor: under the incidents, and in
//! the detail of an instance.

use super::{Canvas, chart, panel, when};
use crate::figures;
use crate::model::Study;
use crate::text;
use crate::theme;
use chrono::{DateTime, TimeDelta, Utc};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use shared::wire::monitor::{Phase, ProbeRecord, Transition, UptimeReport};

/// How many changes of status are listed.
const TRANSITIONS_SHOWN: usize = 50;
/// How many probes are listed.
const PROBES_SHOWN: usize = 100;
/// The lines of the chart of latencies.
const CHART_LINES: u16 = 4;
/// The cells before the chart, for its scale.
const SCALE_CELLS: usize = 9;
/// The days of a month, as they are drawn.
const DAYS: i64 = 30;

/// The width from which on two columns stand side by side.
const BESIDE_FROM: u16 = 110;

/// A heading, and what stands under it.
pub(super) type Block = Vec<Line<'static>>;

/// The study of a service, once it is there.
fn study<'a>(canvas: &Canvas<'a>, service: &str) -> Option<&'a Study> {
    canvas.model.study.as_ref().filter(|study| study.service == service)
}

/// ```text
/// Why
/// LogService is unhealthy since 10:37:57: connect: connection refused.
/// ```
pub(super) fn why(canvas: &Canvas<'_>, service: &str, cells: usize) -> Block {
    let theme = canvas.model.theme;
    let Some(study) = study(canvas, service) else {
        return vec![Line::styled("○ asking the monitor", theme.muted)];
    };
    let Some(explanation) = &study.explanation else {
        return vec![Line::styled("○ the monitor does not list it", theme.muted)];
    };
    let mut lines = vec![Line::styled("Why", theme.title)];
    let instances = canvas.model.fleet.instances_of(service);
    let ids: Vec<&str> = instances.map(|instance| instance.registration.instance_id.as_str()).collect();
    for sentence in shorter(&explanation.words, &ids) {
        lines.extend(text::wrap(&sentence, cells, 4).into_iter().map(Line::raw));
    }
    lines
}

/// Sentences of which one that begins with the same instance as that before it
/// does not name it again.
fn shorter(sentences: &[String], ids: &[&str]) -> Vec<String> {
    let mut before = None;
    let short = |sentence: &String| {
        let rest_of = |id: &str| sentence.strip_prefix("Instance ")?.strip_prefix(id);
        let Some((id, rest)) = ids.iter().find_map(|id| Some((*id, rest_of(id)?))) else {
            return sentence.clone();
        };
        match (before.replace(id) == Some(id), rest.strip_prefix(": ")) {
            (false, _) => sentence.clone(),
            (true, None) => format!("It{rest}"),
            (true, Some(said)) => {
                let mut letters = said.chars();
                letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
            }
        }
    };
    sentences.iter().map(short).collect()
}

/// ```text
/// Uptime
/// day 98.7 %  week 99.8 %  month 99.9 %
/// ······▇▇▇▇█████████▅██████████  30 days
/// ```
pub(super) fn uptime(canvas: &Canvas<'_>, service: &str, cells: usize) -> Block {
    let theme = canvas.model.theme;
    let Some(report) = study(canvas, service).and_then(|study| study.uptime.as_ref()) else {
        return Vec::new();
    };
    let share = figures::percent_or_none;
    let said =
        format!("day {}  week {}  month {}", share(report.day), share(report.week), share(report.month));
    vec![
        Line::styled("Uptime", theme.title),
        Line::raw(text::clip(&said, cells)),
        Line::from(vec![
            Span::styled(days(report, canvas.now), theme.key),
            Span::styled("  30 days", theme.muted),
        ]),
    ]
}

/// A bar for each day of the last month, today last; `·` where nothing was probed.
pub(super) fn days(report: &UptimeReport, now: DateTime<Utc>) -> String {
    let today = now.date_naive();
    let bar = |back: i64| {
        let day = report.days.iter().find(|day| day.day == today - TimeDelta::days(back));
        let Some(day) = day else { return "·" };
        // What is missing of it is what matters: an hour of a day is seen.
        chart::cell(match day.share {
            share if share >= 1.0 => 8,
            share if share >= 0.999 => 7,
            share if share >= 0.99 => 6,
            share if share >= 0.95 => 4,
            share if share >= 0.5 => 2,
            _ => 1,
        })
    };
    (0..DAYS).rev().map(bar).collect()
}

/// ```text
/// Timeline
/// 10:37:57  healthy → ✗ unhealthy  connect: connection refused
/// ```
pub(super) fn timeline(canvas: &Canvas<'_>, service: &str, cells: usize) -> Block {
    let (theme, now) = (canvas.model.theme, canvas.now);
    let Some(history) = study(canvas, service).and_then(|study| study.history.as_ref()) else {
        return Vec::new();
    };
    let mut lines = vec![Line::styled("Timeline", theme.title)];
    if history.transitions.is_empty() {
        lines.push(Line::styled("no change of its status so far", theme.muted));
    }
    for transition in history.transitions.iter().take(TRANSITIONS_SHOWN) {
        let said = format!("{}  {}", when::moment(transition.at, now), change(transition));
        lines.push(Line::styled(text::clip(&said, cells), theme.status(transition.to)));
    }
    lines
}

/// ```text
/// Latency of the last 29 probes, × failed
///    12 ms ▁▁▂▁▁█▁▁×××
///     0 ms ▁▁▂▁▁█▁▁×××
/// ```
///
/// With `instance`, only the probes of that instance count.
pub(super) fn latency(canvas: &Canvas<'_>, service: &str, instance: Option<&str>, cells: usize) -> Block {
    let theme = canvas.model.theme;
    let mut samples: Vec<Option<u64>> = probes(canvas, service, instance)
        // An answer within the millisecond is an answer.
        .map(|probe| probe.latency.filter(|_| probe.healthy).map(|ms| ms.max(1)))
        .take(cells.saturating_sub(SCALE_CELLS))
        .collect();
    if samples.is_empty() {
        return Vec::new();
    }
    samples.reverse();
    let top = chart::top(&samples, chart::LATENCY_SCALE_MIN);
    let title = match samples.len() {
        1 => "Latency of the last probe, × failed".to_owned(),
        n => format!("Latency of the last {n} probes, × failed"),
    };
    let mut lines = vec![Line::styled(text::clip(&title, cells), theme.title)];
    let width = cells.saturating_sub(SCALE_CELLS);
    let bars = chart::bars(&samples, width, CHART_LINES, chart::LATENCY_SCALE_MIN);
    for (at, bars) in (0..).zip(bars) {
        let scale = match at {
            // Failures alone have no scale.
            _ if samples.iter().all(Option::is_none) => String::new(),
            0 => format!("{top} ms"),
            _ if at + 1 == CHART_LINES => "0 ms".to_owned(),
            _ => String::new(),
        };
        lines.push(Line::from(vec![
            Span::styled(format!("{} ", text::fit_right(&scale, SCALE_CELLS - 1)), theme.muted),
            Span::styled(bars, theme.key),
        ]));
    }
    lines
}

/// ```text
/// Last probes
/// 10:42:09  ✓ 3 ms   LibraryService-localhost-5000
/// ```
pub(super) fn last_probes(canvas: &Canvas<'_>, service: &str, instance: Option<&str>, cells: usize) -> Block {
    let (theme, now) = (canvas.model.theme, canvas.now);
    let mut lines = vec![Line::styled("Last probes", theme.title)];
    for probe in probes(canvas, service, instance).take(PROBES_SHOWN) {
        let style = if probe.healthy { theme.text } else { theme.bad };
        let said = format!("{}  {}", when::moment(probe.at, now), outcome(probe, instance.is_none()));
        lines.push(Line::styled(text::clip(&said, cells), style));
    }
    if lines.len() == 1 {
        lines.push(Line::styled("none yet", theme.muted));
    }
    lines
}

/// The probes of a service or of one of its instances, newest first.
fn probes<'a>(
    canvas: &Canvas<'a>,
    service: &str,
    instance: Option<&str>,
) -> impl Iterator<Item = &'a ProbeRecord> {
    let history = study(canvas, service).and_then(|study| study.history.as_ref());
    let probes = history.into_iter().flat_map(|history| &history.probes);
    probes.filter(move |probe| instance.is_none_or(|id| id == probe.instance_id))
}

/// Blocks one under the other, with an empty line between them.
fn stacked(blocks: Vec<Block>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for block in blocks.into_iter().filter(|block| !block.is_empty()) {
        if !lines.is_empty() {
            lines.push(Line::raw(""));
        }
        lines.extend(block);
    }
    lines
}

/// The blocks of two columns, one beside the other where there is room; they are
/// scrolled together.
pub(super) fn columns<'a>(
    canvas: &mut Canvas<'a>,
    area: Rect,
    scroll: usize,
    left: impl Fn(&Canvas<'a>, usize) -> Vec<Block>,
    right: impl Fn(&Canvas<'a>, usize) -> Vec<Block>,
) {
    // At its right it is marked where there is more.
    let area = Rect { width: area.width.saturating_sub(1), ..area };
    if area.width < BESIDE_FROM {
        let cells = usize::from(area.width);
        let mut blocks = left(canvas, cells);
        blocks.extend(right(canvas, cells));
        panel::scrolled(canvas, area, &stacked(blocks), scroll);
        return;
    }
    let [one, _, two] =
        Layout::horizontal([Constraint::Percentage(48), Constraint::Length(2), Constraint::Min(0)])
            .areas(area);
    for (place, blocks) in
        [(one, left(canvas, usize::from(one.width))), (two, right(canvas, usize::from(two.width)))]
    {
        panel::scrolled(canvas, place, &stacked(blocks), scroll);
    }
}

fn change(transition: &Transition) -> String {
    let to = transition.to;
    let said = format!("{} → {} {to}", transition.from, theme::glyph(to));
    because(said, transition.reason, transition.detail.as_deref())
}

fn outcome(probe: &ProbeRecord, named: bool) -> String {
    let glyph = if probe.healthy { "✓" } else { "✗" };
    let said = format!("{glyph} {:>8}", figures::millis(probe.latency));
    let said = because(said, probe.reason, probe.detail.as_deref());
    if named { format!("{said}  {}", probe.instance_id) } else { said }
}

/// What is said, and behind it why, where that is known.
fn because(said: String, phase: Option<Phase>, detail: Option<&str>) -> String {
    let why = figures::reason(phase, detail);
    if why.is_empty() { said } else { format!("{said}  {why}") }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_instance_is_named_once_where_several_sentences_are_about_it() {
        let said = [
            "S is down.",
            "Instance S-1 failed.",
            "Instance S-1: the next probe waits.",
            "Instance S-2 is well.",
        ];
        let short = super::shorter(&said.map(str::to_owned), &["S-1", "S-2"]);
        assert_eq!(
            short,
            ["S is down.", "Instance S-1 failed.", "The next probe waits.", "Instance S-2 is well."]
        );
    }
}
