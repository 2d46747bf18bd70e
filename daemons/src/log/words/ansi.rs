//! ANSI escape sequences (ECMA-48), which colour the output of many programs.
//!
//! A search ignores them: `ESC[31merror` holds the word `error`, not `31merror`.
//! The index and the matcher both read a text through [`strip_ansi`], which
//! leaves one ESC in the place of a sequence, so that it still separates words.

use std::borrow::Cow;

const ESC: u8 = 0x1b;
/// ESC as text: programs and lines written by hand hold it escaped.
const WRITTEN: [&[u8]; 6] = [b"\\x1b", b"\\x1B", b"\\u001b", b"\\u001B", b"\\033", b"\\e"];

/// The text with a single ESC in the place of every escape sequence.
///
/// What is removed follows an ESC in the result: a run of other characters in
/// the result is a run in `text` as well.
pub fn strip_ansi(text: &[u8]) -> Cow<'_, [u8]> {
    let mut stripped = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(ESC, b'\\', rest)) {
        at += found;
        match sequence_len(text.get(at..).unwrap_or_default()) {
            Some(len) => {
                stripped.extend_from_slice(text.get(copied..at).unwrap_or_default());
                stripped.push(ESC);
                at += len;
                copied = at;
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    stripped.extend_from_slice(text.get(copied..).unwrap_or_default());
    Cow::Owned(stripped)
}

/// [`strip_ansi`] for text that is known to be UTF-8.
pub fn strip_ansi_str(text: &str) -> Cow<'_, str> {
    match strip_ansi(text.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        // Only ASCII is removed.
        Cow::Owned(stripped) => String::from_utf8(stripped).map_or_else(|_| Cow::Borrowed(text), Cow::Owned),
    }
}

/// The length of the sequence at the start of `text`.
fn sequence_len(text: &[u8]) -> Option<usize> {
    let (written, rest) = match text.strip_prefix(&[ESC]) {
        Some(rest) => (false, rest),
        None => (true, WRITTEN.iter().find_map(|esc| text.strip_prefix(*esc))?),
    };
    let esc = text.len() - rest.len();
    match rest {
        // Selects a character set, as `tput sgr0` does.
        [b'(' | b')', set, ..] if !written && set.is_ascii_alphanumeric() => Some(esc + 2),
        [b'[', rest @ ..] => {
            let parameters = rest.iter().take_while(|b| matches!(b, b'0'..=b'9' | b':'..=b'?')).count();
            let last = rest.get(parameters)?;
            // Of written ones only those that colour or clear: `\e[abc]` is none.
            let ends = if written { matches!(last, b'm' | b'K') } else { last.is_ascii_alphabetic() };
            ends.then_some(esc + 1 + parameters + 1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    #[test]
    fn a_sequence_becomes_one_escape_character() {
        for (text, want) in [
            ("plain", "plain"),
            ("\u{1b}[31merror\u{1b}[0m", "\u{1b}error\u{1b}"),
            ("\u{1b}[38;5;196merror", "\u{1b}error"),
            ("\u{1b}[1m\u{1b}[31merror", "\u{1b}\u{1b}error"),
            ("\u{1b}[Kx\u{1b}[?25lx", "\u{1b}x\u{1b}x"),
            ("done\u{1b}(B\u{1b}[m.", "done\u{1b}\u{1b}."),
            (r"\x1b[31merror\u001b[0m \033[1mx \e[Kx", "\u{1b}error\u{1b} \u{1b}x \u{1b}x"),
            // No sequences.
            ("\u{1b}[31", "\u{1b}[31"),
            ("\u{1b}31m", "\u{1b}31m"),
            ("[31m", "[31m"),
            (r"C:\e[draft] \\x1b \x1b[", r"C:\e[draft] \\x1b \x1b["),
            ("\u{1b}[31é", "\u{1b}[31é"),
            ("\\", "\\"),
        ] {
            assert_eq!(strip_ansi_str(text), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_regular_expression_finds_the_same_sequences(text in "[\u{1b}\u{1b}\\[\\[()m0-9;?KBé ]{0,40}") {
            let regex = Regex::new(r"\x1b(?:\[[0-9:;<=>?]*[A-Za-z]|[()][0-9A-Za-z])").unwrap();
            let (mut want, mut copied) = (Vec::new(), 0);
            for found in regex.find_iter(&text) {
                want.extend_from_slice(&text.as_bytes()[copied..found.start()]);
                want.push(ESC);
                copied = found.end();
            }
            want.extend_from_slice(&text.as_bytes()[copied..]);
            prop_assert_eq!(strip_ansi(text.as_bytes()).into_owned(), want.clone());
            prop_assert_eq!(strip_ansi_str(&text).into_owned().into_bytes(), want);
        }
    }
}
