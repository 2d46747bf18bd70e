//! Every form of a body, and every way in which one can be wrong.

use super::*;
use crate::log::line::Line;
use shared::wire::log::Level;

fn lines(kind: BodyKind, body: &str) -> Result<Vec<String>, BodyError> {
    let defaults = Defaults { ts_ns: 0, level: Level::Warn, service: "D".to_owned() };
    let batch = read(kind, body.as_bytes(), &defaults)?;
    let text = String::from_utf8(batch.lines).unwrap();
    assert_eq!(text.lines().count() as u64, batch.records);
    // The head of a line that takes every default.
    Ok(text.lines().map(|line| line.replace("1970-01-01T00:00:00.000000Z  WARN D: ", "")).collect())
}

fn fault(kind: BodyKind, body: &str) -> String {
    lines(kind, body).unwrap_err().to_string()
}

#[test]
fn a_text_is_one_record_however_many_lines_it_has() {
    assert_eq!(lines(BodyKind::Text, "a\nb").unwrap(), ["a\\nb"]);
}

#[test]
fn json_is_one_record_or_an_array_and_ndjson_one_a_line() {
    assert_eq!(lines(BodyKind::Json, r#" {"message":"a"} "#).unwrap(), ["a"]);
    assert_eq!(lines(BodyKind::Json, r#"[{"message":"a"},{"message":"b"}]"#).unwrap(), ["a", "b"]);
    assert_eq!(lines(BodyKind::NdJson, "{\"message\":\"a\"}\r\n\n{\"message\":\"b\"}").unwrap(), ["a", "b"]);
}

#[test]
fn what_a_record_says_wins_over_the_defaults() {
    let body = r#"{"ts":"2026-11-22T10:00:00Z","level":"WARNING","service":"S","message":"m"}"#;
    assert_eq!(lines(BodyKind::Json, body).unwrap(), ["2026-11-22T10:00:00.000000Z  WARN S: m"]);
}

#[test]
fn unknown_keys_become_fields_with_their_json_types() {
    let body = r#"{"n":1.50,"message":"m","o":{"a":[null,true]},"big":12345678901234567890123,"s":"1"}"#;
    let want = "m\t{\"n\":1.50,\"o\":{\"a\":[null,true]},\"big\":12345678901234567890123,\"s\":\"1\"}";
    assert_eq!(lines(BodyKind::Json, body).unwrap(), [want]);
}

#[test]
fn a_record_as_the_log_answers_it_is_taken_back() {
    let body = r#"{"ts":"1970-01-01T00:00:00Z","level":"warn","service":"D","message":"m","fields":{"a":1,"b":"x"}}"#;
    assert_eq!(lines(BodyKind::Json, body).unwrap(), ["m\t{\"a\":1,\"b\":\"x\"}"]);
}

#[test]
fn a_bad_record_is_named_with_its_field() {
    let two = |second: &str| format!("{{\"message\":\"a\"}}\n{second}");
    for (second, want) in [
        (r#"{"message":5}"#, "record 2: message: must be a text"),
        (r#"{"level":"info"}"#, "record 2: message: is missing"),
        (r#"{"message":"m","level":"loud"}"#, "record 2: level: 'loud'"),
        (r#"{"message":"m","ts":"yesterday"}"#, "record 2: ts:"),
        (r#"{"message":"m","a":1,"a":2}"#, "record 2: a: is given twice"),
        (r#"{"message":"m","message":"n"}"#, "record 2: message: is given twice"),
        (r#"["message"]"#, "record 2: record:"),
        (r#"{"message":"#, "record 2: not valid JSON"),
        (r#"{"message":"m"} x"#, "not valid JSON"),
    ] {
        let fault = fault(BodyKind::NdJson, &two(second));
        assert!(fault.contains(want), "{second}: {fault}");
    }
    let array = fault(BodyKind::Json, r#"[{"message":"a"},{"message":"b"},{"msg":"c"}]"#);
    assert!(array.starts_with("record 3: message"), "{array}");
}

#[test]
fn json_nested_too_deep_is_refused_and_not_a_crash() {
    let deep = format!("{{\"message\":\"m\",\"a\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(fault(BodyKind::Json, &deep).contains("nested"), "{}", fault(BodyKind::Json, &deep));
    assert!(lines(BodyKind::Json, &"[".repeat(50_000)).is_err());
}

#[test]
fn a_body_without_a_record_is_empty() {
    for (kind, body) in
        [(BodyKind::Text, ""), (BodyKind::Json, " "), (BodyKind::Json, "[]"), (BodyKind::NdJson, "\n\n")]
    {
        assert_eq!(lines(kind, body), Err(BodyError::Empty));
    }
}

#[test]
fn a_line_gives_back_what_was_sent() {
    let defaults = Defaults { ts_ns: 5_000, level: Level::Info, service: "a: b".to_owned() };
    let batch = read(BodyKind::Text, b"\xff\x00 \xe4\xb9\xa6", &defaults).unwrap();
    let line = Line::read(batch.lines.strip_suffix(b"\n").unwrap(), 0);
    assert_eq!(line.message().as_ref(), b"\xff\x00 \xe4\xb9\xa6");
    assert_eq!(line.service(), "a: b");
    assert_eq!(batch.span, Some((5_000, 5_000)));
}
