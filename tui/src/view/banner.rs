//! What one has to know whatever one looks at: who is away and when it is tried
//! again, and that the registry holds expiry back.

use super::{Canvas, when};
use crate::action::Local;
use crate::keys::{Command, Place};
use crate::model::{Model, Source, SourceName};
use crate::text;
use chrono::{DateTime, Utc};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use shared::wire::registry::GuardScope;

/// One line of the screen in so many may be a banner of its own for a daemon.
const SHARE: u16 = 16;

/// The banners, as many lines as they may take on a screen of so many.
pub(super) fn lines(model: &Model, now: DateTime<Utc>, screen: u16) -> Vec<(String, Style)> {
    let theme = model.theme;
    let mut lines = Vec::new();
    if let Some(said) = guard(model, now) {
        lines.push((said, theme.warn));
    }
    let away: Vec<(SourceName, &Source)> =
        model.sources.iter().filter(|(_, s)| s.away.is_some() && s.stale(now).is_some()).collect();
    if let Some(said) = local(model, &away, now) {
        lines.push((said, theme.bad));
        return lines;
    }
    let most = usize::from(screen / SHARE).saturating_sub(lines.len()).max(1);
    let groups = if away.len() <= most { away.chunks(1) } else { away.chunks(away.len()) };
    lines.extend(groups.filter_map(|group| Some((one(model, group, now)?, theme.bad))));
    lines
}

/// ```text
///  ▲ monitor away, shown as of 42s ago; retry in 3s or Ctrl-R: Connection refused
///  ▲ log, monitor away, shown as of 42s ago; retry in 3s or Ctrl-R: log: refused; monitor: no answer
/// ```
///
/// Of several, the next try of any of them, and the oldest of what is shown.
fn one(model: &Model, away: &[(SourceName, &Source)], now: DateTime<Utc>) -> Option<String> {
    let names = names(away.iter().map(|(name, _)| *name));
    let retry_at = away.iter().filter_map(|(_, source)| Some(source.away.as_ref()?.retry_at)).min()?;
    let (age, retry) = (oldest(away, now)?, retry(model, retry_at, now));
    Some(format!("▲ {names} away, shown {age}; {retry}: {}", causes(away)))
}

/// ```text
///  ✗ distlogd all has ended (signal: 9 (SIGKILL)): Ctrl-R starts it again; shown as of 42s ago: out of memory
/// ```
fn local(model: &Model, away: &[(SourceName, &Source)], now: DateTime<Utc>) -> Option<String> {
    let Some(Local::Ended { status, said }) = &model.local else { return None };
    away.iter().find(|(name, _)| *name == SourceName::Registry)?;
    let age = oldest(away, now)?;
    let again = match model.keymap.key_of(Place::Anywhere, Command::Retry) {
        key if key.is_empty() => String::new(),
        key => format!(": {key} starts it again"),
    };
    Some(format!("✗ distlogd all has ended ({status}){again}; shown {age}: {said}"))
}

fn oldest(away: &[(SourceName, &Source)], now: DateTime<Utc>) -> Option<String> {
    away.iter().filter_map(|(_, source)| source.stale(now)).max().map(when::as_of)
}

fn names(names: impl Iterator<Item = SourceName>) -> String {
    names.map(SourceName::word).collect::<Vec<_>>().join(", ")
}

/// Why they are away: once where it is the same for all of them, else of each.
fn causes(away: &[(SourceName, &Source)]) -> String {
    let mut causes: Vec<(&str, Vec<SourceName>)> = Vec::new();
    for (name, source) in away {
        let Some(away) = &source.away else { continue };
        match causes.iter_mut().find(|(cause, _)| *cause == away.cause) {
            Some((_, names)) => names.push(*name),
            None => causes.push((&away.cause, vec![*name])),
        }
    }
    match causes.as_slice() {
        [(cause, _)] => (*cause).to_owned(),
        causes => {
            let each = causes.iter().map(|(cause, of)| format!("{}: {cause}", names(of.iter().copied())));
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

/// When something is tried again, and the key that does not wait for it.
pub(super) fn retry(model: &Model, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let key = model.keymap.key_of(Place::Anywhere, Command::Retry);
    let retry = when::retry(at, now);
    if at <= now || key.is_empty() { retry } else { format!("{retry} or {key}") }
}

/// ```text
///  ◆ expiry held back for the fleet until 10:44:07 (2m): 3 instances have not renewed: A-1, …
/// ```
fn guard(model: &Model, now: DateTime<Utc>) -> Option<String> {
    let guard = model.guard.as_ref().filter(|guard| guard.engaged)?;
    let whole = guard.scopes.iter().any(|scope| scope.service.is_none());
    let named = |scope: &GuardScope| scope.service.clone();
    let whom = if whole {
        "the fleet".to_owned()
    } else {
        guard.scopes.iter().filter_map(named).collect::<Vec<_>>().join(", ")
    };
    let until = guard.scopes.iter().map(|scope| scope.until).max();
    let until = until.map_or_else(String::new, |until| {
        format!(" until {} ({})", when::moment(until, now), when::between(now, until))
    });
    let held: Vec<&str> = guard.held.iter().map(|held| held.instance_id.as_str()).collect();
    let noun = if held.len() == 1 { "instance has" } else { "instances have" };
    Some(format!(
        "◆ expiry held back for {whom}{until}: {} {noun} not renewed: {}",
        held.len(),
        held.join(", ")
    ))
}

pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, lines: Vec<(String, Style)>) {
    let cells = usize::from(area.width.saturating_sub(1));
    let line = |(said, style): (String, Style)| Line::styled(format!(" {}", text::clip(&said, cells)), style);
    canvas.lines(area, lines.into_iter().map(line));
}
