//! Text on a grid of cells: measured by display width, and made harmless.
//!
//! Whatever others wrote passes through [`clean`], or through [`clip`], [`fit`] or
//! [`wrap`], which clean it too, so this is the one place where untrusted text
//! becomes drawable.

use shared::sanitize;
use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A grapheme of more characters than this is cut: a letter that carries ten
/// thousand accents is an attack on the reader's screen.
const GRAPHEME_CHARS_MAX: usize = 8;

/// How many characters are looked at for each cell that is to be filled, so
/// that the cost of a line depends on the screen and not on the message.
const CHARS_PER_CELL: usize = GRAPHEME_CHARS_MAX + 1;

/// A line without anything that could reach beyond its cells.
///
/// Where terminals disagree about a width, a ghost is left behind for ever: such
/// characters are shown as others that look like them and whose width is certain.
pub fn clean(text: &str) -> Cow<'_, str> {
    let safe = sanitize::sanitize(text);
    if safe.is_ascii() || !safe.chars().any(|c| certain(c).is_some()) {
        return safe;
    }
    let mut out = String::with_capacity(safe.len());
    for c in safe.chars() {
        match certain(c) {
            Some(Certain::Text(shown)) => out.push_str(shown),
            Some(Certain::Letter(letter)) => out.push(letter),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// What is shown in place of a character of uncertain width.
enum Certain {
    Text(&'static str),
    Letter(char),
}

/// What is shown in place of a character, where its width is uncertain.
fn certain(c: char) -> Option<Certain> {
    Some(match c {
        // Emoji presentation, and the colours of skin: they merge or they do not.
        '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => Certain::Text(""),
        // Two of them are a flag, or two letters: those of the country.
        '\u{1f1e6}'..='\u{1f1ff}' => {
            let nth = u8::try_from(u32::from(c) - 0x1f1e6).ok()?;
            Certain::Letter(char::from(b'A' + nth))
        }
        // Thai and Lao sara am, as the two signs that it is made of.
        '\u{e33}' => Certain::Text("\u{e4d}\u{e32}"),
        '\u{eb3}' => Certain::Text("\u{ecd}\u{eb2}"),
        // The half-width marks of sound, as whole ones.
        '\u{ff9e}' => Certain::Letter('\u{309b}'),
        '\u{ff9f}' => Certain::Letter('\u{309c}'),
        _ => return None,
    })
}

/// JSON in which every character that could harm a terminal is written as JSON's
/// own escape, which reads back as the same character.
pub fn harmless_json(json: String) -> String {
    if !json.chars().any(sanitize::is_hazard) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if sanitize::is_hazard(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// How many cells a clean text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The start of a text that is long enough to fill `cells`, and whether
/// something was left out.
pub fn head(text: &str, cells: usize) -> (&str, bool) {
    let chars = cells.saturating_add(1).saturating_mul(CHARS_PER_CELL);
    match text.char_indices().nth(chars).and_then(|(at, _)| text.get(..at)) {
        Some(head) => (head, true),
        None => (text, false),
    }
}

/// A grapheme's cells and what of it is shown.
fn shown(grapheme: &str) -> (usize, &str) {
    let end = grapheme.char_indices().nth(GRAPHEME_CHARS_MAX).map_or(grapheme.len(), |(at, _)| at);
    let shown = grapheme.get(..end).unwrap_or_default();
    (shown.width(), shown)
}

/// Whether each byte of a text is a character that takes a cell, and nothing has
/// to be cleaned: most of what is drawn is like that, and need not be measured.
pub fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The text cleaned and cut to at most `cells`, with `…` where it was cut.
pub fn clip(text: &str, cells: usize) -> String {
    // One byte more is looked at: nothing that follows joins what is kept.
    let seen = text.as_bytes().get(..=cells).unwrap_or(text.as_bytes());
    if is_plain(seen) {
        return match text.get(..cells) {
            Some(start) if text.len() > cells => ellipsis(start.to_owned(), cells.saturating_sub(1), cells),
            _ => text.to_owned(),
        };
    }
    let (start, cut) = head(text, cells);
    let start = clean(start);
    let mut out = String::new();
    let mut used = 0;
    // Where the text would have to end to leave a cell for the ellipsis.
    let mut room = 0;
    for grapheme in start.graphemes(true) {
        let (cells_of, part) = shown(grapheme);
        if used + cells_of > cells {
            return ellipsis(out, room, cells);
        }
        out.push_str(part);
        used += cells_of;
        if used < cells {
            room = out.len();
        }
    }
    if cut { ellipsis(out, room, cells) } else { out }
}

fn ellipsis(mut out: String, room: usize, cells: usize) -> String {
    if cells == 0 {
        return String::new();
    }
    out.truncate(room);
    out.push('…');
    out
}

/// The text cut and padded to exactly `cells`.
pub fn fit(text: &str, cells: usize) -> String {
    let mut out = clip(text, cells);
    let used = out.width();
    out.extend(std::iter::repeat_n(' ', cells.saturating_sub(used)));
    out
}

/// As [`fit`], against the right edge: for numbers.
pub fn fit_right(text: &str, cells: usize) -> String {
    let out = clip(text, cells);
    let pad = cells.saturating_sub(out.width());
    format!("{:pad$}{out}", "")
}

/// Lines of at most `cells`, broken at spaces where there are any; at most
/// `lines_max` of them. Line feeds break too; everything else is cleaned.
pub fn wrap(text: &str, cells: usize, lines_max: usize) -> Vec<String> {
    let mut out = Vec::new();
    if cells == 0 {
        return out;
    }
    if text.len() <= cells && lines_max > 0 && is_plain(text.as_bytes()) {
        return vec![text.to_owned()];
    }
    let (text, cut) = head(text, cells.saturating_mul(lines_max));
    let text = sanitize::sanitize_lines(text);
    for paragraph in text.split('\n') {
        // A tab has no width of its own.
        let paragraph = paragraph.replace('\t', "    ");
        wrap_paragraph(&clean(&paragraph), cells, &mut out);
        if out.len() > lines_max {
            break;
        }
    }
    if cut || out.len() > lines_max {
        out.truncate(lines_max.saturating_sub(1));
        out.push("…".to_owned());
    }
    out
}

fn wrap_paragraph(text: &str, cells: usize, out: &mut Vec<String>) {
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_word_bounds() {
        let plain = is_plain(word.as_bytes());
        let word_cells = if plain { word.len() } else { word.width() };
        if used + word_cells > cells && word_cells <= cells && used > 0 {
            out.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
            if word.trim().is_empty() {
                continue;
            }
        }
        if plain && used + word_cells <= cells {
            line.push_str(word);
            used += word_cells;
            continue;
        }
        for grapheme in word.graphemes(true) {
            let (cells_of, part) = shown(grapheme);
            if used + cells_of > cells && used > 0 {
                out.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(part);
            used += cells_of;
        }
    }
    out.push(line);
}

/// The text without its first `cells` cells: a line scrolled sideways.
pub fn skip(text: &str, cells: usize) -> &str {
    let mut passed = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        if passed >= cells {
            return text.get(at..).unwrap_or_default();
        }
        passed += grapheme.width();
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clipped_text_ends_in_an_ellipsis_and_never_takes_more_than_its_cells() {
        for (text, cells, want) in [
            ("plain", 10, "plain"),
            ("plain", 5, "plain"),
            ("plainer", 5, "plai…"),
            ("分布式系统", 10, "分布式系统"),
            ("分布式系统", 9, "分布式系…"),
            ("分布式系统", 8, "分布式…"),
            ("分", 1, "…"),
            ("x", 0, ""),
            ("", 3, ""),
        ] {
            assert_eq!(clip(text, cells), want, "{text} in {cells}");
        }
    }

    #[test]
    fn wide_text_is_padded_to_the_same_edge() {
        for text in ["abc", "分布", "é", "", "a\u{202e}b\x1b[31m"] {
            assert_eq!(width(&fit(text, 12)), 12, "{text}");
            assert_eq!(width(&fit_right(text, 12)), 12, "{text}");
        }
    }

    #[test]
    fn a_letter_under_a_heap_of_accents_keeps_only_a_few() {
        let zalgo = format!("a{}", "\u{301}".repeat(10_000));
        assert!(clip(&zalgo, 5).chars().count() < 20);
    }

    #[test]
    fn long_text_is_wrapped_at_spaces_and_words_that_are_too_long_anywhere() {
        assert_eq!(wrap("to borrow a book", 9, 10), ["to borrow", "a book"]);
        assert_eq!(wrap("abcdefgh", 3, 10), ["abc", "def", "gh"]);
        assert_eq!(wrap("分布式系统", 4, 10), ["分布", "式系", "统"]);
        assert_eq!(wrap("one\ntwo", 9, 10), ["one", "two"]);
        assert_eq!(wrap("a b c d e f", 1, 3), ["a", "b", "…"]);
        assert_eq!(wrap("red \x1b[31m", 20, 3), ["red \\x1b[31m"]);
    }

    #[test]
    fn what_terminals_measure_differently_is_shown_as_what_they_do_not() {
        for (text, want) in [
            ("\u{26a0}\u{fe0f} hot", "\u{26a0} hot"),
            ("🇩🇪 flag", "DE flag"),
            ("👍🏽", "👍"),
            ("กำ", "กํา"),
            ("ｶﾞ", "ｶ゛"),
        ] {
            assert_eq!(clip(text, 10), want);
            let alone: usize = clean(text).chars().map(|c| width(&c.to_string())).sum();
            assert_eq!(width(&clean(text)), alone, "a terminal that merges nothing: {text}");
        }
    }

    #[test]
    fn a_line_is_scrolled_sideways_by_whole_characters() {
        assert_eq!(skip("abcdef", 2), "cdef");
        assert_eq!(skip("分布式", 2), "布式");
        assert_eq!(skip("abc", 9), "");
    }
}
