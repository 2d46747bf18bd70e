//! One key: as the terminal sends it, as people read it, as a file names it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;
use std::str::FromStr;

/// A key, or a key held with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// What is held with it; Shift is left out where the character says it.
    pub modifiers: KeyModifiers,
}

impl Key {
    /// A key by itself.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// A character.
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// A character with Ctrl.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), modifiers: KeyModifiers::CONTROL }
    }

    /// Whether it types a character.
    pub(super) fn is_text(&self) -> bool {
        let held = self.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        matches!(self.code, KeyCode::Char(_)) && !held
    }

    /// The key as which a terminal sends it, where that is another one.
    pub(super) fn sent_as(&self) -> Option<&'static str> {
        match self.code {
            _ if self.modifiers != KeyModifiers::CONTROL => None,
            KeyCode::Char('i') => Some("Tab"),
            KeyCode::Char('m') => Some("Enter"),
            KeyCode::Char('[') => Some("Esc"),
            _ => None,
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        // Terminals disagree whether `G` and Shift-Tab come with Shift.
        let said = matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab);
        let modifiers = if said { event.modifiers.difference(KeyModifiers::SHIFT) } else { event.modifiers };
        Self { code: event.code, modifiers }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in MODIFIERS {
            if self.modifiers.contains(modifier) {
                write!(f, "{name}-")?;
            }
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            code => write!(f, "{code}"),
        }
    }
}

const MODIFIERS: [(KeyModifiers, &str); 3] =
    [(KeyModifiers::CONTROL, "Ctrl"), (KeyModifiers::ALT, "Alt"), (KeyModifiers::SHIFT, "Shift")];

/// Names of keys in a file, in lower case.
const NAMES: [(&str, KeyCode); 21] = [
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("↑", KeyCode::Up),
    ("↓", KeyCode::Down),
    ("←", KeyCode::Left),
    ("→", KeyCode::Right),
];

/// A text that names no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as g, G, ctrl-g, alt-g, f5, shift-tab, space, enter, esc, up or pgdn")]
pub struct KeyError;

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        // `-` by itself is a key, and so is what follows `Ctrl-` in `Ctrl--`.
        while let Some((word, next)) = rest.split_once('-').filter(|(_, next)| !next.is_empty()) {
            let named = MODIFIERS.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
            let Some((modifier, _)) = named else { break };
            modifiers |= *modifier;
            rest = next;
        }
        let mut code = key_code(rest).ok_or(KeyError)?;
        if code == KeyCode::Tab && modifiers.contains(KeyModifiers::SHIFT) {
            code = KeyCode::BackTab;
        }
        if let KeyCode::Char(c) = code {
            code = match (modifiers.contains(KeyModifiers::CONTROL), modifiers.contains(KeyModifiers::SHIFT))
            {
                (true, _) => KeyCode::Char(c.to_ascii_lowercase()),
                (false, true) if c.is_alphabetic() => KeyCode::Char(c.to_ascii_uppercase()),
                // What Shift makes of another character is the keyboard's own affair.
                (false, true) => return Err(KeyError),
                (false, false) => code,
            };
        }
        Ok(Self::from(KeyEvent::new(code, modifiers)))
    }
}

fn key_code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next())
        && !c.is_control()
        && !NAMES.iter().any(|(other, _)| *other == name)
    {
        return Some(KeyCode::Char(c));
    }
    let lower = name.to_ascii_lowercase();
    if let Some(number) = lower.strip_prefix('f').and_then(|number| number.parse().ok()) {
        return (1..=24).contains(&number).then_some(KeyCode::F(number));
    }
    NAMES.iter().find(|(name, _)| *name == lower).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_is_left_out_where_the_character_says_it() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Key::from(event), Key::char('G'));
        assert_eq!(Key::ctrl('c').to_string(), "Ctrl-C");
        assert_eq!(Key::plain(KeyCode::PageUp).to_string(), "PgUp");
    }

    #[test]
    fn a_key_is_read_as_it_is_shown_and_in_plain_letters() {
        for (text, key) in [
            ("g", Key::char('g')),
            ("G", Key::char('G')),
            ("shift-g", Key::char('G')),
            ("-", Key::char('-')),
            ("ctrl--", Key::ctrl('-')),
            ("Ctrl-C", Key::ctrl('c')),
            ("?", Key::char('?')),
            ("space", Key::char(' ')),
            ("shift-tab", Key::plain(KeyCode::BackTab)),
            ("F5", Key::plain(KeyCode::F(5))),
            ("pgdn", Key::plain(KeyCode::PageDown)),
            ("up", Key::plain(KeyCode::Up)),
            ("alt-x", Key { code: KeyCode::Char('x'), modifiers: KeyModifiers::ALT }),
            ("分", Key::char('分')),
        ] {
            assert_eq!(text.parse(), Ok(key), "{text}");
            assert_eq!(key.to_string().parse(), Ok(key), "{key}");
        }
        for text in ["", "gg", "meta-x", "f0", "f99", "ctrl-", "\u{1b}"] {
            assert_eq!(text.parse::<Key>(), Err(KeyError), "{text:?}");
        }
    }
}
