//! `[keys]` in the configuration file: other keys for the same commands.
//!
//! ```toml
//! [keys]
//! "log.follow" = "F5"
//! "services.register" = ["a", "ctrl-n"]
//! "library.returned" = []               # no key; the palette still has it
//! ```
//!
//! Without the quotes, `log.follow = "F5"`, it is a table in TOML, and means the same.

use super::{Key, KeyError, Keymap};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The keys of one command: one, several, or none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "wanted a key in quotes, such as \"F5\", or several: [\"a\", \"ctrl-n\"]")]
pub enum Keys {
    /// One.
    One(String),
    /// Several, the one to show first.
    Many(Vec<String>),
    /// Those of several commands of a place.
    Place(BTreeMap<String, Keys>),
}

/// Why a `[keys]` section does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemapError {
    /// No command bears this name.
    #[error("[keys] knows no command '{name}'{hint}; 'distlog-tui keys' lists them all")]
    UnknownCommand {
        /// The name.
        name: String,
        /// The nearest names, or nothing.
        hint: String,
    },
    /// No key bears this name.
    #[error("[keys] {name}: '{key}' is no key: {source}")]
    UnknownKey {
        /// The command.
        name: String,
        /// What was written.
        key: String,
        /// What is expected.
        source: KeyError,
    },
    /// A key that is text, where text is typed.
    #[error(
        "[keys] {name}: '{key}' could not be typed any more: take one with Ctrl or Alt, or one with a name"
    )]
    Text {
        /// The command.
        name: String,
        /// The key.
        key: Key,
    },
    /// A key that no terminal tells from another.
    #[error("[keys] {name}: a terminal sends {key} as {sent}: write that")]
    Indistinct {
        /// The command.
        name: String,
        /// The key.
        key: Key,
        /// What arrives in its place.
        sent: &'static str,
    },
    /// Two commands want one key in the same place.
    #[error("[keys] {first} and {second} are both on {key}")]
    Clash {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// The key.
        key: Key,
    },
}

impl Keymap {
    /// The table as delivered, with other keys for some commands.
    ///
    /// # Errors
    /// When a command or a key is unknown, or two commands want one key.
    pub fn remapped(keys: &BTreeMap<String, Keys>) -> Result<Self, RemapError> {
        let mut keymap = Self::default();
        for (name, keys) in flat(keys) {
            let name = &name;
            let hint = keymap.near(name);
            let Some(binding) = keymap.bindings.iter_mut().find(|b| b.name() == *name) else {
                return Err(RemapError::UnknownCommand { name: name.clone(), hint });
            };
            let place = binding.place;
            let keys = match keys {
                Keys::One(key) => std::slice::from_ref(key),
                Keys::Many(keys) => keys,
                Keys::Place(_) => return Err(RemapError::UnknownCommand { name: name.clone(), hint }),
            };
            let parse = |key: &String| {
                let unknown =
                    |source| RemapError::UnknownKey { name: name.clone(), key: key.clone(), source };
                let key: Key = key.parse().map_err(unknown)?;
                let name = || name.clone();
                match key.sent_as() {
                    Some(sent) => Err(RemapError::Indistinct { name: name(), key, sent }),
                    None if place.is_typed_in() && key.is_text() => {
                        Err(RemapError::Text { name: name(), key })
                    }
                    None => Ok(key),
                }
            };
            binding.keys = Cow::Owned(keys.iter().map(parse).collect::<Result<_, _>>()?);
        }
        for (at, a) in keymap.bindings.iter().enumerate() {
            for b in keymap.bindings.iter().skip(at + 1) {
                if let Some(key) = a.clash(b) {
                    return Err(RemapError::Clash { first: a.name(), second: b.name(), key });
                }
            }
        }
        Ok(keymap)
    }

    /// Names that share a part with this one, in words.
    fn near(&self, name: &str) -> String {
        let (place, command) = name.split_once('.').unwrap_or((name, name));
        let near = |b: &&super::Binding| b.command.slug() == command;
        let mut names: Vec<String> = self.bindings.iter().filter(near).map(super::Binding::name).collect();
        if names.is_empty() {
            names =
                self.bindings.iter().filter(|b| b.place.slug() == place).map(super::Binding::name).collect();
        }
        names.truncate(4);
        if names.is_empty() { String::new() } else { format!(": is it {}?", names.join(" or ")) }
    }
}

/// Names and keys, whether they were written with quotes or as tables.
fn flat(keys: &BTreeMap<String, Keys>) -> Vec<(String, &Keys)> {
    let mut all = Vec::new();
    for (name, keys) in keys {
        match keys {
            Keys::Place(commands) => {
                all.extend(commands.iter().map(|(command, keys)| (format!("{name}.{command}"), keys)));
            }
            keys => all.push((name.clone(), keys)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Command, Place};

    fn remapped(keys: &[(&str, &[&str])]) -> Result<Keymap, RemapError> {
        let many = |keys: &[&str]| Keys::Many(keys.iter().map(ToString::to_string).collect());
        Keymap::remapped(&keys.iter().map(|(name, keys)| ((*name).to_owned(), many(keys))).collect())
    }

    #[test]
    fn another_key_takes_the_place_of_those_that_a_command_had() {
        let keymap = remapped(&[("log.follow", &["F5", "ctrl-t"]), ("library.returned", &[])]).unwrap();
        assert_eq!(keymap.command(Place::Log, "f5".parse().unwrap()), Some(Command::Follow));
        assert_eq!(keymap.command(Place::Log, Key::ctrl('t')), Some(Command::Follow));
        assert_eq!(keymap.command(Place::Log, Key::char(' ')), None);
        assert_eq!(keymap.key_of(Place::Log, Command::Follow), "F5");
        assert!(keymap.footer(Place::Library).all(|b| b.command != Command::Returned));
    }

    #[test]
    fn two_commands_may_change_keys_with_one_another() {
        let keymap = remapped(&[("log.send", &["f"]), ("log.follow", &["s"])]).unwrap();
        assert_eq!(keymap.command(Place::Log, Key::char('s')), Some(Command::Follow));
        assert_eq!(keymap.command(Place::Log, Key::char('f')), Some(Command::Send));
    }

    #[test]
    fn a_clash_names_both_commands_and_the_key() {
        for (name, key, said) in [
            ("log.follow", "s", "[keys] log.follow and log.send are both on s"),
            ("log.follow", "q", "[keys] log.follow and anywhere.quit are both on q"),
            ("anywhere.help", "d", "[keys] overview.graph and anywhere.help are both on d"),
            ("form.submit", "ctrl-c", "[keys] form.submit and always.quit are both on Ctrl-C"),
        ] {
            assert_eq!(remapped(&[(name, &[key])]).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_says_which_one_may_be_meant() {
        let said = remapped(&[("logs.follow", &["s"])]).unwrap_err().to_string();
        assert!(said.contains("'logs.follow'") && said.contains("log.follow?"), "{said}");
        let said = remapped(&[("log.follow", &["hyper-x"])]).unwrap_err().to_string();
        assert!(said.contains("log.follow") && said.contains("'hyper-x'"), "{said}");
    }

    #[test]
    fn a_key_that_is_text_is_not_taken_where_text_is_typed() {
        for (name, key, said) in [
            ("form.submit", "a", "[keys] form.submit: 'a' could not be typed any more"),
            ("prompt.submit", "e", "[keys] prompt.submit: 'e' could not be typed any more"),
            ("always.quit", "q", "[keys] always.quit: 'q' could not be typed any more"),
            ("log.filter", "ctrl-i", "[keys] log.filter: a terminal sends Ctrl-I as Tab: write that"),
            ("log.filter", "ctrl-m", "[keys] log.filter: a terminal sends Ctrl-M as Enter: write that"),
        ] {
            let told = remapped(&[(name, &[key])]).unwrap_err().to_string();
            assert!(told.starts_with(said), "{told}");
        }
        assert!(remapped(&[("form.submit", &["ctrl-s"]), ("palette.submit", &["F2"])]).is_ok());
    }

    #[test]
    fn names_may_be_written_without_quotes() {
        let read = |text: &str| {
            let keys: BTreeMap<String, Keys> = toml::from_str(text).map_err(|e| e.to_string())?;
            Keymap::remapped(&keys).map_err(|e| e.to_string())
        };
        let keymap = read("log.follow = \"F6\"\nlog.send = []").unwrap();
        assert_eq!(keymap.key_of(Place::Log, Command::Follow), "F6");
        assert!(read("log.nothing = \"F6\"").unwrap_err().contains("'log.nothing'"));
        assert!(read("\"log.follow\" = 6").unwrap_err().contains("wanted a key in quotes"));
    }
}
