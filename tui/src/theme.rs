//! What things look like: the terminal's own sixteen colours and modifiers.
//!
//! Nothing sets a background or names black or white, so both a dark and a
//! light terminal stay readable. Every state has a glyph and a word beside its
//! colour; a monochrome theme loses nothing but the colour.

use ratatui::style::{Color, Modifier, Style};
use shared::wire::log::Level;
use shared::wire::monitor::Status;

/// The styles of everything that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Plain text.
    pub text: Style,
    /// What may be overlooked: times, hints, borders.
    pub muted: Style,
    /// Headings and the current tab.
    pub title: Style,
    /// Names of keys.
    pub key: Style,
    /// All is well.
    pub good: Style,
    /// Somebody should look.
    pub warn: Style,
    /// Something is wrong.
    pub bad: Style,
    /// Neither good nor bad: unknown, maintenance.
    pub note: Style,
    /// The row that keys act upon.
    pub selected: Style,
    /// What a search found.
    pub matched: Style,
}

impl Theme {
    /// The theme in colour.
    pub const fn colour() -> Self {
        let plain = Style::new();
        Self {
            text: plain,
            muted: plain.add_modifier(Modifier::DIM),
            title: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            key: plain.fg(Color::Cyan),
            good: plain.fg(Color::Green),
            warn: plain.fg(Color::Yellow),
            bad: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            note: plain.fg(Color::Magenta),
            selected: plain.add_modifier(Modifier::REVERSED),
            matched: plain.fg(Color::Yellow).add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
        }
    }

    /// The theme without colour, for `NO_COLOR`: modifiers alone.
    pub const fn monochrome() -> Self {
        let plain = Style::new();
        Self {
            text: plain,
            muted: plain.add_modifier(Modifier::DIM),
            title: plain.add_modifier(Modifier::BOLD),
            key: plain.add_modifier(Modifier::BOLD),
            good: plain,
            warn: plain.add_modifier(Modifier::BOLD),
            bad: plain.add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
            note: plain,
            selected: plain.add_modifier(Modifier::REVERSED),
            matched: plain.add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
        }
    }

    /// A status's style.
    pub const fn status(&self, status: Status) -> Style {
        match status {
            Status::Healthy => self.good,
            Status::Unhealthy => self.bad,
            Status::Unknown => self.muted,
            Status::Maintenance | Status::Draining => self.note,
        }
    }

    /// A level's style.
    pub const fn level(&self, level: Level) -> Style {
        match level {
            Level::Trace | Level::Debug => self.muted,
            Level::Info => self.good,
            Level::Warn => self.warn,
            Level::Error | Level::Fatal => self.bad,
        }
    }
}

/// A status's glyph.
pub const fn glyph(status: Status) -> &'static str {
    match status {
        Status::Healthy => "●",
        Status::Unhealthy => "✗",
        Status::Unknown => "○",
        Status::Maintenance => "◆",
        Status::Draining => "▽",
    }
}

/// A level's glyph.
pub const fn level_glyph(level: Level) -> &'static str {
    match level {
        Level::Trace => "·",
        Level::Debug => "○",
        Level::Info => "●",
        Level::Warn => "▲",
        Level::Error => "✗",
        Level::Fatal => "■",
    }
}

/// The bars of a sparkline, lowest first.
pub const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The height, in the unit of the samples, under which a sparkline does not
/// magnify: the difference between 1 ms and 2 ms is noise.
const SPARK_SCALE_MIN: u64 = 8;

/// The last `cells` samples as bars; a sample that is missing is `·`.
pub fn sparkline(samples: impl DoubleEndedIterator<Item = Option<u64>> + Clone, cells: usize) -> String {
    let last = samples.rev().take(cells);
    let top = last.clone().flatten().max().unwrap_or(0).max(SPARK_SCALE_MIN);
    let mut bars: Vec<&str> = last
        .map(|sample| match sample {
            Some(sample) => {
                let step = sample.saturating_mul(7).div_ceil(top);
                usize::try_from(step).ok().and_then(|step| BARS.get(step)).unwrap_or(&"█")
            }
            None => "·",
        })
        .collect();
    bars.reverse();
    bars.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_its_last_samples_between_nothing_and_the_highest() {
        let samples = [Some(900), Some(0), Some(4), Some(8), None];
        assert_eq!(sparkline(samples.into_iter(), 4), "▁▅█·");
        assert_eq!(sparkline(samples.into_iter(), 9), "█▁▂▂·");
        assert_eq!(sparkline([].into_iter(), 9), "");
    }
}
