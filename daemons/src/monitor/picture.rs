//! Pictures of a service for a page or a README: self-contained SVG, pure.
//!
//! What a colour says stands there in words too, and every text has a contrast
//! of at least 4.5 to 1 to what is behind it (WCAG 2.1, 1.4.3).

mod badge;
mod chart;

pub use badge::{status, uptime};
pub use chart::chart;

use crate::runtime::listing;
use shared::sanitize::sanitize;
use shared::share;
use shared::wire::monitor::Status;

const GREEN: &str = "#1a7f37";
const RED: &str = "#b3261e";
const AMBER: &str = "#8a5300";
const BLUE: &str = "#0b57a4";
const GREY: &str = "#57606a";

/// The longest name that is shown, in columns.
const NAME_MAX: usize = 48;

const fn colour(status: Status) -> &'static str {
    match status {
        Status::Healthy => GREEN,
        Status::Unhealthy => RED,
        Status::Unknown | Status::Pending => GREY,
        Status::Maintenance | Status::Draining => BLUE,
    }
}

/// The colour of a share of time in which probes went well.
fn colour_of(share: f64) -> &'static str {
    if share >= 0.99 {
        GREEN
    } else if share >= 0.9 {
        AMBER
    } else {
        RED
    }
}

/// A text that is harmless in XML, in an attribute too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitize(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A name that is not too long to be shown.
fn shortened(name: &str) -> String {
    listing::shortened(&sanitize(name), NAME_MAX).into_owned()
}

/// `99.83%`, and 100 % only where no probe failed.
fn percent(share: f64) -> String {
    format!("{}%", share::percent(share, 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::uptime::Bucket;
    use chrono::{DateTime, TimeDelta};
    use shared::wire::monitor::ServiceStatus;

    fn service(name: &str, status: Status) -> ServiceStatus {
        ServiceStatus { name: name.to_owned(), status, ..ServiceStatus::default() }
    }

    #[test]
    fn names_are_escaped_and_cut_and_the_state_stands_in_words() {
        let svg = status(&service("<script>&\"'\u{1b}", Status::Unhealthy));
        assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;&amp;&quot;&#39;\\x1b"), "{svg}");
        assert!(svg.contains(">unhealthy</text>") && svg.contains("aria-label="));
        let long = status(&service(&"长".repeat(200), Status::Healthy));
        assert!(long.contains('…') && long.len() < 2_000);
        let flapping = ServiceStatus { flapping: true, ..service("a", Status::Healthy) };
        assert!(status(&flapping).contains(">flapping, now healthy</text>"));
    }

    #[test]
    fn all_is_said_only_where_nothing_failed() {
        for (share, want) in [(1.0, "100%"), (0.999_99, "99.99%"), (0.5, "50.00%"), (0.0, "0.00%")] {
            assert_eq!(percent(share), want);
        }
        assert!(uptime("a", None, 30).contains(">no probes</text>"));
        assert!(uptime("a", Some(0.98), 30).contains(">98.00%</text>"));
    }

    #[test]
    fn a_chart_has_a_bar_for_each_time_and_says_where_there_was_no_probe() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let buckets =
            [Bucket { number: 0, good_ms: 6, total_ms: 6 }, Bucket { number: 143, good_ms: 3, total_ms: 6 }];
        let svg = chart("a", &buckets, TimeDelta::hours(24), now);
        assert_eq!(svg.matches("<rect class").count(), 48);
        assert_eq!(svg.matches("no probes</title>").count(), 46, "{svg}");
        assert!(svg.contains("a: well for 75.00% of 1d"), "{svg}");
    }

    #[test]
    fn a_chart_of_an_hour_ends_with_the_ten_minutes_that_pass() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::minutes(65);
        let buckets = [1, 6].map(|number| Bucket { number, good_ms: 3, total_ms: 6 });
        let svg = chart("a", &buckets, TimeDelta::hours(1), now);
        assert_eq!(svg.matches("<rect class").count(), 6);
        let told: Vec<&str> = svg.split("<title>1970-01-01 ").skip(1).collect();
        assert!(told[0].starts_with("00:10 UTC: 50.00%<"), "{svg}");
        assert!(told[5].starts_with("01:00 UTC: 50.00%<"), "{svg}");
    }
}
