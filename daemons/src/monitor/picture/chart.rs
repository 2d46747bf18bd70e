//! A chart of a service's uptime: a bar for each part of a time, as high as the
//! share of it in which its probes went well. There are 48 parts, or fewer where each
//! would be shorter than what is summed up.

use super::super::uptime::{BUCKET_S, Bucket, bucket_of, share};
use super::{GREY, colour_of, escaped, percent, shortened};
use chrono::{DateTime, TimeDelta, Utc};
use shared::span::age;
use std::fmt::Write as _;

/// Bars at most, the width of all and their height in full.
const BARS_MAX: i64 = 48;
const WIDTH: i64 = 480;
const TALL: f64 = 60.0;
const TOP: f64 = 24.0;

/// The probes of a service over `span`, up to now.
pub fn chart(name: &str, buckets: &[Bucket], span: TimeDelta, now: DateTime<Utc>) -> String {
    let over = age(span.to_std().unwrap_or_default());
    let all = share(buckets.iter());
    let title = match all {
        Some(all) => format!("{}: well for {} of {over}", shortened(name), percent(all)),
        None => format!("{}: no probes over {over}", shortened(name)),
    };
    let title = escaped(&title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"104\" role=\"img\" \
         aria-label=\"{title}\"><title>{title}</title>\
         <style>text{{font:12px Verdana,DejaVu Sans,sans-serif;fill:#24292f}}</style>\
         <rect width=\"{WIDTH}\" height=\"104\" fill=\"#fff\"/><text x=\"4\" y=\"16\">{title}</text>"
    );
    let sums = (span.num_seconds() / BUCKET_S).max(1);
    let bars = sums.min(BARS_MAX);
    // Up to the end of the sum that is being made.
    let begin = bucket_of(now + TimeDelta::seconds(BUCKET_S - 1)) - sums;
    for bar in 0..bars {
        let part = begin + sums * bar / bars..begin + sums * (bar + 1) / bars;
        let share = share(buckets.iter().filter(|bucket| part.contains(&bucket.number)));
        // What failed altogether is to be seen too.
        let tall = share.map_or(TALL, |share| (share * TALL).max(4.0));
        let (fill, words) = match share {
            Some(share) => (colour_of(share), percent(share)),
            None => ("#d0d7de", "no probes".to_owned()),
        };
        let at = DateTime::from_timestamp_secs(part.start * BUCKET_S).unwrap_or_default();
        let when = at.format("%Y-%m-%d %H:%M UTC");
        let (x, y) = (bar * WIDTH / bars + 1, TOP + TALL - tall);
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{x}\" y=\"{y:.1}\" width=\"{}\" height=\"{tall:.1}\" fill=\"{fill}\">\
             <title>{when}: {words}</title></rect>",
            WIDTH / bars - 2
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"4\" y=\"99\" style=\"fill:{GREY}\">{over} ago</text>\
         <text x=\"{}\" y=\"99\" text-anchor=\"end\" style=\"fill:{GREY}\">now</text></svg>",
        WIDTH - 4
    );
    svg
}
