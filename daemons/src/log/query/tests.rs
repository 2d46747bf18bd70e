//! Every form of a query, asked of one record.

use super::*;
use crate::log::batch::Batch;
use crate::log::ingest::{BodyKind, read};
use crate::log::limits::{PATTERNS_MAX, QUERY_DEPTH_MAX, QUERY_MAX};
use crate::log::line::Line;

/// Whether a query matches a record given as JSON.
fn matches(query: &str, record: &str) -> bool {
    let defaults = crate::log::batch::Defaults::now(None, None);
    let Batch { lines, .. } = read(BodyKind::Json, record.as_bytes(), &defaults).unwrap();
    let line = Line::read(lines.strip_suffix(b"\n").unwrap(), 0);
    Filter::parse(query).unwrap().matches(1, &line)
}

fn message(query: &str, message: &str) -> bool {
    matches(query, &serde_json::json!({ "message": message }).to_string())
}

#[test]
fn words_are_whole_words_in_any_case_until_a_capital_is_typed() {
    for (query, text, want) in [
        ("error", "an Error here", true),
        ("error", "errors here", false),
        ("Error", "an error here", false),
        ("rror", "an error", false),
        ("err*", "an error", true),
        ("rr*", "an error", false),
        ("*rro*", "an error", true),
        ("*ror", "an error", true),
        ("书", "一本书", false),
        ("*书*", "一本书", true),
        ("über", "ÜBER alles", true),
        ("foo-bar", "a foo-bar b", true),
        ("foo-bar", "a foo-bark b", false),
        ("10.0.0.1", "from 10.0.0.1:80", true),
        ("10.0.0.1", "from 10.0.0.12:80", false),
        ("user_id", "the user_id is", true),
        ("user", "the user_id is", false),
        // What is refused may overlap what is not.
        ("a.a", "ba.a.a", true),
        ("A.A", "bA.A.A", true),
        ("*", "anything", true),
        // Neither of these is an escape.
        ("\"<nil>\"", "it is <nil> again", true),
        ("\"<nil>\"", "it is nil again", false),
        ("a->b", "a->b", true),
        // A colour is no part of a word.
        ("error", "\u{1b}[31merror\u{1b}[0m: disk", true),
        ("error", "\u{1b}[38;5;196mERROR", true),
        ("error", r"written \x1b[31merror\x1b[0m", true),
        ("31merror", "\u{1b}[31merror", false),
        ("\"error: disk\"", "\u{1b}[31merror: disk", true),
        ("*31m*", "\u{1b}[31merror", false),
        ("=\"\u{1b}[31merror\"", "\u{1b}[31merror", true),
        ("~\"\\x1berror\"", "\u{1b}[31merror", true),
    ] {
        assert_eq!(message(query, text), want, "{query} in {text}");
    }
}

#[test]
fn words_join_by_and_or_not_and_parentheses() {
    for (query, want) in [
        ("a b", true),
        ("a AND b", true),
        ("a x", false),
        ("x OR b", true),
        ("x OR y", false),
        ("a -x", true),
        ("a -b", false),
        ("a NOT x", true),
        ("!x", true),
        ("a (x OR b)", true),
        ("a (x OR y)", false),
        ("x OR a b", true),
        ("a -(x OR b)", false),
        ("NOT (x OR y) c", true),
        ("- - a", true),
        ("", true),
        ("   ", true),
    ] {
        assert_eq!(message(query, "a b c"), want, "{query}");
    }
    // Operators are written in capitals: in small letters they are words.
    assert!(message("this or that", "this or that"));
}

#[test]
fn phrases_and_regular_expressions() {
    for (query, text, want) in [
        ("\"not found\"", "was Not Found.", true),
        ("\"not found\"", "was not founded", false),
        ("\"not fo\"*", "was not founded", true),
        (r#""say \"hi\" \\""#, r#"say "hi" \"#, true),
        (r#"~"err(or)?s?\b""#, "ERRORS", true),
        (r#"~"\d{3}-\d{4}""#, "call 555-1234", true),
        (r#"~"Err""#, "error", false),
        (r"~^a.c$", "abc", true),
        (r#"~"\S+\W""#, "A!", true),
        ("(a.b)", "a.b", true),
    ] {
        assert_eq!(message(query, text), want, "{query} in {text}");
    }
}

#[test]
fn fields_are_matched_and_compared() {
    let record = r#"{"message":"m","service":"LibraryService","level":"warn","ts":"2026-11-22T10:00:00Z",
        "status":503,"user":{"id":"u-7","name":"Ann Lee"},"a.b":1,"ok":true,"none":null,"size":"12",
        "price":1.50,"id":12345678901234567890123}"#;
    for (query, want) in [
        ("service:LibraryService", true),
        ("service:libraryservice", true),
        ("service:Library", false),
        ("service:Library*", true),
        ("level:warn", true),
        ("level:WARN", true),
        ("level:error", false),
        ("level:>=warn", true),
        ("level:>warn", false),
        ("level:<=warning", true),
        ("level:(error OR warn)", true),
        ("status:503", true),
        ("status:50", false),
        ("status:>499", true),
        ("status:<=502", false),
        ("status:>5e2", true),
        ("size:>9", true),
        ("user.name:lee", true),
        ("user.name:=\"Ann Lee\"", true),
        ("user.name:=Ann", false),
        ("user.id:u-7", true),
        ("a.b:1", true),
        ("price:=1.50", true),
        ("price:>=1.5", true),
        ("id:12345678901234567890123", true),
        ("user:\"Ann Lee\"", true),
        ("\"a.b\":1", true),
        ("ok:true", true),
        ("none:null", true),
        ("missing:*", false),
        ("-missing:*", true),
        ("user:*", true),
        ("seq:1", true),
        ("ts:>2026-11-22T09:00:00Z", true),
        ("ts:<2026-11-22T09:00:00Z", false),
        ("ts:>=2026-11-22", true),
        ("ts:>2026-11-23", false),
        ("message:m", true),
        (r#"user.name:~"^ann""#, true),
        ("status:(503 OR 504) -level:info", true),
    ] {
        assert_eq!(matches(query, record), want, "{query}");
    }
}

#[test]
fn a_bad_query_points_at_the_character() {
    for (query, position, reason) in [
        ("(a b", 0, "has no ')'"),
        ("a )", 2, "no '('"),
        ("a \"b", 2, "has no other"),
        ("a OR", 4, "missing"),
        ("a AND", 5, "missing"),
        ("()", 1, "missing"),
        ("书 ~\"(\"", 3, "regular expression"),
        ("a:(b:c)", 5, "inside the parentheses"),
        ("level:>", 7, "value is missing"),
        ("a level:>=wran", 8, "a level is one of"),
        ("level:bogus", 6, "a level is one of"),
        ("ts:>rubbish", 3, "a time is written"),
        ("OR a", 0, "before this operator"),
        ("-", 1, "missing"),
        ("\"\"", 0, "empty phrase"),
    ] {
        let error = Filter::parse(query).unwrap_err();
        assert!(error.position == position && error.reason.contains(reason), "{query}: {error:?}");
    }
}

#[test]
fn a_query_is_bounded_in_length_depth_patterns_and_size() {
    for query in [
        "a".repeat(QUERY_MAX + 1),
        "(".repeat(QUERY_DEPTH_MAX + 1),
        "-".repeat(3_000),
        "a ".repeat(PATTERNS_MAX + 1),
        format!("~\"{}\"", "(a{100}){100}{100}"),
    ] {
        assert!(Filter::parse(&query).is_err());
    }
}

#[test]
fn numbers_compare_exactly_and_are_equal_by_value() {
    let record = r#"{"message":"m","id":9007199254740993,"max":18446744073709551615,"big":1e400,
        "dec":0.1000000000000000055511151231257827,"one":1.0,"k":1e3,"zero":-0,"text":"1.0","zip":"007"}"#;
    for (query, want) in [
        ("id:>9007199254740992", true),
        ("id:>9007199254740993", false),
        ("id:>=9007199254740993", true),
        ("id:<9007199254740994", true),
        ("id:=9007199254740993", true),
        ("id:=9007199254740992", false),
        ("id:=9007199254740993.0", true),
        ("max:>18446744073709551614", true),
        ("max:<18446744073709551616", true),
        ("big:>1e399", true),
        ("big:<1e401", true),
        ("big:=10e399", true),
        ("dec:>0.1", true),
        ("dec:<0.1000000000000000055511151231257828", true),
        ("one:=1", true),
        ("one:=1.00", true),
        ("k:=1000", true),
        ("k:=1000.1", false),
        ("zero:=0", true),
        // A text that looks like a number is a text.
        ("text:=1", false),
        ("text:=1.0", true),
        ("zip:=7", false),
        ("text:>=1", true),
    ] {
        assert_eq!(matches(query, record), want, "{query}");
    }
}

#[test]
fn times_are_equal_as_instants() {
    let record = r#"{"message":"m","ts":"2026-11-22T10:00:00.5Z"}"#;
    for (query, want) in [
        ("ts:=2026-11-22T10:00:00.5Z", true),
        ("ts:=2026-11-22T10:00:00.500000Z", true),
        ("ts:=2026-11-22T11:00:00.5+01:00", true),
        ("ts:\"2026-11-22T11:00:00.500+01:00\"", true),
        ("ts:=2026-11-22T10:00:00Z", false),
        ("ts:>2026-11-22T11:00:00.4+01:00", true),
        ("ts:<=2026-11-22T11:00:00.5+01:00", true),
        ("ts:2026-11-22*", true),
        ("ts:=2026-11-22", false),
    ] {
        assert_eq!(matches(query, record), want, "{query}");
    }
    assert!(Filter::parse("ts:=yesterday").is_err());
}
