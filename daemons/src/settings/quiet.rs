//! Quiet hours, in local time.
//!
//! ```text
//! quiet  = window | [ window, … ]
//! window = [ days " " ] time "-" time      a window over midnight begins on these days
//! days   = day [ "-" day ] { "," … }       mon tue wed thu fri sat sun; none: every day
//! time   = "22:00"                         "24:00" is the end of the day
//! ```

use chrono::{DateTime, Datelike, Days, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Windows that are looked at to find the end of quiet: more than one only
/// where one ends in the next.
const CHAIN_MAX: usize = 16;
const DAY_MINUTES: u32 = 24 * 60;

/// When nobody is to be woken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quiet(Vec<Window>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    days: Vec<Weekday>,
    /// Minutes since midnight.
    from: u32,
    /// Minutes since midnight; not after `from`: on the next day.
    to: u32,
    text: String,
}

impl Quiet {
    /// Until when it is quiet; none when it is not quiet now. Where clocks are
    /// changed, an end that does not exist is an hour later.
    pub fn until<Tz: TimeZone>(&self, now: &DateTime<Tz>) -> Option<DateTime<Utc>> {
        let begin = now.naive_local();
        let mut end = begin;
        for _ in 0..CHAIN_MAX {
            let Some(later) = self.0.iter().filter_map(|window| window.end_after(end)).max() else { break };
            end = later;
        }
        let zone = now.timezone();
        let known = |local: NaiveDateTime| zone.from_local_datetime(&local).latest();
        (end > begin)
            .then(|| known(end).or_else(|| known(end + TimeDelta::hours(1))))
            .flatten()
            .map(|end| end.to_utc())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Window {
    /// The end of this window, if `now` is in it.
    fn end_after(&self, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let today = now.date();
        let of_day = |day: chrono::NaiveDate| {
            if !self.days.contains(&day.weekday()) {
                return None;
            }
            let midnight = day.and_time(NaiveTime::MIN);
            let length =
                if self.to > self.from { self.to - self.from } else { self.to + DAY_MINUTES - self.from };
            let begin = midnight + TimeDelta::minutes(self.from.into());
            let end = begin + TimeDelta::minutes(length.into());
            (begin..end).contains(&now).then_some(end)
        };
        of_day(today).or_else(|| today.checked_sub_days(Days::new(1)).and_then(of_day))
    }
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || {
            let text: String = text.chars().take(40).collect();
            format!("'{text}' are no quiet hours: write 22:00-07:00, or sat-sun 00:00-24:00")
        };
        let (days, times) = text.trim().rsplit_once(' ').unwrap_or(("", text.trim()));
        let (from, to) = times.split_once('-').ok_or_else(error)?;
        let (from, to) = (minutes(from).ok_or_else(error)?, minutes(to).ok_or_else(error)?);
        if from == to || from == DAY_MINUTES {
            return Err(error());
        }
        Ok(Self { days: weekdays(days.trim()).ok_or_else(error)?, from, to, text: text.trim().to_owned() })
    }
}

fn minutes(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY_MINUTES).then_some(hour * 60 + minute)
}

fn weekdays(text: &str) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    if text.is_empty() {
        return weekdays("mon-sun");
    }
    for part in text.split(',') {
        let (first, last) = part.trim().split_once('-').unwrap_or((part.trim(), part.trim()));
        let (first, last): (Weekday, Weekday) = (first.parse().ok()?, last.parse().ok()?);
        let mut day = first;
        days.push(day);
        while day != last {
            day = day.succ();
            days.push(day);
        }
    }
    Some(days)
}

impl<'de> Deserialize<'de> for Quiet {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "hours such as 22:00-07:00 were expected, or an array of them")]
        enum Written {
            One(String),
            Many(Vec<String>),
        }
        let windows = match Written::deserialize(d)? {
            Written::One(window) => vec![window],
            Written::Many(windows) => windows,
        };
        let windows: Result<_, String> = windows.iter().map(|window| window.parse()).collect();
        windows.map(Self).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.0.iter().map(|window| window.text.as_str()).collect();
        f.write_str(&texts.join("; "))
    }
}

impl Serialize for Quiet {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::FixedOffset;

    fn quiet(windows: &[&str]) -> Quiet {
        Quiet(windows.iter().map(|window| window.parse().unwrap()).collect())
    }

    /// Monday, 5 January 2026, and so many days after it.
    fn at(day: u32, time: &str) -> DateTime<FixedOffset> {
        format!("2026-01-{:02}T{time}:00+02:00", 5 + day).parse().unwrap()
    }

    #[test]
    fn quiet_ends_when_its_hours_do() {
        let night = &["22:00-07:00"][..];
        let weekend = &["fri 18:00-24:00", "sat-sun 00:00-24:00", "mon 00:00-08:00"][..];
        for (windows, now, until) in [
            (night, at(0, "21:59"), None),
            (night, at(0, "22:00"), Some(at(1, "07:00"))),
            (night, at(1, "06:59"), Some(at(1, "07:00"))),
            (night, at(1, "07:00"), None),
            (&["mon 22:00-07:00"], at(1, "06:00"), Some(at(1, "07:00"))),
            (&["mon 22:00-07:00"], at(1, "23:00"), None),
            (&["mon,wed 09:00-10:00"], at(2, "09:30"), Some(at(2, "10:00"))),
            // One window runs into the next.
            (weekend, at(4, "19:00"), Some(at(7, "08:00"))),
            (&[], at(0, "00:00"), None),
            // Quiet for ever has no end, but it is quiet.
            (&["00:00-24:00"], at(0, "12:00"), Some(at(16, "00:00"))),
        ] {
            assert_eq!(quiet(windows).until(&now), until.map(|at| at.to_utc()), "{windows:?} at {now}");
        }
    }

    #[test]
    fn what_are_no_hours_is_said() {
        for text in ["", "22-07", "22:00", "25:00-07:00", "22:60-07:00", "someday 22:00-07:00", "07:00-07:00"]
        {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }
}
