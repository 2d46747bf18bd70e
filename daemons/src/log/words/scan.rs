//! What an index wants to know of a record, in one pass over it.

use super::{Hasher, Runs, Token, VARIABLE, hash_number, strip_ansi, strip_ansi_str, tokens};
use crate::log::decimal::Decimal;
use crate::log::limits::TEMPLATE_MAX;

/// Reads a message (not escaped): calls `word` with the hash of every token,
/// appends its template to `template` and notes in `runs` what its variable
/// tokens hold.
///
/// Returns whether it has a template; one that is longer than [`TEMPLATE_MAX`]
/// or not UTF-8 has none, and leaves `template` and `runs` as they were. What is
/// not UTF-8 in it is part of no word, and neither are ANSI escape sequences.
pub fn scan_message(
    message: &[u8],
    runs: &mut Runs,
    template: &mut Vec<u8>,
    mut word: impl FnMut(u64),
) -> bool {
    let message = &*strip_ansi(message);
    match std::str::from_utf8(message) {
        Ok(text) if text.len() <= TEMPLATE_MAX => {
            let mut hasher = Hasher::new(text);
            mask(text, template, |token| {
                word(hasher.hash(token));
                if token.variable {
                    runs.note(token.text);
                }
            });
            true
        }
        Ok(text) => {
            scan_text(text, &mut word);
            false
        }
        Err(_) => {
            message.utf8_chunks().for_each(|chunk| scan_text(chunk.valid(), &mut word));
            false
        }
    }
}

/// Appends a text with its variable tokens masked, and calls `each` with every
/// token.
pub fn mask<'t>(text: &'t str, masked: &mut Vec<u8>, mut each: impl FnMut(&Token<'t>)) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    tokens(text, |token| {
        each(&token);
        if token.variable {
            masked.extend_from_slice(bytes.get(copied..token.start).unwrap_or_default());
            masked.push(VARIABLE);
            copied = token.end();
        }
    });
    masked.extend_from_slice(bytes.get(copied..).unwrap_or_default());
}

fn scan_text(text: &str, word: &mut impl FnMut(u64)) {
    let text = &*strip_ansi_str(text);
    let mut hasher = Hasher::new(text);
    tokens(text, |token| word(hasher.hash(&token)));
}

/// Reads a record's fields, as lines hold them: calls `word` with the hash of
/// every token of a name or a value, as they are matched. A text is matched
/// decoded, and what is within an object or an array also as it is written, for
/// that is how the whole of it is matched. A number that is not in its plain
/// form also has the hash of its value.
pub fn scan_fields(json: &[u8], mut word: impl FnMut(u64)) {
    // What is not UTF-8 is no JSON: it is not matched at all.
    let Ok(json) = std::str::from_utf8(json) else { return };
    scan_numbers(json, &mut word);
    if memchr::memchr(b'\\', json.as_bytes()).is_none() {
        // Nothing to decode: quotes and commas part words well enough.
        return scan_text(json, &mut word);
    }
    let mut rest = json;
    let mut depth = 0_usize;
    while let Some((outside, string)) = rest.find('"').and_then(|at| rest.split_at_checked(at)) {
        scan_text(outside, &mut word);
        for b in outside.bytes() {
            match b {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        let (string, after) = string.split_at_checked(string_len(string.as_bytes())).unwrap_or((string, ""));
        match serde_json::from_str::<String>(string) {
            Ok(text) if string.contains('\\') => {
                scan_text(&text, &mut word);
                if depth > 1 {
                    scan_text(string, &mut word);
                }
            }
            _ => scan_text(string, &mut word),
        }
        rest = after;
    }
    scan_text(rest, &mut word);
}

/// Calls `word` with the hash of each number that is not in its plain form.
fn scan_numbers(json: &str, word: &mut impl FnMut(u64)) {
    let bytes = json.as_bytes();
    // No early end, so that the loop is vectorised: most records have no such number.
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let may_have = pairs.fold(false, |found, (a, b)| {
        found | (a.is_ascii_digit() & ((*b == b'.') | ((b | 0x20) == b'e'))) | ((*a == b'-') & (*b == b'0'))
    });
    let mut rest = if may_have { json } else { "" };
    while !rest.is_empty() {
        let (outside, string) =
            rest.split_at_checked(rest.find('"').unwrap_or(rest.len())).unwrap_or((rest, ""));
        for text in outside.split([',', ':', '[', ']', '{', '}', ' ', '\t']) {
            if text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                && let Some(number) = Decimal::parse(text)
                && number.plain().as_deref() != Some(text)
            {
                word(hash_number(&number));
            }
        }
        rest = string.get(string_len(string.as_bytes())..).unwrap_or_default();
    }
}

/// How long the JSON string at the beginning is, with its quotes.
fn string_len(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = json.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if json.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    json.len()
}
