//! Text from outside, made harmless for a terminal or a page.
//!
//! A log message may carry an escape sequence that recolours or rewrites the
//! reader's terminal, a bidirectional override that makes a line read
//! backwards (CVE-2021-42574, "Trojan Source"), or a character with no width
//! that hides a difference. All of these are *hazards*; everything that shows
//! text replaces each of them by a visible escape, and does so here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character may change how the text around it is shown: control
/// characters (C0, DEL, C1), bidirectional controls, characters without width,
/// line and paragraph separators, and the tag block.
///
/// Emoji joined by U+200D fall apart into their parts; that is the price of
/// showing every hidden character.
pub const fn is_hazard(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f'
        | '\x7f'..='\u{9f}'
        | '\u{ad}'                    // soft hyphen
        | '\u{34f}'                   // combining grapheme joiner
        | '\u{61c}'                   // arabic letter mark
        | '\u{115f}'..='\u{1160}'     // hangul fillers
        | '\u{17b4}'..='\u{17b5}'     // khmer inherent vowels
        | '\u{180b}'..='\u{180f}'     // mongolian selectors and vowel separator
        | '\u{200b}'..='\u{200f}'     // zero width, left-to-right and right-to-left marks
        | '\u{2028}'..='\u{202e}'     // separators, embeddings, overrides
        | '\u{2060}'..='\u{206f}'     // word joiner, invisible operators, isolates
        | '\u{3164}' | '\u{ffa0}'     // hangul fillers
        | '\u{feff}'                  // byte order mark
        | '\u{fff0}'..='\u{fffb}'     // interlinear annotation
        | '\u{1d173}'..='\u{1d17a}'   // musical formatting
        | '\u{e0000}'..='\u{e0fff}'   // tags, variation selectors supplement
    )
}

/// Whether a byte could begin a hazard in UTF-8: lets a scan skip plain text.
const fn may_start_hazard(b: u8) -> bool {
    b < 0x20 || b >= 0x7f
}

/// Writes a hazard as people know it: `\n`, `\t`, `\x1b`, `\u{202e}`.
pub fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if (c as u32) < 0x80 => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        c => {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
    }
}

/// One line of text with every hazard replaced by its visible escape. Text
/// that holds none is returned as it is.
///
/// ```
/// use shared::sanitize::sanitize;
/// assert_eq!(sanitize("plain 书"), "plain 书");
/// assert_eq!(sanitize("red \x1b[31m"), "red \\x1b[31m");
/// assert_eq!(sanitize("a\nb\u{202e}c"), "a\\nb\\u{202e}c");
/// ```
pub fn sanitize(text: &str) -> Cow<'_, str> {
    escape(text, is_hazard)
}

/// As [`sanitize`], but keeps line feeds and tabs: for text that is shown over
/// several lines, as pretty-printed JSON is.
pub fn sanitize_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_hazard(c) && c != '\n' && c != '\t')
}

fn escape(text: &str, hazard: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.bytes().any(may_start_hazard) || !text.chars().any(&hazard) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hazard(c) {
            push_escaped(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_class_of_hazard_is_shown_as_an_escape() {
        for (text, want) in [
            ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{2066}isolate\u{2069}", "\\u{2066}isolate\\u{2069}"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("line\u{2028}sep", "line\\u{2028}sep"),
            ("del\x7f", "del\\x7f"),
        ] {
            assert_eq!(sanitize(text), want);
        }
    }

    #[test]
    fn text_over_several_lines_keeps_its_line_feeds() {
        assert_eq!(sanitize_lines("a\n\tb\x1b"), "a\n\tb\\x1b");
    }

    proptest! {
        #[test]
        fn nothing_hazardous_survives(text in any::<String>()) {
            prop_assert!(!sanitize(&text).chars().any(is_hazard));
        }

        #[test]
        fn it_changes_nothing_the_second_time(text in any::<String>()) {
            let once = sanitize(&text).into_owned();
            prop_assert_eq!(sanitize(&once), once.as_str());
        }
    }
}
