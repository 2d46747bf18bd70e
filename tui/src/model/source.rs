//! How each daemon was heard last: what is shown is live, or stale, or not there yet.

use chrono::{DateTime, TimeDelta, Utc};
use shared::daemon::Daemon;
use std::time::Duration;

/// What is no older is as new as what is asked for again and again.
const FRESH_MAX: Duration = Duration::from_secs(2);

/// A daemon that the console listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceName {
    /// Who is registered.
    Registry,
    /// How they are.
    Monitor,
    /// What is logged.
    Log,
    /// Books and loans.
    Library,
}

impl SourceName {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Registry, Self::Monitor, Self::Log, Self::Library];

    /// The daemon.
    pub const fn daemon(self) -> Daemon {
        match self {
            Self::Registry => Daemon::Registry,
            Self::Monitor => Daemon::Monitor,
            Self::Log => Daemon::Log,
            Self::Library => Daemon::Library,
        }
    }

    /// Its name in a sentence.
    pub const fn word(self) -> &'static str {
        self.daemon().word()
    }
}

/// A daemon that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// Why, in words.
    pub cause: String,
    /// When it is tried again.
    pub retry_at: DateTime<Utc>,
}

/// How a daemon was heard last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// When it was heard last.
    pub heard_at: Option<DateTime<Utc>>,
    /// How it is away, if it is.
    pub away: Option<Away>,
    /// Since when it is only asked whether it is there: what is shown of it is of
    /// then.
    pub resting: Option<DateTime<Utc>>,
}

impl Source {
    /// It answered. True where that changes what is shown.
    pub fn heard(&mut self, now: DateTime<Utc>) -> bool {
        let news = self.away.is_some() || self.heard_at.is_none();
        self.heard_at = Some(now);
        self.away = None;
        news
    }

    /// What is shown of it was brought up to date.
    pub const fn refreshed(&mut self) {
        self.resting = None;
    }

    /// What is shown of it is asked for no more: it ages from now on.
    pub const fn rest(&mut self) {
        if self.resting.is_none() {
            self.resting = self.heard_at;
        }
    }

    /// It showed that it is there, which brings nothing back that is stale.
    pub fn alive(&mut self, now: DateTime<Utc>) {
        if self.is_live() {
            self.heard_at = Some(now);
        }
    }

    /// It did not answer.
    pub fn lost(&mut self, cause: String, retry_in: Duration, now: DateTime<Utc>) {
        let retry_at = now + TimeDelta::from_std(retry_in).unwrap_or_default();
        self.away = Some(Away { cause, retry_at });
    }

    /// Whether what is shown of it is as new as can be.
    pub const fn is_live(&self) -> bool {
        self.heard_at.is_some() && self.away.is_none()
    }

    /// Whether it has never been heard.
    pub const fn is_new(&self) -> bool {
        self.heard_at.is_none()
    }

    /// How old what is shown is, where it is stale.
    pub fn stale(&self, now: DateTime<Utc>) -> Option<Duration> {
        let is_away = self.away.is_some();
        let since = if is_away { self.resting.or(self.heard_at) } else { self.resting };
        Some(elapsed(since?, now)).filter(|age| is_away || *age > FRESH_MAX)
    }
}

/// The time between two moments; none where the clock went back.
pub(crate) fn elapsed(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from).to_std().unwrap_or_default()
}

/// All sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources([Source; 4]);

impl Sources {
    /// One of them.
    pub const fn get(&self, name: SourceName) -> &Source {
        let [registry, monitor, log, library] = &self.0;
        match name {
            SourceName::Registry => registry,
            SourceName::Monitor => monitor,
            SourceName::Log => log,
            SourceName::Library => library,
        }
    }

    /// One of them, to change it.
    pub const fn get_mut(&mut self, name: SourceName) -> &mut Source {
        let [registry, monitor, log, library] = &mut self.0;
        match name {
            SourceName::Registry => registry,
            SourceName::Monitor => monitor,
            SourceName::Log => log,
            SourceName::Library => library,
        }
    }

    /// All of them, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (SourceName, &Source)> {
        SourceName::ALL.into_iter().zip(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_daemon_that_went_away_ages_until_it_is_back() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let mut source = Source::default();
        assert!(source.is_new());
        source.lost("refused".to_owned(), Duration::from_secs(1), at(0));
        assert_eq!(source.stale(at(5)), None, "nothing is shown that could be stale");
        assert!(source.heard(at(10)));
        assert!(!source.heard(at(12)), "hearing it again is no news");
        source.lost("refused".to_owned(), Duration::from_secs(1), at(14));
        source.lost("refused".to_owned(), Duration::from_secs(2), at(16));
        assert_eq!(source.stale(at(54)), Some(Duration::from_secs(42)));
        assert_eq!(source.away.as_ref().map(|away| away.retry_at), Some(at(18)));
        source.alive(at(58));
        assert!(!source.is_live(), "that it is there brings nothing back");
        assert!(source.heard(at(60)));
        assert!(source.is_live());
    }

    #[test]
    fn what_is_asked_for_no_more_ages_though_its_daemon_is_there() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let mut source = Source::default();
        source.rest();
        assert_eq!(source.stale(at(0)), None, "nothing is shown that could be stale");
        source.heard(at(1));
        source.rest();
        source.heard(at(60));
        source.rest();
        assert_eq!((source.is_live(), source.stale(at(61))), (true, Some(Duration::from_secs(60))));
        source.lost("refused".to_owned(), Duration::from_secs(1), at(62));
        assert_eq!(source.stale(at(71)), Some(Duration::from_secs(70)));
        source.heard(at(80));
        source.refreshed();
        assert_eq!(source.stale(at(81)), None);
    }

    #[test]
    fn the_age_of_what_is_quiet_counts_from_its_last_sign_of_life() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let mut source = Source::default();
        source.alive(at(0));
        assert!(source.is_new(), "it has told nothing yet");
        source.heard(at(1));
        (1..=100).for_each(|n| source.alive(at(1 + 2 * n)));
        source.lost("refused".to_owned(), Duration::from_secs(1), at(202));
        assert_eq!(source.stale(at(203)), Some(Duration::from_secs(2)));
    }
}
