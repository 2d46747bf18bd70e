//! What one has to know whatever one looks at: who is away and when it is tried
//! again, and that the registry holds expiry back.

use super::{Canvas, when};
use crate::model::{Model, Source, SourceName};
use crate::text;
use chrono::{DateTime, Utc};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use shared::wire::registry::GuardScope;

/// One line of the screen in so many may be a banner.
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
    let most = usize::from(screen / SHARE).saturating_sub(lines.len()).max(1);
    if away.len() <= most {
        lines.extend(
            away.iter().filter_map(|(name, source)| Some((one(name.word(), source, now)?, theme.bad))),
        );
    } else {
        // All of them on one line, with what they have in common: the next try
        // of any of them, and the oldest of what is shown.
        let names: Vec<&str> = away.iter().map(|(name, _)| name.word()).collect();
        let next = away
            .iter()
            .map(|(_, source)| *source)
            .min_by_key(|source| source.away.as_ref().map(|a| a.retry_at));
        let oldest = away.iter().map(|(_, source)| *source).max_by_key(|source| source.stale(now));
        if let (Some(next), Some(oldest)) = (next, oldest) {
            let source = Source { away: next.away.clone(), ..oldest.clone() };
            lines.extend(one(&names.join(", "), &source, now).map(|said| (said, theme.bad)));
        }
    }
    lines
}

/// ```text
///  ▲ monitor away, shown as of 42s ago; retry in 3s: Connection refused
/// ```
fn one(names: &str, source: &Source, now: DateTime<Utc>) -> Option<String> {
    let (away, age) = (source.away.as_ref()?, source.stale(now)?);
    let (age, retry) = (when::as_of(age), when::retry(away.retry_at, now));
    Some(format!("▲ {names} away, shown {age}; {retry}: {}", away.cause))
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
