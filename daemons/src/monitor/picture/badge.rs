//! A badge: a name, and one word or number beside it.
//!
//! ```text
//! ┌────────────────┬─────────┐
//! │ LibraryService │ healthy │
//! └────────────────┴─────────┘
//! ```

use super::{AMBER, GREY, colour, colour_of, escaped, percent, shortened};
use shared::wire::monitor::ServiceStatus;
use unicode_width::UnicodeWidthStr;

const HEIGHT: usize = 20;
/// The width of one column of text, and the room on its sides.
const COLUMN: usize = 7;
const SIDE: usize = 7;

/// A service's status.
pub fn status(service: &ServiceStatus) -> String {
    let word = service.status.as_str();
    if service.flapping {
        badge(&shortened(&service.name), &format!("flapping, now {word}"), AMBER)
    } else {
        badge(&shortened(&service.name), word, colour(service.status))
    }
}

/// The share of so many days in which a service did well.
pub fn uptime(name: &str, share: Option<f64>, days: u32) -> String {
    let label = format!("{} uptime {days}d", shortened(name));
    match share {
        Some(share) => badge(&label, &percent(share), colour_of(share)),
        None => badge(&label, "no probes", GREY),
    }
}

fn badge(label: &str, value: &str, colour: &str) -> String {
    let columns = |text: &str| text.width() * COLUMN;
    let (left, right) = (columns(label) + 2 * SIDE, columns(value) + 2 * SIDE);
    let width = left + right;
    let text = |x: usize, text: &str| {
        let columns = columns(text);
        let text = escaped(text);
        format!(
            "<text x=\"{x}\" y=\"14\" textLength=\"{columns}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>"
        )
    };
    let title = escaped(&format!("{label}: {value}"));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{HEIGHT}\" role=\"img\" \
         aria-label=\"{title}\"><title>{title}</title>\
         <rect width=\"{width}\" height=\"{HEIGHT}\" rx=\"3\" fill=\"#24292f\"/>\
         <path d=\"M{left} 0h{inner}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{inner}z\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">{}{}</g></svg>\n",
        text(SIDE, label),
        text(left + SIDE, value),
        inner = right - 3,
    )
}
