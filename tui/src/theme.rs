//! What things look like: by default the terminal's own sixteen colours and
//! modifiers.
//!
//! Nothing sets a background or names black or white, so both a dark and a
//! light terminal stay readable; a theme that names colours of its own takes
//! such as stand out from both. Every state has a glyph and a word beside its
//! colour; a monochrome theme loses nothing but the colour.

use clap::ValueEnum;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use shared::wire::log::Level;
use shared::wire::monitor::{Effect, Status};

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

/// A theme to choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// The terminal's own sixteen colours
    #[default]
    Terminal,
    /// Blue, ochre and vermilion, which nobody mistakes for one another (256 colours)
    ColourBlind,
    /// Colours of its own (24 bits)
    Truecolor,
    /// No colour at all
    Monochrome,
}

impl ThemeName {
    /// All of them, in the order in which they follow one another.
    pub const ALL: [Self; 4] = [Self::Terminal, Self::ColourBlind, Self::Truecolor, Self::Monochrome];

    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::ColourBlind => "colour-blind",
            Self::Truecolor => "truecolor",
            Self::Monochrome => "monochrome",
        }
    }

    /// Its styles.
    pub const fn theme(self) -> Theme {
        match self {
            Self::Terminal => Theme::terminal(),
            Self::ColourBlind => Theme::colour_blind(),
            Self::Truecolor => Theme::truecolor(),
            Self::Monochrome => Theme::monochrome(),
        }
    }

    /// The one after a theme.
    pub fn after(theme: &Theme) -> Self {
        let at = Self::ALL.iter().position(|name| name.theme() == *theme).unwrap_or(0);
        Self::ALL.get((at + 1) % Self::ALL.len()).copied().unwrap_or_default()
    }
}

impl Theme {
    /// The terminal's own colours, which whoever uses it has chosen.
    pub const fn terminal() -> Self {
        Self::named(Color::Green, Color::Yellow, Color::Red, Color::Magenta, Color::Cyan)
    }

    /// A theme in these colours.
    const fn named(good: Color, warn: Color, bad: Color, note: Color, key: Color) -> Self {
        let plain = Style::new();
        Self {
            text: plain,
            muted: plain.add_modifier(Modifier::DIM),
            title: plain.fg(key).add_modifier(Modifier::BOLD),
            key: plain.fg(key),
            good: plain.fg(good),
            warn: plain.fg(warn),
            bad: plain.fg(bad).add_modifier(Modifier::BOLD),
            note: plain.fg(note),
            selected: plain.add_modifier(Modifier::REVERSED),
            matched: plain.fg(warn).add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
        }
    }

    /// Good and bad differ in blue and yellow, not in red and green: after the
    /// palette of Okabe and Ito, of the 256 colours that nearly all terminals have.
    pub const fn colour_blind() -> Self {
        let blue = Color::Indexed(32);
        Self::named(blue, Color::Indexed(136), Color::Indexed(166), Color::Indexed(97), blue)
    }

    /// Colours that are as far from black as from white.
    pub const fn truecolor() -> Self {
        Self::named(
            Color::Rgb(0x2a, 0x8c, 0x4a),
            Color::Rgb(0xa8, 0x72, 0x00),
            Color::Rgb(0xd8, 0x3b, 0x3b),
            Color::Rgb(0x9a, 0x5f, 0xc8),
            Color::Rgb(0x1a, 0x7f, 0xb0),
        )
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
            Status::Pending => self.warn,
            Status::Maintenance | Status::Draining => self.note,
        }
    }

    /// An effect's style.
    pub const fn effect(&self, effect: Effect) -> Style {
        match effect {
            Effect::Down => self.bad,
            Effect::AtRisk => self.warn,
            Effect::Unknown => self.muted,
            Effect::Maintenance => self.note,
        }
    }

    /// What a level looks like.
    pub const fn level(&self, level: Level) -> Look {
        let (glyph, style) = match level {
            Level::Trace => ("·", self.muted),
            Level::Debug => ("▾", self.muted),
            Level::Info => ("◇", self.good),
            Level::Warn => ("▲", self.warn),
            Level::Error => ("◉", self.bad),
            Level::Fatal => ("■", self.bad),
        };
        Look { glyph, word: level.as_upper(), style }
    }
}

/// How something is told apart: with colour, and as well without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its glyph, of one cell.
    pub glyph: &'static str,
    /// Its name.
    pub word: &'static str,
    /// Its style.
    pub style: Style,
}

/// A status's glyph.
pub const fn glyph(status: Status) -> &'static str {
    match status {
        Status::Healthy => "●",
        Status::Unhealthy => "✗",
        Status::Unknown => "○",
        Status::Pending => "◌",
        Status::Maintenance => "◆",
        Status::Draining => "▽",
    }
}

/// An effect's glyph: how something that depends on a root is affected.
pub const fn effect_glyph(effect: Effect) -> &'static str {
    match effect {
        Effect::Down => "✗",
        Effect::AtRisk => "▲",
        Effect::Unknown => "○",
        Effect::Maintenance => "◆",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a colour (WCAG 2.2).
    fn luminance(colour: Color) -> f64 {
        let cube = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
        let (r, g, b) = match colour {
            Color::Rgb(r, g, b) => (r, g, b),
            Color::Indexed(i @ 16..=231) => (cube((i - 16) / 36), cube((i - 16) / 6 % 6), cube((i - 16) % 6)),
            other => panic!("{other} is the terminal's"),
        };
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    #[test]
    fn a_theme_of_its_own_colours_stands_out_from_black_and_from_white() {
        for name in [ThemeName::ColourBlind, ThemeName::Truecolor] {
            let Theme { title, key, good, warn, bad, note, matched, .. } = name.theme();
            for style in [title, key, good, warn, bad, note, matched] {
                let luminance = luminance(style.fg.unwrap());
                let contrasts = [(luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05)];
                assert!(
                    contrasts.iter().all(|contrast| *contrast > 3.0),
                    "{style:?} of {name:?}: {contrasts:?}"
                );
            }
        }
    }

    #[test]
    fn no_theme_sets_a_background_and_the_selection_is_seen_in_each() {
        let mut name = ThemeName::default();
        for _ in ThemeName::ALL {
            let theme = name.theme();
            assert!(theme.selected.add_modifier.contains(Modifier::REVERSED), "{name:?}");
            assert_eq!(theme.selected.bg.or(theme.bad.bg), None, "{name:?}");
            name = ThemeName::after(&theme);
        }
        assert_eq!(name, ThemeName::default(), "one comes round to the first");
    }
}
