//! Every form of a body, and every way in which one can be wrong.

use super::*;
use crate::log::line::Line;
use proptest::prelude::*;
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

/// Values of a key: as they should be, as they may be, and what is no JSON.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        3 => "[ -~]{0,20}".prop_map(|text| format!("\"{text}\"")),
        1 => Just("\"2026-11-22T10:00:00.123456789Z\"".to_owned()),
        1 => Just("\"Warning\"".to_owned()),
        1 => "-?[0-9]{1,20}(\\.[0-9]{1,3})?(e[0-9])?|true|null|tru|[0-9]\\.|\"\t\"",
        1 => "\\[ ?(1|\\{\\}|\"\\]\")? ?\\]|\\{ ?\"a\" ?: ?[0-9] ?\\}|\\[\\{",
    ]
}

/// Lines that are records, nearly.
fn line() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => Just("message".to_owned()),
        6 => "service|level|ts|fields|[a-c]",
        1 => "mess\\\\u0061ge|[^\"]{0,3}",
    ];
    let space = "| | |\t|  |\r|\u{c}|\u{a0}";
    let member = (key, value(), space).prop_map(|(k, v, s)| format!("{s}\"{k}\"{s}:{s}{v}{s}"));
    let members = proptest::collection::vec(member, 0..5).prop_map(|members| members.join(","));
    (members, "| |x|,|\\}|\r").prop_map(|(members, end)| format!("{{{members}}}{end}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_read_quickly_is_read_the_same_with_care(line in line()) {
        let defaults = Defaults { ts_ns: 7_000, level: Level::Info, service: "D".to_owned() };
        let (mut quickly, mut carefully) = (Batch::default(), Batch::default());
        let read = quick::read(line.as_bytes(), &defaults, &mut quickly);
        let fault = json::read_one(line.as_bytes(), &defaults, &mut carefully).err();
        if read.is_some() {
            prop_assert_eq!((quickly, None), (carefully, fault), "{}", line);
        } else {
            prop_assert_eq!(quickly, Batch::default());
        }
    }

    #[test]
    fn what_senders_write_is_read_quickly_and_comes_back(
        message in any::<String>(), service in "[^\"\\\\\\p{Cc}]{1,10}", other in any::<String>(),
    ) {
        let record = serde_json::json!({"message": message, "service": service, "n": 1.5, "o": other});
        for text in [record.to_string(), format!("{record:#}")] {
            let defaults = Defaults { ts_ns: 0, level: Level::Info, service: "D".to_owned() };
            let mut batch = Batch::default();
            prop_assert!(quick::read(text.as_bytes(), &defaults, &mut batch).is_some(), "{}", text);
            let line = Line::read(batch.lines.strip_suffix(b"\n").unwrap(), 1);
            prop_assert_eq!(line.message().into_owned(), message.as_bytes());
            prop_assert_eq!(line.service(), service.as_str());
            let fields: serde_json::Value = serde_json::from_slice(line.fields.unwrap()).unwrap();
            prop_assert_eq!(fields, serde_json::json!({"n": 1.5, "o": other}));
        }
    }
}
