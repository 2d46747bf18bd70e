use super::*;
use crate::log::limits::FIELDS_DEPTH_MAX;
use crate::log::limits::RECORD_MAX;
use crate::log::line::{escape, escape_service, write_head};
use proptest::prelude::*;

const TS: i64 = 1_795_341_600_000_000_000;

fn reader() -> LineReader {
    LineReader::new(Options::open(TS))
}

/// What is recognised in a line: time, level, service, message, fields.
fn seen(line: &str) -> (Option<i64>, Option<Level>, String, String, String) {
    let entry = reader().read(line);
    let fields: Vec<_> = entry.fields.iter().map(|(name, json)| format!("{name}={json}")).collect();
    let service = entry.service.unwrap_or_default().into_owned();
    (entry.ts_ns, entry.level, service, entry.message.into_owned(), fields.join(" "))
}

fn is(
    ts_ns: Option<i64>,
    level: Option<Level>,
    service: &str,
    message: &str,
    fields: &str,
) -> (Option<i64>, Option<Level>, String, String, String) {
    (ts_ns, level, service.to_owned(), message.to_owned(), fields.to_owned())
}

#[test]
fn json_is_read_in_the_words_of_many_programs() {
    let ts = Some(TS);
    for (line, want) in [
        (r#"{"message":"m"}"#, is(None, None, "", "m", "")),
        (
            r#"{"ts":"2026-11-22T10:00:00Z","level":"warn","service":"S","message":"a\tb","fields":{"n":1.0},"k":[1]}"#,
            is(ts, Some(Level::Warn), "S", "a\tb", "n=1.0 k=[1]"),
        ),
        (
            r#"{"_msg":"m","_time":"2026-11-22T10:00:00Z","_stream":"{}"}"#,
            is(ts, None, "", "m", r#"_stream="{}""#),
        ),
        (
            r#"{"level":30,"time":1795341600000,"pid":1,"msg":"m"}"#,
            is(ts, Some(Level::Info), "", "m", "pid=1"),
        ),
        (
            r#"{"severity":"CRITICAL","@timestamp":"2026-11-22 10:00:00","logger":"a.b","message":"m"}"#,
            is(ts, Some(Level::Fatal), "a.b", "m", ""),
        ),
        // The best name counts, the other stays a field; so does what cannot be read.
        (r#"{"msg":"short","message":"long"}"#, is(None, None, "", "long", r#"msg="short""#)),
        (r#"{"message":"m","level":"loud","ts":5}"#, is(None, None, "", "m", r#"level="loud" ts=5"#)),
        (r#"{"message":{"a":1},"msg":"m"}"#, is(None, None, "", "m", r#"message={"a":1}"#)),
        // As GET /log answers; a seq of somebody else's is a field.
        (
            r#"{"seq":9,"ts":"2026-11-22T10:00:00Z","level":"info","service":"S","message":"m","fields":{"seq":1}}"#,
            is(ts, Some(Level::Info), "S", "m", "seq=1"),
        ),
        (r#"{"seq":9,"message":"m"}"#, is(None, None, "", "m", "seq=9")),
    ] {
        assert_eq!(seen(line), want, "{line}");
    }
}

#[test]
fn json_that_is_no_record_is_a_text() {
    let deep = format!(
        r#"{{"message":"m","a":{}1{}}}"#,
        "[".repeat(FIELDS_DEPTH_MAX + 1),
        "]".repeat(FIELDS_DEPTH_MAX + 1)
    );
    let many: String = (0..300).map(|n| format!(",\"f{n}\":1")).collect();
    for line in [
        "{",
        "{}",
        "[1]",
        r#"{"a":1}"#,
        r#"{"message":5}"#,
        r#"{"message":"m"} and more"#,
        r#"{"message":"m","a":1,"a":2}"#,
        r#"{"message":"\ud800"}"#,
        &format!(r#"{{"message":"m"{many}}}"#),
        &format!(r#"{{"message":"m","service":"{}"}}"#, "s".repeat(256)),
        &deep,
    ] {
        assert_eq!(seen(line), is(None, None, "", line, ""));
    }
    let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(RECORD_MAX + 1));
    assert_eq!(reader().read(&long).message, long);
}

#[test]
fn a_text_tells_its_time_and_level_where_they_are_plain() {
    let ts = Some(TS);
    for (line, want) in [
        ("hello", is(None, None, "", "hello", "")),
        ("2026-11-22T10:00:00Z hello", is(ts, None, "", "hello", "")),
        ("2026-11-22 10:00:00 ERROR it broke", is(ts, Some(Level::Error), "", "ERROR it broke", "")),
        ("2026-11-22 10:00:00 [main] WARN x", is(ts, Some(Level::Warn), "", "[main] WARN x", "")),
        ("[warning] disk", is(None, Some(Level::Warn), "", "[warning] disk", "")),
        ("FATAL: no room", is(None, Some(Level::Fatal), "", "FATAL: no room", "")),
        (
            "time=2026-11-22T10:00:00Z level=debug msg=x",
            is(ts, Some(Level::Debug), "", "time=2026-11-22T10:00:00Z level=debug msg=x", ""),
        ),
        ("an error occurred", is(None, None, "", "an error occurred", "")),
        ("one two three four ERROR", is(None, None, "", "one two three four ERROR", "")),
    ] {
        assert_eq!(seen(line), want, "{line}");
    }
}

#[test]
fn a_line_that_only_begins_as_the_log_s_own_is_a_text() {
    let line = "2026-11-22T10:00:00.000000Z  INFO S: m\tno json";
    assert_eq!(seen(line), is(Some(TS), Some(Level::Info), "", "INFO S: m\tno json", ""));
}

#[test]
fn bytes_that_no_json_can_carry_are_told() {
    let entry_is_changed = |line| reader().read(line).is_changed;
    assert!(entry_is_changed("2026-11-22T10:00:00.000000Z  INFO S: \\xff"));
    assert!(!entry_is_changed("2026-11-22T10:00:00.000000Z  INFO S: \\xe4\\xb9\\xa6"));
}

proptest! {
    #[test]
    fn the_log_s_own_lines_come_back_exactly_and_so_does_what_is_sent(
        ts_ns in any::<i64>(), level in 0..6_usize, service in ".{1,20}|a: b|x:|: ", message in any::<String>(),
        field in any::<String>(),
    ) {
        let level = Level::ALL[level];
        let mut line = Vec::new();
        write_head(&mut line, ts_ns, level, &escape_service(&service));
        escape(&mut line, message.as_bytes());
        line.extend_from_slice(b"\t{");
        write_string(&mut line, &field);
        line.extend_from_slice(b":1.0}");
        let line = String::from_utf8(line).unwrap();
        let entry = reader().read(&line);
        let want = Entry {
            ts_ns: Some(ts_ns),
            level: Some(level),
            service: Some(service.into()),
            message: message.into(),
            fields: vec![(field.into(), "1.0")],
            ..Entry::default()
        };
        prop_assert_eq!(&entry, &want);
        let mut sent = Vec::new();
        entry.write(&mut sent);
        let sent = String::from_utf8(sent).unwrap();
        prop_assert_eq!(sent.matches('\n').count(), 1);
        prop_assert_eq!(reader().read(sent.trim_end()), want);
    }

    #[test]
    fn no_line_is_lost(line in any::<String>()) {
        let entry = reader().read(&line);
        prop_assert!(entry.ts_ns.is_some() || entry.message == line);
    }

    #[test]
    fn what_looks_like_a_time_is_read_without_a_panic_or_left(
        line in "([0-9]{1,4}|[-/.:, T+Z\\[\\]<>=\\x1b\"]|Feb|Sat|UTC|PM|Europe/Berlin|ts=|\\{|I|é){0,16}"
    ) {
        let entry = reader().read(&line);
        unwrap(&line);
        prop_assert!(entry.ts_ns.is_some() || entry.message == line);
        prop_assert!(line.ends_with(entry.message.as_ref()));
        // Nothing is assumed of a time that is not there.
        prop_assert!(entry.ts_ns.is_some() || entry.assumed == Assumed::NOTHING);
    }

    #[test]
    fn a_time_means_the_same_in_every_form(ns in 0..4_000_000_000_000_000_000_i64, offset in -18 * 60..18 * 60) {
        use chrono::{DateTime, FixedOffset};
        let zone = FixedOffset::east_opt(offset * 60).unwrap();
        let local = DateTime::from_timestamp_nanos(ns).with_timezone(&zone);
        for form in [
            "%Y-%m-%dT%H:%M:%S%.9f%:z", "%Y-%m-%d %H:%M:%S,%9f %z", "%d/%b/%Y:%H:%M:%S.%9f %z",
            "%Y/%m/%d %I:%M:%S.%9f %p %z", "%a, %d %b %Y %H:%M:%S.%9f %z", "%d.%m.%Y %H:%M:%S.%9f%:z",
            "%B %d, %Y %I:%M:%S.%9f %p %:z", "%Y%m%dT%H%M%S.%9f%z",
        ] {
            let text = local.format(form).to_string();
            let read = whole_time(&text, &Options::open(TS));
            prop_assert_eq!(read, Some(Moment::certain(ns)), "{}", text);
        }
    }
}
