//! The console's part of the configuration file, which it shares with the
//! daemons: where they are, how it looks, which keys do what.
//!
//! ```toml
//! [console]
//! theme = "colour-blind"
//! mouse = true
//! remember = false
//!
//! [keys]
//! "log.follow" = "F5"
//! ```

use crate::cli::{Endpoint, Endpoints};
use crate::keys::{Keymap, Keys, RemapError};
use crate::theme::ThemeName;
use serde::Deserialize;
use shared::daemon::Daemon;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the file says. Sections of the daemons are read as far as they say
/// where the daemons are; `distlogd check-config` checks the rest of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    console: Console,
    keys: BTreeMap<String, Keys>,
    registry: Section,
    log: Section,
    library: Section,
    monitor: Section,
}

/// `[console]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Console {
    theme: Option<ThemeName>,
    mouse: bool,
    remember: Option<bool>,
}

/// Where a daemon is, of its section.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Section {
    url: String,
    port: Option<u16>,
}

/// The configuration, read and checked.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The theme that the file names.
    pub theme: Option<ThemeName>,
    /// Whether the mouse is listened to.
    pub mouse: bool,
    /// Whether queries are kept over sessions; unless it says no, they are.
    pub remember: Option<bool>,
    /// The keys in force.
    pub keymap: Keymap,
    /// Where the daemons are.
    pub endpoints: Endpoints,
}

/// Why the configuration does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {source}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// The line and what is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// Its `[keys]` do not hold.
    #[error("{path}: {source}")]
    Keys {
        /// Which file.
        path: PathBuf,
        /// Which command, which key.
        source: RemapError,
    },
    /// A URL in it is none.
    #[error("{path}: {daemon}.url: '{url}' is not a URL: write it as http://host:port")]
    Url {
        /// Which file.
        path: PathBuf,
        /// Whose.
        daemon: &'static str,
        /// What was written.
        url: String,
    },
}

/// Reads the file that is named, else the first of those that are looked for;
/// without any, everything is as delivered.
///
/// # Errors
/// When the file cannot be read, or something in it does not hold.
pub fn load(named: Option<PathBuf>) -> Result<Config, ConfigError> {
    let Some(path) = shared::config::find(named) else { return Ok(Config::default()) };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, path),
        Err(source) => Err(ConfigError::Read { path, source }),
    }
}

/// Whether a variable of the environment is set, and not to nothing.
pub(crate) fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn parse(text: &str, path: PathBuf) -> Result<Config, ConfigError> {
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(source) => return Err(ConfigError::Parse { path, source: Box::new(source) }),
    };
    let keymap = match Keymap::remapped(&file.keys) {
        Ok(keymap) => keymap,
        Err(source) => return Err(ConfigError::Keys { path, source }),
    };
    let endpoint = |section: &Section, daemon: Daemon| {
        if section.url.is_empty() {
            return Ok(Endpoint::of(daemon, section.port));
        }
        section.url.parse().map_err(|_| {
            let (daemon, url) = (daemon.word(), section.url.clone());
            ConfigError::Url { path: path.clone(), daemon, url }
        })
    };
    let endpoints = Endpoints {
        registry: endpoint(&file.registry, Daemon::Registry)?,
        log: endpoint(&file.log, Daemon::Log)?,
        library: endpoint(&file.library, Daemon::Library)?,
        monitor: endpoint(&file.monitor, Daemon::Monitor)?,
    };
    let Console { theme, mouse, remember } = file.console;
    Ok(Config { theme, mouse, remember, keymap, endpoints })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Command, Place};

    fn read(text: &str) -> Result<Config, String> {
        parse(text, PathBuf::from("distlog.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn one_file_serves_the_daemons_and_the_console() {
        let config = read(
            "[general]\nbind = [\"::1\"]\n[registry]\nport = 3100\nguard_hold = \"1m\"\n\
             [log]\nurl = \"http://logs.example.org:80\"\n\
             [console]\ntheme = \"colour-blind\"\nmouse = true\nremember = false\n[keys]\n\"log.follow\" = \"F5\"\n",
        )
        .unwrap();
        assert_eq!((config.theme, config.mouse), (Some(ThemeName::ColourBlind), true));
        assert_eq!(config.remember, Some(false));
        assert_eq!(config.keymap.key_of(Place::Log, Command::Follow), "F5");
        assert_eq!(config.endpoints.registry.to_string(), "http://localhost:3100");
        assert_eq!(config.endpoints.log.to_string(), "http://logs.example.org:80");
        assert_eq!(config.endpoints.monitor, Endpoints::default().monitor);
    }

    #[test]
    fn what_does_not_hold_is_named_with_its_file() {
        for (text, said) in [
            ("[console]\ntheem = \"truecolor\"\n", "theem"),
            ("[console]\ntheme = \"pink\"\n", "pink"),
            ("[keys]\n\"log.folow\" = \"F5\"\n", "log.folow"),
            ("[keys]\n\"log.follow\" = \"s\"\n", "log.follow and log.send are both on s"),
            ("[log]\nurl = \"localhost\"\n", "log.url: 'localhost'"),
            ("[console\n", "line 1"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with("distlog.toml") && error.contains(said), "{error}");
        }
    }
}
