//! The query language read as it is written down, character by character.

use super::generate::{Json, Record};
use crate::log::decimal::Decimal;
use crate::log::query::finder::compile_regex;
use crate::log::query::{Comparison, Expr, Pattern};
use crate::log::time;
use regex_automata::meta::Regex;
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
use shared::wire::log::Level;
use std::sync::LazyLock;

pub fn matches(expr: &Expr, record: &Record) -> bool {
    match expr {
        Expr::All => true,
        Expr::And(all) => all.iter().all(|expr| matches(expr, record)),
        Expr::Or(any) => any.iter().any(|expr| matches(expr, record)),
        Expr::Not(expr) => !matches(expr, record),
        Expr::Match(field, pattern) => match field.as_deref() {
            None | Some("message" | "_msg") => is_match_stripped(pattern, &record.message),
            Some("service") => is_match(pattern, record.service.as_bytes()),
            Some("seq") => is_value(pattern, &Json::Plain(record.seq.to_string())),
            Some("level") => is_level(pattern, record.level),
            Some("ts" | "_time") => match pattern {
                Pattern::Compare(comparison, value) => {
                    comparison.holds(record.ts_ns.cmp(&time::parse_day(value).unwrap()))
                }
                pattern => is_match(pattern, time::to_rfc3339(record.ts_ns).as_bytes()),
            },
            Some(name) => find(&record.fields, name).is_some_and(|value| is_value(pattern, value)),
        },
    }
}

fn is_level(pattern: &Pattern, level: Level) -> bool {
    match pattern {
        Pattern::Exact(value) => value.parse::<Level>() == Ok(level),
        Pattern::Compare(comparison, value) => comparison.holds(level.cmp(&value.parse().unwrap())),
        pattern => [level.as_str(), level.as_upper()].iter().any(|text| is_match(pattern, text.as_bytes())),
    }
}

/// A field: of that name, else of the name up to some dot.
fn find<'a>(members: &'a [(String, Json)], name: &str) -> Option<&'a Json> {
    let member = |name: &str| members.iter().rfind(|(member, _)| member == name).map(|(_, value)| value);
    if let Some(value) = member(name) {
        return Some(value);
    }
    name.match_indices('.').map(|(at, _)| name.split_at(at)).find_map(|(outer, rest)| match member(outer)? {
        Json::Object(members) => find(members, rest.strip_prefix('.')?),
        _ => None,
    })
}

fn is_value(pattern: &Pattern, value: &Json) -> bool {
    let text = match value {
        Json::Text(_, text) => text.clone(),
        other => other.raw(),
    };
    if let (Json::Plain(number), Pattern::Exact(exact)) = (value, pattern)
        && let (Some(number), Some(exact)) = (scaled(number), scaled(exact))
    {
        return number == exact;
    }
    is_match_stripped(pattern, text.as_bytes())
}

/// A number as an integer and a power of ten, the integer not a multiple of ten.
fn scaled(text: &str) -> Option<(i128, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut power = exponent.parse::<i64>().ok()? - fraction.len() as i64;
    let mut integer: i128 = format!("{whole}{fraction}").parse().ok()?;
    if integer == 0 {
        return Some((0, 0));
    }
    while integer % 10 == 0 {
        (integer, power) = (integer / 10, power + 1);
    }
    Some((integer, power))
}

fn is_match_stripped(pattern: &Pattern, text: &[u8]) -> bool {
    let pattern = match pattern {
        Pattern::Text { text, start, end } => {
            let text = String::from_utf8(strip(text.as_bytes())).unwrap();
            Pattern::Text { text, start: *start, end: *end }
        }
        Pattern::Exact(text) => Pattern::Exact(String::from_utf8(strip(text.as_bytes())).unwrap()),
        other => other.clone(),
    };
    is_match(&pattern, &strip(text))
}

/// The text with an ESC in the place of each sequence that colours.
fn strip(text: &[u8]) -> Vec<u8> {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| {
        let written = r"(?:\\x1[bB]|\\u001[bB]|\\033|\\e)\[[0-9:;<=>?]*[mK]";
        let raw = r"\x1b\[[0-9:;<=>?]*[A-Za-z]|\x1b[()][0-9A-Za-z]";
        compile_regex(&format!("(?-u){written}|{raw}"), true).unwrap().0
    });
    let (mut stripped, mut copied) = (Vec::new(), 0);
    for found in REGEX.find_iter(text) {
        stripped.extend_from_slice(&text[copied..found.start()]);
        stripped.push(0x1b);
        copied = found.end();
    }
    [stripped.as_slice(), &text[copied..]].concat()
}

fn is_match(pattern: &Pattern, text: &[u8]) -> bool {
    match pattern {
        Pattern::Any => !text.is_empty(),
        Pattern::Exact(exact) => exact.as_bytes() == text,
        Pattern::Text { text: wanted, start, end } => has_text(wanted, *start, *end, text),
        Pattern::Compare(comparison, value) => compares(*comparison, value, &String::from_utf8_lossy(text)),
        Pattern::Regex(regex) => {
            let mut escaped = false;
            let capital = regex.chars().any(|c| {
                let capital = c.is_uppercase() && !escaped;
                escaped = c == '\\' && !escaped;
                capital
            });
            compile_regex(regex, capital).unwrap().0.is_match(text)
        }
    }
}

fn compares(comparison: Comparison, value: &str, text: &str) -> bool {
    match (Decimal::parse(value), Decimal::parse(text)) {
        (Some(value), Some(number)) => comparison.holds(number.cmp(&value)),
        (Some(_), None) => false,
        (None, _) => comparison.holds(text.cmp(value)),
    }
}

/// A character of a text, or none where it is not UTF-8.
fn characters(text: &[u8]) -> Vec<Option<char>> {
    text.utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars().map(Some).chain(chunk.invalid().iter().map(|_| None)))
        .collect()
}

fn has_text(wanted: &str, start: bool, end: bool, text: &[u8]) -> bool {
    let (wanted, text) = (wanted.chars().collect::<Vec<char>>(), characters(text));
    let capital = wanted.iter().any(|c| c.is_uppercase());
    let same = |a: char, b: char| if capital { a == b } else { same_letter(a, b) };
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    (0..=text.len()).any(|at| {
        let Some(here) = text.get(at..at + wanted.len()) else { return false };
        let inside = |c: Option<&char>, neighbour: Option<&Option<char>>| {
            is_word(c.copied()) && is_word(neighbour.copied().flatten())
        };
        here.iter().zip(&wanted).all(|(have, want)| have.is_some_and(|have| same(have, *want)))
            && !(start && at > 0 && inside(wanted.first(), text.get(at - 1)))
            && !(end && inside(wanted.last(), text.get(at + wanted.len())))
    })
}

fn same_letter(a: char, b: char) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(&b);
    }
    let mut cases = ClassUnicode::new([ClassUnicodeRange::new(a, a)]);
    cases.case_fold_simple();
    cases.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b))
}
