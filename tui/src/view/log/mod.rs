//! The log: followed, or paused.

mod facets;
mod lines;
mod prompt;
mod record;
mod timeline;

pub(super) use lines::record_line;

use super::{Canvas, panel};
use crate::figures::grouped;
use crate::model::{BESIDE_FROM, Edge, LogPane, SourceName};
use chrono::{DateTime, Utc};
use ratatui::layout::{Constraint, Layout, Rect};

/// The height of the panel's inside from which on it has room for the timeline.
const TIMELINE_FROM: u16 = 12;

/// ```text
/// ┌ Log ■ paused · 12 new · info or above · error OR warn ───────────────┐
/// │◉ error+    2        ▁                            █                   │
/// │▲ warn     11    ▁      ▁▂                        ▁ ▁                 │
/// │◇ other 4,211 ▃▃▄▃▃▄▅▄▃▃▃▄▃▃▃▃▂▃▃▄▄▃▃▃▄▃▃▃▄▃▃▄▃▃▃█▄▃▃▄▃▃▃▄▃▃▄▃        │
/// │             09:43            10:03             10:23          10:42  │
/// │10:42:07.123 ◇ INFO  LibraryService  book 1 was borrowed {"id":"1"}   │
/// │10:42:08.001 ◉ ERROR LogService      the disk is full                 │
/// │search: disk_                                                         │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let log = &canvas.model.log;
    let (list, detail) = panel::beside(area, log.detail.is_some(), BESIDE_FROM, 40);
    if let (Some(detail), Some(place)) = (&log.detail, detail) {
        record::render(canvas, place, detail);
    }
    let Some(area) = list else { return };
    let inner = panel::of_source(canvas, area, &title(log, canvas.now), SourceName::Log);
    let below = log.prompt.as_ref().map_or(0, prompt::height);
    let above = if inner.height >= TIMELINE_FROM { timeline::HEIGHT } else { 0 };
    let [above, middle, below] =
        Layout::vertical([Constraint::Length(above), Constraint::Min(0), Constraint::Length(below)])
            .areas(inner);
    timeline::render(canvas, above);
    lines::render(canvas, middle);
    if let Some(prompt) = &canvas.model.log.prompt {
        prompt::render(canvas, below, prompt);
    }
    if let Some(facet) = &canvas.model.log.facet {
        facets::render(canvas, above.union(middle), facet);
    }
}

/// How the log is looked at, in words.
fn title(log: &LogPane, now: DateTime<Utc>) -> String {
    let mut said = vec![if log.opening.is_some() {
        "Log … opening".to_owned()
    } else if log.has_ended(now) {
        "Log ■ range".to_owned()
    } else if log.is_following() {
        "Log ▶ following".to_owned()
    } else {
        format!("Log ■ paused · {} new", grouped(log.arrived))
    }];
    if log.back_to.is_some() {
        said.push("context".to_owned());
    }
    said.extend(log.filter.levels.words());
    said.extend(log.filter.services.words());
    if let Some(stretch) = log.filter.stretch {
        let today = stretch.since.date_naive() == now.date_naive();
        let format = if today { "%H:%M:%S" } else { "%m-%d %H:%M:%S" };
        said.push(format!("{} to {}", stretch.since.format(format), stretch.until.format(format)));
    }
    if !log.filter.query.is_empty() {
        said.push(log.filter.query.clone());
    }
    said.extend(log.search.as_ref().map(|search| searched(log, search)));
    if log.missed > 0 {
        said.push(format!("{} missed", grouped(log.missed)));
    }
    said.join(" · ")
}

/// What is searched for, and which match one is at.
fn searched(log: &LogPane, search: &str) -> String {
    let held = if log.older == Edge::End && log.newer == Edge::End { "" } else { " held" };
    match log.found.filter(|found| log.cursor == Some(found.seq)) {
        Some(found) => {
            let (nth, of) = (grouped(found.nth as u64), grouped(found.of as u64));
            format!("/{search} match {nth} of {of}{held}")
        }
        None => format!("/{search}"),
    }
}
