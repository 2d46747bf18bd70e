//! A chart of a service's uptime: a bar for each of 48 parts of a time, as high
//! as the share of its probes that went well.

use super::super::uptime::{Bucket, bucket_of, share};
use super::{GREY, colour_of, escaped, percent, shortened};
use chrono::{DateTime, TimeDelta, Utc};
use shared::span::age;
use std::fmt::Write as _;

/// Bars, their width and their height in full.
const BARS: i32 = 48;
const BAR: i32 = 10;
const TALL: f64 = 60.0;
const TOP: f64 = 24.0;

/// The probes of a service over `span`, up to now.
pub fn chart(name: &str, buckets: &[Bucket], span: TimeDelta, now: DateTime<Utc>) -> String {
    let over = age(span.to_std().unwrap_or_default());
    let all = share(buckets.iter());
    let title = match all {
        Some(all) => format!("{}: {} of probes well over {over}", shortened(name), percent(all)),
        None => format!("{}: no probes over {over}", shortened(name)),
    };
    let title = escaped(&title);
    let width = BARS * BAR;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"104\" role=\"img\" \
         aria-label=\"{title}\"><title>{title}</title>\
         <style>text{{font:12px Verdana,DejaVu Sans,sans-serif;fill:#24292f}}</style>\
         <rect width=\"{width}\" height=\"104\" fill=\"#fff\"/><text x=\"4\" y=\"16\">{title}</text>"
    );
    let begin = now - span;
    for bar in 0..BARS {
        let at = |bar: i32| begin + span * bar / BARS;
        let part = bucket_of(at(bar))..bucket_of(at(bar + 1)).max(bucket_of(at(bar)) + 1);
        let share = share(buckets.iter().filter(|bucket| part.contains(&bucket.number)));
        // What failed altogether is to be seen too.
        let tall = share.map_or(TALL, |share| (share * TALL).max(4.0));
        let (fill, words) = match share {
            Some(share) => (colour_of(share), percent(share)),
            None => ("#d0d7de", "no probes".to_owned()),
        };
        let when = at(bar).format("%Y-%m-%d %H:%M UTC");
        let (x, y) = (bar * BAR + 1, TOP + TALL - tall);
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{x}\" y=\"{y:.1}\" width=\"{}\" height=\"{tall:.1}\" fill=\"{fill}\">\
             <title>{when}: {words}</title></rect>",
            BAR - 2
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"4\" y=\"99\" style=\"fill:{GREY}\">{over} ago</text>\
         <text x=\"{}\" y=\"99\" text-anchor=\"end\" style=\"fill:{GREY}\">now</text></svg>",
        width - 4
    );
    svg
}
