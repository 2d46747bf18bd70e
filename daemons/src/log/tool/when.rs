//! Times as other programs write them.

use crate::log::time;

/// What logfmt and env_logger put before a line's time.
const BEFORE: [&str; 6] = ["[", "time=\"", "time=", "ts=\"", "ts=", "\""];

/// The time that a line begins with, and the line's message. A time that stands
/// alone is cut off; one that is a part of something else is left where it is.
pub fn leading(line: &str) -> (Option<i64>, &str) {
    if let Some((ns, end)) = read(line) {
        let message = line.get(end..).unwrap_or_default().trim_start();
        return (Some(ns), if message.is_empty() { line } else { message });
    }
    let within = BEFORE.iter().find_map(|before| read(line.strip_prefix(before)?));
    (within.map(|(ns, _)| ns), line)
}

/// A text that is a time and nothing else.
pub fn whole(text: &str) -> Option<i64> {
    read(text).filter(|(_, end)| *end == text.len()).map(|(ns, _)| ns)
}

/// Reads RFC 3339 at the beginning of a text, and what is often written instead:
/// a space for the `T`, a comma for the point, an offset without its colon, none
/// at all for UTC. The time, and how many bytes it took.
fn read(text: &str) -> Option<(i64, usize)> {
    if let Some(own) = time::read(text.as_bytes()) {
        return Some(own);
    }
    let (date, clock) = (text.get(..10)?, text.get(11..19)?);
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let rest = text.get(19..)?;
    let digits = match rest.strip_prefix(['.', ',']) {
        Some(rest) => rest.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    };
    let point = usize::from(digits > 0);
    let fraction = rest.get(point..point + digits)?;
    let (zone, zone_len) = zone(rest.get(point + digits..)?);
    let end = 19 + point + digits + zone_len;
    let after = text.get(end..)?.chars().next();
    if after.is_some_and(|c| !c.is_whitespace() && !"]\"),;:|".contains(c)) {
        return None;
    }
    // More digits than a nanosecond has would be lost.
    let fraction = if digits == 0 { "0" } else { Some(fraction).filter(|_| digits <= 9)? };
    Some((time::parse_rfc3339(&format!("{date}T{clock}.{fraction}{zone}"))?, end))
}

/// The offset at the beginning of a text as RFC 3339 writes it, and its length.
fn zone(text: &str) -> (String, usize) {
    let two = |from: usize| text.get(from..from + 2).filter(|two| two.bytes().all(|b| b.is_ascii_digit()));
    let colon = usize::from(text.get(3..4) == Some(":"));
    match (text.get(..1), two(1), two(3 + colon)) {
        (Some("Z" | "z"), ..) => ("Z".to_owned(), 1),
        (Some(sign @ ("+" | "-")), Some(hours), Some(minutes)) => {
            (format!("{sign}{hours}:{minutes}"), 5 + colon)
        }
        _ => ("Z".to_owned(), 0),
    }
}

/// Reads a JSON number of seconds, milliseconds, microseconds or nanoseconds
/// since 1970: which of them, its size tells, for it is later than 1973.
pub fn epoch(number: &str) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: usize = match whole.len() {
        9..=11 => 9,
        12..=14 => 6,
        15..=17 => 3,
        18..=19 => 0,
        _ => return None,
    };
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction = format!("{fraction:0<digits$}");
    format!("{whole}{}", fraction.get(..digits)?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_time_is_cut_off_where_it_stands_alone() {
        for (line, ts, message) in [
            ("2026-11-22T10:00:00Z started", "2026-11-22T10:00:00Z", "started"),
            ("2026-11-22T10:00:00.5+02:00  x", "2026-11-22T08:00:00.5Z", "x"),
            ("2026-11-22 10:00:00,123 [main] x", "2026-11-22T10:00:00.123Z", "[main] x"),
            ("2026-11-22 10:00:00+0130: x", "2026-11-22T08:30:00Z", ": x"),
            ("2026-11-22T10:00:00.123456789Z x", "2026-11-22T10:00:00.123456789Z", "x"),
            ("[2026-11-22T10:00:00Z INFO a] x", "2026-11-22T10:00:00Z", "[2026-11-22T10:00:00Z INFO a] x"),
            ("time=\"2026-11-22T10:00:00Z\" x", "2026-11-22T10:00:00Z", "time=\"2026-11-22T10:00:00Z\" x"),
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ] {
            assert_eq!(leading(line), (time::parse_rfc3339(ts), message), "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_a_time_is_left() {
        for line in [
            "",
            "10:00:00 x",
            "2026-11-22",
            "2026-11-22T10:00",
            "2026-02-30 10:00:00 x",
            "2026-11-22 10:00:00abc",
            "2026-11-22 10:00:00+02 x",
            "2026-11-22 10:00:00.0123456789Z x",
            "书书书书书书书书书书",
        ] {
            assert_eq!(leading(line), (None, line));
        }
        assert_eq!(whole("2026-11-22T10:00:00Z x"), None);
    }

    #[test]
    fn a_number_says_its_unit_by_its_size() {
        let ns = 1_763_805_600_123_456_789;
        for number in
            ["1763805600.123456789", "1763805600123.4567890", "1763805600123456.789", "1763805600123456789"]
        {
            assert_eq!(epoch(number), Some(ns), "{number}");
        }
        assert_eq!(epoch("1763805600"), Some(1_763_805_600_000_000_000));
        for number in ["0", "42", "-1763805600", "1.7e9", "99999999999999999999"] {
            assert_eq!(epoch(number), None, "{number}");
        }
    }
}
