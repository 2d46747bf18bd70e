//! Classes of records, each kept for its own time.
//!
//! ```text
//! classes   = class { ";" class }                    an array in the file
//! class     = name "=" age { condition }
//! name      = 1 to 32 of a-z 0-9 _
//! age       = a span such as 12h or 365d | "off"     off: for ever
//! condition = "service:" glob                        once
//!           | "level:" [ "<" "<=" ">" ">=" ] level   twice for both ends
//! ```
//!
//! `debug=1d level:<=debug`, `audit=365d service:audit*`, `noise=12h
//! service:proxy level:<info`. A record is of the first class whose conditions
//! all hold; one of no class is kept as everything else is. `*` in a glob
//! stands for any text, spaces too.

use super::glob::Glob;
use super::value::Limit;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shared::span::Span;
use shared::wire::log::Level;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The longest name: it becomes a part of file names.
const NAME_MAX: usize = 32;
/// The most classes: each can be a file more for every sealed segment.
const CLASSES_MAX: usize = 16;
/// The shortest time for which anything can be kept.
const KEEP_MIN: Duration = Duration::from_secs(1);

/// Records of these services and levels are kept for a time of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// What it is called, in file names too.
    pub name: String,
    /// For how long; none: for ever.
    pub keep: Option<Duration>,
    /// Of which services.
    pub services: Glob,
    /// Of which levels.
    pub levels: Levels,
}

/// Levels from one to another, both among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// The least grave.
    pub least: Level,
    /// The gravest.
    pub most: Level,
}

/// Classes of different names, the first that fits first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Classes(Vec<Class>);

/// A class that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the class '{item}' {reason}")]
pub struct ClassError {
    item: String,
    reason: String,
}

impl ClassError {
    fn new(item: &str, reason: impl Into<String>) -> Self {
        Self { item: item.chars().take(80).collect(), reason: reason.into() }
    }
}

impl Class {
    /// Whether a record of this service and level is one of them.
    pub fn has(&self, service: &str, level: Level) -> bool {
        self.levels.has(level) && self.services.matches(service)
    }
}

impl Levels {
    const ALL: Self = Self { least: Level::Trace, most: Level::Fatal };

    /// Whether the level is one of them.
    pub fn has(self, level: Level) -> bool {
        (self.least..=self.most).contains(&level)
    }

    /// What is in both, if anything is.
    fn and(self, other: Self) -> Option<Self> {
        let both = Self { least: self.least.max(other.least), most: self.most.min(other.most) };
        (both.least <= both.most).then_some(both)
    }
}

/// Reads `error`, `>=warn`, `<info` and the like.
fn levels(text: &str) -> Result<Levels, String> {
    let (comparison, name) = match text.find(|c| !matches!(c, '<' | '>' | '=')) {
        Some(at) => text.split_at_checked(at).unwrap_or(("", text)),
        None => (text, ""),
    };
    let level: Level = name.parse().map_err(|error| format!("has the level '{name}': {error}"))?;
    let below = || Level::ALL.into_iter().rfind(|other| *other < level);
    let above = || Level::ALL.into_iter().find(|other| *other > level);
    let range = |least: Option<Level>, most: Option<Level>| {
        let both = least.zip(most).map(|(least, most)| Levels { least, most });
        both.ok_or_else(|| format!("has no levels: {text} is none"))
    };
    match comparison {
        "" | "=" => range(Some(level), Some(level)),
        "<=" => range(Some(Level::Trace), Some(level)),
        ">=" => range(Some(level), Some(Level::Fatal)),
        "<" => range(Some(Level::Trace), below()),
        ">" => range(above(), Some(Level::Fatal)),
        _ => Err(format!("compares levels by '{comparison}': write <, <=, > or >=")),
    }
}

impl FromStr for Class {
    type Err = ClassError;

    fn from_str(text: &str) -> Result<Self, ClassError> {
        let text = text.trim();
        let error = |reason: String| ClassError::new(text, reason);
        let mut words = text.split_whitespace();
        let (name, keep) = words
            .next()
            .and_then(|head| head.split_once('='))
            .ok_or_else(|| error("must begin with NAME=AGE, such as debug=1d".to_owned()))?;
        let name_holds = (1..=NAME_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !name_holds {
            return Err(error(format!(
                "has the name '{name}': it must be 1 to {NAME_MAX} of a-z, 0-9 and _"
            )));
        }
        if keep.is_empty() {
            return Err(error(format!("has no age: write {name}=30d, or {name}=off for ever")));
        }
        let keep: Limit<Span> = keep.parse().map_err(|e| error(format!("has no age: {e}, or off")))?;
        if keep.0.is_some_and(|keep| keep.0 < KEEP_MIN) {
            return Err(error("must be kept for at least 1s".to_owned()));
        }
        let (mut services, mut range) = (None, None);
        for word in words {
            match word.split_once(':') {
                Some(("service", "")) => return Err(error("has a service: without a name".to_owned())),
                Some(("service", glob)) if services.is_none() => services = Some(Glob::new(glob)),
                Some(("service", _)) => {
                    return Err(error("has more than one service: make a class of each".to_owned()));
                }
                Some(("level", text)) => {
                    let both = range.unwrap_or(Levels::ALL).and(levels(text).map_err(error)?);
                    range = Some(both.ok_or_else(|| error("has no level that is all of these".to_owned()))?);
                }
                _ => return Err(error(format!("has '{word}': write service:GLOB or level:LEVELS"))),
            }
        }
        if services.is_none() && range.is_none() {
            return Err(error(
                "names neither a service: nor a level: (log.keep_age is for everything else)".to_owned(),
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            keep: keep.0.map(Duration::from),
            services: services.unwrap_or_else(Glob::all),
            levels: range.unwrap_or(Levels::ALL),
        })
    }
}

impl Classes {
    /// Classes in this order.
    ///
    /// # Errors
    /// When there are too many, or two of one name.
    pub fn new(classes: Vec<Class>) -> Result<Self, ClassError> {
        for (at, class) in classes.iter().enumerate() {
            if at == CLASSES_MAX {
                let reason = format!("is one too many: there are at most {CLASSES_MAX}");
                return Err(ClassError::new(&class.to_string(), reason));
            }
            if classes.iter().take(at).any(|before| before.name == class.name) {
                return Err(ClassError::new(&class.to_string(), "has the name of one before it"));
            }
        }
        Ok(Self(classes))
    }

    /// The classes, in order.
    pub fn as_slice(&self) -> &[Class] {
        &self.0
    }
}

impl FromStr for Classes {
    type Err = ClassError;

    fn from_str(text: &str) -> Result<Self, ClassError> {
        let items = text.split(';').filter(|item| !item.trim().is_empty());
        Self::new(items.map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let items = Vec::<String>::deserialize(d)?;
        let classes: Result<_, _> = items.iter().map(|item| item.parse()).collect();
        classes.and_then(Self::new).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Class {
    /// As it can be written, in one way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, Limit(self.keep.map(Span)))?;
        let all_levels = self.levels == Levels::ALL;
        if all_levels || !self.services.is_all() {
            write!(f, " service:{}", self.services)?;
        }
        if !all_levels {
            write!(f, " {}", self.levels)?;
        }
        Ok(())
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, most } = self;
        match (*least, *most) {
            _ if least == most => write!(f, "level:{least}"),
            (Level::Trace, _) => write!(f, "level:<={most}"),
            (_, Level::Fatal) => write!(f, "level:>={least}"),
            _ => write!(f, "level:>={least} level:<={most}"),
        }
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
