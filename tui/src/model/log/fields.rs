//! The fields of records: as they are read, and those that the newest have.

use super::detail::{RecordField, flatten};
use super::lines::Lines;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How many of the newest records are looked through for fields and values.
const RECORDS_LOOKED_AT: usize = 1_000;
/// Fields of more bytes are not looked through: whoever types waits for it.
const FIELDS_BYTES_MAX: usize = 4 << 10;
/// How many names or values are collected.
const COLLECTED_MAX: usize = 50;
/// Longer values are left out: nobody filters by a whole stack trace.
const VALUE_CHARS_MAX: usize = 60;

/// The digits of an escape.
const ESCAPE_DIGITS: usize = 4;

/// JSON with the letters in place of their escapes, whoever wrote it: `\u0437` is
/// a `з`. What separates and controls stays escaped, so it is JSON still.
pub fn decoded(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        match letter(after) {
            Some((letter, behind)) => {
                out.push(letter);
                rest = behind;
            }
            None => {
                // The escaped character may be a backslash itself.
                let escaped = after.chars().next().map_or(0, char::len_utf8);
                let (escaped, behind) = after.split_at_checked(escaped).unwrap_or((after, ""));
                out.push('\\');
                out.push_str(escaped);
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The letter that an escape stands for, and what comes behind it. None where it
/// has to stay as it is.
fn letter(escape: &str) -> Option<(char, &str)> {
    let (unit, behind) = code_unit(escape)?;
    let high = char::decode_utf16([unit]).next()?.is_err();
    if !high {
        let c = char::from_u32(u32::from(unit))?;
        return (!c.is_control() && !matches!(c, '"' | '\\')).then_some((c, behind));
    }
    let (low, behind) = code_unit(behind.strip_prefix('\\')?)?;
    let c = char::decode_utf16([unit, low]).next()?.ok()?;
    Some((c, behind))
}

fn code_unit(escape: &str) -> Option<(u16, &str)> {
    let (digits, behind) = escape.strip_prefix('u')?.split_at_checked(ESCAPE_DIGITS)?;
    Some((u16::from_str_radix(digits, 16).ok()?, behind))
}

/// The fields of the newest records that are held, each with its value.
fn newest(lines: &Lines) -> impl Iterator<Item = RecordField> {
    let looked_at = lines.iter().rev().take(RECORDS_LOOKED_AT);
    let short = looked_at.filter(|line| !line.fields.is_empty() && line.fields.len() <= FIELDS_BYTES_MAX);
    short.flat_map(|line| {
        let mut all = Vec::new();
        for (name, value) in line.parsed_fields() {
            flatten(name, &value, &mut all);
        }
        all
    })
}

/// The names of the fields that the newest records have; `a.b` is the member `b`
/// of `a`.
pub(super) fn field_names(lines: &Lines) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for field in newest(lines) {
        if names.len() < COLLECTED_MAX {
            names.insert(field.name);
        }
    }
    names
}

/// The values that a field of the newest records has.
pub(super) fn field_values(name: &str, lines: &Lines) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for field in newest(lines).filter(|field| field.asks && field.name == name) {
        if values.len() < COLLECTED_MAX && field.value.chars().nth(VALUE_CHARS_MAX).is_none() {
            values.insert(field.value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn letters_are_read_and_what_must_stay_escaped_stays() {
        for (json, want) in [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#"{"a":"\u0437\u043d"}"#, r#"{"a":"зн"}"#),
            (r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"😀"}"#),
            (r#"{"a":"\u0022\u005c\u000a\u001b\n"}"#, r#"{"a":"\u0022\u005c\u000a\u001b\n"}"#),
            (r#"{"a":"\\u0437"}"#, r#"{"a":"\\u0437"}"#),
            (r#"{"a":"\ud83dx"}"#, r#"{"a":"\ud83dx"}"#),
            (r#""\u04"#, r#""\u04"#),
            (r#""\u0437\"#, r#""з\"#),
        ] {
            assert_eq!(decoded(json), want);
            let value = serde_json::from_str::<Value>(json).ok();
            assert_eq!(serde_json::from_str::<Value>(&decoded(json)).ok(), value, "{json}");
        }
    }
}
