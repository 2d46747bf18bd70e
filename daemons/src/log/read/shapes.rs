//! Lines as programs write them, and what is read: time, level, message, and what
//! was assumed. The reference time is 2026-11-22 10:00 UTC.

use super::*;

/// What was assumed: `z`one, `y`ear, `o`rder, `c`entury, `a`bbreviation; `u` when
/// a time is there and not understood.
fn notes(entry: &Entry<'_>) -> String {
    let letters = ["z", "y", "o", "c", "a"];
    let assumed = Assumed::ALL.iter().zip(letters).filter(|((one, ..), _)| entry.assumed.has(*one));
    let mut notes: String = assumed.map(|(_, letter)| letter).collect();
    if entry.is_unread {
        notes.push('u');
    }
    notes
}

/// An empty message stands for the whole line, an empty time for none.
#[track_caller]
fn assert_read(shapes: &[(&str, &str, &str, &str, &str)]) {
    let now = time::parse_rfc3339("2026-11-22T10:00:00Z").unwrap();
    let mut wrong = Vec::new();
    for (line, ts, level, message, assumed) in shapes {
        let entry = LineReader::new(Options::open(now)).read(line);
        let read = (
            entry.ts_ns,
            entry.level.map(Level::as_str).unwrap_or_default(),
            entry.message.as_ref(),
            notes(&entry),
        );
        let message = if message.is_empty() { *line } else { *message };
        let want = (time::parse_rfc3339(ts), *level, message, (*assumed).to_owned());
        if read != want {
            wrong.push(format!("{line}: {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn iso_dates_with_every_zone() {
    let t = "2018-02-24T10:11:12Z";
    let ms = "2018-02-24T10:11:12.123Z";
    assert_read(&[
        ("2018-02-24T10:11:12Z m", t, "", "m", ""),
        ("2018-02-24t10:11:12z m", t, "", "m", ""),
        ("2018-02-24T10:11:12.123Z m", ms, "", "m", ""),
        ("2018-02-24T10:11:12.123456789Z m", "2018-02-24T10:11:12.123456789Z", "", "m", ""),
        ("2018-02-24T12:11:12+02:00 m", t, "", "m", ""),
        ("2018-02-24T12:11:12+0200 m", t, "", "m", ""),
        ("2018-02-24T12:11:12+02 m", t, "", "m", ""),
        ("2018-02-24T05:11:12-05:00 m", t, "", "m", ""),
        ("2018-02-24T15:41:12+05:30 m", t, "", "m", ""),
        ("2024-06-25 16:56:15.000 +0200 m", "2024-06-25T14:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15.000 +02:00 m", "2024-06-25T14:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15.000 +02 m", "2024-06-25T14:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15 EST m", "2024-06-25T21:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15 CEST m", "2024-06-25T14:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15 UTC m", "2024-06-25T16:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15 GMT: m", "2024-06-25T16:56:15Z", "", ": m", ""),
        ("2024-06-25 16:56:15 Z m", "2024-06-25T16:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15 PDT m", "2024-06-25T23:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15 JST m", "2024-06-25T07:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15 IST m", "2024-06-25T11:26:15Z", "", "m", "a"),
        ("2024-06-25T16:56:15+02:00[Europe/Berlin] m", "2024-06-25T14:56:15Z", "", "m", ""),
        ("2024-06-25 16:56:15 Europe/Berlin m", "", "", "", "u"),
        ("2024-06-25 04:56:15 PM m", "2024-06-25T16:56:15Z", "", "m", "z"),
        ("2024-06-25 04:56:15 PM +0200 m", "2024-06-25T14:56:15Z", "", "m", ""),
        ("2024-06-25 12:00:00 AM UTC m", "2024-06-25T00:00:00Z", "", "m", ""),
        ("2018-02-24 10:11:12 m", t, "", "m", "z"),
        ("2018-02-24 10:11:12,123 m", ms, "", "m", "z"),
        ("2018-02-24 10:11:12.123 m", ms, "", "m", "z"),
        ("2018-02-24_10:11:12 m", t, "", "m", "z"),
        ("2018-02-24 10:11 m", "2018-02-24T10:11:00Z", "", "m", "z"),
        ("2018-02-24 23:59:60Z m", "2018-02-25T00:00:00Z", "", "m", ""),
        ("20180224T101112Z m", t, "", "m", ""),
        ("20180224 10:11:12 m", t, "", "m", "z"),
        ("20180224-10:11:12:123|x", ms, "", "|x", "z"),
        ("2018.02.24 10:11:12 m", t, "", "m", "z"),
        ("2018-Feb-24 10:11:12 m", t, "", "m", "z"),
        ("2018 Feb 24 10:11:12 m", t, "", "m", "z"),
        ("2018/02/24 10:11:12 +0100 m", "2018-02-24T09:11:12Z", "", "m", ""),
    ]);
}

#[test]
fn servers_and_languages() {
    let t = "2018-02-24T10:11:12Z";
    let ms = "2018-02-24T10:11:12.123Z";
    assert_read(&[
        // Go's log package, with and without microseconds.
        ("2018/02/24 10:11:12 main.go:7: m", t, "", "main.go:7: m", "z"),
        ("2018/02/24 10:11:12.123000 m", ms, "", "m", "z"),
        // nginx: error and access; Apache: access and error.
        (
            "2018/02/24 10:11:12 [error] 7#0: *1 open() failed",
            t,
            "error",
            "[error] 7#0: *1 open() failed",
            "z",
        ),
        ("2018/02/24 10:11:12 [warn] 7#7: m", t, "warn", "[warn] 7#7: m", "z"),
        (
            "127.0.0.1 - - [24/Feb/2018:10:11:12 +0100] \"GET / HTTP/1.1\" 500 1",
            "2018-02-24T09:11:12Z",
            "",
            "",
            "",
        ),
        ("a.b:80 ::1 - bob [24/Feb/2018:10:11:12 +0000] \"GET /\" 200", t, "", "", ""),
        ("[Sat Feb 24 10:11:12.123000 2018] [core:error] [pid 7] m", ms, "error", "", "z"),
        ("[Sat Feb 24 10:11:12 2018] [notice] m", t, "info", "", "z"),
        // klog and glog.
        ("I0224 10:11:12.123456    7 main.go:8] m", "2026-02-24T10:11:12.123456Z", "info", "", "zy"),
        ("E0224 10:11:12.123456    7 main.go:8] m", "2026-02-24T10:11:12.123456Z", "error", "", "zy"),
        ("W20180224 10:11:12.123000  7 m.cc:8] m", ms, "warn", "", "z"),
        // PHP.
        ("[24-Feb-2018 10:11:12 UTC] PHP Warning:  m", t, "", "", ""),
        ("[24-Feb-2018 10:11:12 Europe/Berlin] PHP Notice:  m", "", "", "", "u"),
        // Java: log4j, logback, Spring, java.util.logging, ZooKeeper.
        ("2018-02-24 10:11:12,123 INFO  [main] a.B: m", ms, "info", "INFO  [main] a.B: m", "z"),
        ("2018-02-24 10:11:12.123  WARN 7 --- [main] a.B : m", ms, "warn", "WARN 7 --- [main] a.B : m", "z"),
        (
            "2018-02-24T10:11:12.123+01:00 DEBUG 7 --- [x] m",
            "2018-02-24T09:11:12.123Z",
            "debug",
            "DEBUG 7 --- [x] m",
            "",
        ),
        ("Feb 24, 2018 10:11:12 AM a.B m", t, "", "a.B m", "z"),
        ("2018-02-24 10:11:12,123 - INFO  [main:Q@7] - m", ms, "info", "- INFO  [main:Q@7] - m", "z"),
        ("[2018-02-24T10:11:12,123][INFO ][o.e.n.Node] [x] m", ms, "info", "", "z"),
        ("[10:11:12] [main/WARN]: m", "", "warn", "", "u"),
        // Spark: two digits of a year first.
        ("17/06/09 20:10:40 INFO x: m", "2017-06-09T20:10:40Z", "info", "INFO x: m", "zoc"),
        // HDFS.
        ("081109 203615 148 INFO d.X: m", "2008-11-09T20:36:15Z", "info", "148 INFO d.X: m", "zc"),
        // Python, Ruby, Rust, Erlang, .NET, Postgres, MySQL, Redis, Jupyter.
        ("2018-02-24 10:11:12,123 - a.b - ERROR - m", ms, "error", "- a.b - ERROR - m", "z"),
        ("ERROR:2018-02-24 10:11:12,123:m", ms, "", "", "z"),
        ("E, [2018-02-24T10:11:12.123 #7] ERROR -- : m", ms, "error", "", "z"),
        ("[2018-02-24T10:11:12Z INFO a::b] m", t, "info", "", ""),
        ("\u{1b}[2m2018-02-24T10:11:12.123Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m a: m", ms, "info", "", ""),
        ("[10:11:12 INF] m", "", "info", "", "u"),
        ("2018-02-24 10:11:12.123 +01:00 [WRN] m", "2018-02-24T09:11:12.123Z", "warn", "[WRN] m", ""),
        ("2018-02-24 10:11:12.123 UTC [7] bob@db ERROR:  m", ms, "error", "[7] bob@db ERROR:  m", ""),
        (
            "2018-02-24T10:11:12.123456Z 7 [Warning] m",
            "2018-02-24T10:11:12.123456Z",
            "warn",
            "7 [Warning] m",
            "",
        ),
        ("180224 10:11:12 7 Connect m", t, "", "7 Connect m", "zc"),
        ("7:M 24 Feb 2018 10:11:12.123 * m", "", "", "", "u"),
        ("[I 2018-02-24 10:11:12.123 App] m", ms, "", "", "z"),
        // Levels and others before the time.
        ("INFO 2018-02-24 10:11:12 m", t, "info", "", "z"),
        ("WARN: 2018-02-24T10:11:12Z m", t, "warn", "", ""),
        ("[ERROR] 2018-02-24T10:11:12Z m", t, "error", "", ""),
        ("[main] [INFO] 2018-02-24T10:11:12Z m", t, "info", "", ""),
        ("web_1  | 2018-02-24T10:11:12Z m", t, "", "", ""),
        ("\u{1b}[32m2018-02-24 10:11:12\u{1b}[0m m", t, "", "", "z"),
        ("\u{1b}[36m[2018-02-24 10:11:12]\u{1b}[0m m", t, "", "", "z"),
        // Numbers.
        ("24.02.2018 10:11:12 m", t, "", "m", "z"),
        ("24/02/2018 10:11:12 m", t, "", "m", "z"),
        ("02/24/2018 10:11:12 AM m", t, "", "m", "z"),
        ("2/4/2018, 10:11:12 PM m", "2018-02-04T22:11:12Z", "", "m", "zo"),
        ("02-24-2018 10:11:12 m", t, "", "m", "z"),
        (
            "03-17 16:13:38.811  1702  2395 D Tag: m",
            "2026-03-17T16:13:38.811Z",
            "",
            "1702  2395 D Tag: m",
            "zy",
        ),
        ("24 Feb 2018 10:11:12 m", t, "", "m", "z"),
        ("Sat, 24 Feb 2018 10:11:12 GMT m", t, "", "m", ""),
        ("Saturday, 24-Feb-18 10:11:12 GMT m", t, "", "m", "c"),
        ("Sat Feb 24 10:11:12 UTC 2018 m", t, "", "m", ""),
        ("Sat Feb 24 10:11:12 2018 m", t, "", "m", "z"),
        ("February 24 2018 10:11:12 m", t, "", "m", "z"),
    ]);
}

#[test]
fn syslog_epochs_and_logfmt() {
    let t = "2018-02-24T10:11:12Z";
    let ms = "2018-02-24T10:11:12.123Z";
    assert_read(&[
        ("Nov 22 09:11:12 host su[7]: m", "2026-11-22T09:11:12Z", "", "host su[7]: m", "zy"),
        ("Feb  4 10:11:12 host su: m", "2026-02-04T10:11:12Z", "", "host su: m", "zy"),
        ("Dec 31 10:11:12 host su: m", "2025-12-31T10:11:12Z", "", "host su: m", "zy"),
        ("Feb 29 10:11:12 host su: m", "2024-02-29T10:11:12Z", "", "host su: m", "zy"),
        ("Feb 24 2018 10:11:12: %ASA-6-1: m", t, "", ": %ASA-6-1: m", "z"),
        ("<34>Oct 11 22:14:15 host su: m", "2026-10-11T22:14:15Z", "fatal", "", "zy"),
        ("<165>1 2003-10-11T22:14:15.003Z host app - ID47 - m", "2003-10-11T22:14:15.003Z", "info", "", ""),
        ("<11>1 2003-10-11T22:14:15-04:00 host app 7 - - m", "2003-10-12T02:14:15Z", "error", "", ""),
        ("<13>hello", "", "info", "", ""),
        ("1519467072 m", t, "", "", ""),
        ("1519467072.123 7 10.0.0.1 TCP_MISS/200", ms, "", "", ""),
        ("1519467072123 m", ms, "", "", ""),
        ("1519467072123456 m", "2018-02-24T10:11:12.123456Z", "", "", ""),
        ("1519467072123456789 m", "2018-02-24T10:11:12.123456789Z", "", "", ""),
        ("[1519467072.123] m", ms, "", "", ""),
        ("- 1117838570 2005.06.03 R02 RAS KERNEL INFO m", "2005-06-03T22:42:50Z", "info", "", ""),
        ("type=SYSCALL msg=audit(1364481363.243:24287): arch=c", "2013-03-28T14:36:03.243Z", "", "", ""),
        ("time=2018-02-24T10:11:12Z level=debug msg=x", t, "debug", "", ""),
        ("time=\"2018-02-24T10:11:12Z\" level=warning msg=\"a b\"", t, "warn", "", ""),
        ("level=info ts=2018-02-24T10:11:12.123Z caller=a.go:7 msg=x", ms, "info", "", ""),
        ("level=error ts=1519467072.123 msg=x", ms, "error", "", ""),
        ("msg=\"a b\" lvl=warn t=2018-02-24T11:11:12+0100", t, "warn", "", ""),
        ("severity=3 timestamp=1519467072123 m", ms, "error", "", ""),
        // What is no time.
        ("10:11:12 m", "", "", "", "u"),
        ("2018-02-24", "", "", "", "u"),
        ("2018-02-30 10:11:12 m", "", "", "", "u"),
        ("24/24/2018 10:11:12 m", "", "", "", "u"),
        ("2018-02-24 10:11:12.0123456789Z m", "", "", "", "u"),
        ("2018-02-24 10:11:12abc", "", "", "", "u"),
        ("5555555555 items", "", "", "", ""),
        ("version 1.2.3 on 10.0.0.1:8080", "", "", "", ""),
        ("    at a.b(C.java:10:11:12)", "", "", "", ""),
        ("it began at 2018-02-24 10:11:12 and went on", "", "", "", "u"),
        ("00:1a:2b:3c:4d:5e is up", "", "", "", ""),
        ("hello", "", "", "", ""),
    ]);
}

#[test]
fn json_of_many_programs() {
    let t = "2018-02-24T10:11:12Z";
    let ms = "2018-02-24T10:11:12.123Z";
    assert_read(&[
        (r#"{"@timestamp":"2018-02-24T11:11:12+01:00","request":"GET /","status":200}"#, t, "", "", ""),
        (r#"{"time_local":"24/Feb/2018:11:11:12 +0100","uri":"/"}"#, t, "", "", ""),
        (r#"{"msec":"1519467072.123","uri":"/"}"#, "", "", "", ""),
        (
            r#"{"MESSAGE":[104,105],"__REALTIME_TIMESTAMP":"1519467072123000","PRIORITY":"3"}"#,
            ms,
            "error",
            "hi",
            "",
        ),
        (
            r#"{"MESSAGE":"m","_SOURCE_REALTIME_TIMESTAMP":"1519467072123000","PRIORITY":"6"}"#,
            ms,
            "info",
            "m",
            "",
        ),
        (r#"{"@t":"2018-02-24T10:11:12.123Z","@mt":"Hi {n}","n":1}"#, ms, "", "Hi {n}", ""),
        (
            r#"{"@t":"2018-02-24T10:11:12.123Z","@m":"Hi 1","@mt":"Hi {n}","@l":"Warning"}"#,
            ms,
            "warn",
            "Hi 1",
            "",
        ),
        (
            r#"{"Timestamp":"2018-02-24T10:11:12.123Z","LogLevel":"Error","Category":"A.B","Message":"m"}"#,
            ms,
            "error",
            "m",
            "",
        ),
        (r#"{"date":1519467072.123,"log":"m"}"#, ms, "", "m", ""),
        (r#"{"level":30,"time":1519467072123,"pid":7,"msg":"m"}"#, ms, "info", "m", ""),
        (r#"{"level":60,"time":1519467072123,"msg":"m"}"#, ms, "fatal", "m", ""),
        (
            r#"{"version":"1.1","short_message":"m","timestamp":1519467072.123,"level":3}"#,
            ms,
            "error",
            "m",
            "",
        ),
        (
            r#"{"@timestamp":"2018-02-24T10:11:12.123Z","log.level":"WARN","message":"m","ecs.version":"1"}"#,
            ms,
            "warn",
            "m",
            "",
        ),
        (
            r#"{"@timestamp":"2018-02-24T10:11:12.123Z","log":{"level":"error"},"message":"m"}"#,
            ms,
            "error",
            "m",
            "",
        ),
        (
            r#"{"instant":{"epochSecond":1519467072,"nanoOfSecond":123000000},"level":"INFO","message":"m"}"#,
            ms,
            "info",
            "m",
            "",
        ),
        (r#"{"t":{"$date":"2018-02-24T11:11:12.123+01:00"},"s":"I","msg":"m"}"#, ms, "", "m", ""),
        (
            r#"{"timestamp":{"seconds":1519467072,"nanos":123000000},"severity":"ERROR","textPayload":"m"}"#,
            ms,
            "error",
            "m",
            "",
        ),
        (r#"{"event":"m","level":"warning","timestamp":"2018-02-24 10:11:12"}"#, t, "warn", "m", "z"),
        (
            r#"{"levelname":"CRITICAL","asctime":"2018-02-24 10:11:12,123","message":"m"}"#,
            ms,
            "fatal",
            "m",
            "z",
        ),
        (r#"{"level":{"name":"debug"},"message":"m","ts":1519467072}"#, t, "debug", "m", ""),
        (r#"{"ts":"Sat, 24 Feb 2018 10:11:12 GMT","message":"m"}"#, t, "", "m", ""),
        (r#"{"ts":"soon","message":"m"}"#, "", "", "m", "u"),
        (r#"{"time":"2018-02-24 10:11:12 Europe/Berlin","message":"m"}"#, "", "", "m", "u"),
        (r#"2018-02-24T10:11:12Z {"level":"warn","msg":"m","n":1}"#, t, "warn", "m", ""),
        (r#"2018-02-24T09:00:00Z {"ts":"2018-02-24T10:11:12Z","msg":"m"}"#, t, "", "m", ""),
        (r#"{"message":"m"}"#, "", "", "m", ""),
        (r#"{"a":1}"#, "", "", "", ""),
    ]);
}

#[test]
fn a_level_is_found_where_it_can_be_nothing_else() {
    assert_read(&[
        ("host app worker thread-1 ERROR it broke", "", "error", "", ""),
        ("a b c d e f [warn] g", "", "warn", "", ""),
        ("a - b - c - d - WARN - e", "", "warn", "", ""),
        ("a b c d e f g h i FATAL: no room", "", "fatal", "", ""),
        ("error: cannot find x", "", "error", "", ""),
        ("panic: runtime error", "", "fatal", "", ""),
        ("a.c:10:5: warning: unused", "", "warn", "", ""),
        ("<b>x</b> failed", "", "", "", ""),
        ("an error occurred", "", "", "", ""),
        ("no Error: here", "", "", "", ""),
        ("one two three four ERROR", "", "", "", ""),
        ("a b c d e f g h an ERROR in the text", "", "", "", ""),
        ("fine: it works", "", "", "", ""),
        ("GET /error 500", "", "", "", ""),
        ("level=unknown ERROR x", "", "error", "", ""),
    ]);
}

#[test]
fn options_decide_what_is_open() {
    let read = |line: &str, zone: Option<&str>, date_order, year| {
        let zone = zone.map(|zone| zone.parse().unwrap());
        let options = Options { zone, date_order, year, reference_ns: 1_795_341_600_000_000_000 };
        let entry = LineReader::new(options).read(line);
        (entry.ts_ns.map(time::to_rfc3339).unwrap_or_default(), notes(&entry))
    };
    let is = |ts: &str, notes: &str| (format!("{ts}.000000Z"), notes.to_owned());
    assert_eq!(read("2018-02-24 10:11:12 m", Some("+02:00"), None, None), is("2018-02-24T08:11:12", ""));
    assert_eq!(read("2018-02-24 10:11:12 m", Some("CET"), None, None), is("2018-02-24T09:11:12", ""));
    assert_eq!(read("2018-02-24 10:11:12Z m", Some("+02:00"), None, None), is("2018-02-24T10:11:12", ""));
    assert_eq!(read("2018-02-24 10:11:12 CST m", Some("+08:00"), None, None), is("2018-02-24T02:11:12", ""));
    let slashes = "03/04/2018 10:11:12Z m";
    assert_eq!(read(slashes, None, Some(DateOrder::Dmy), None), is("2018-04-03T10:11:12", ""));
    assert_eq!(read(slashes, None, Some(DateOrder::Mdy), None), is("2018-03-04T10:11:12", ""));
    assert_eq!(read(slashes, None, None, None), is("2018-03-04T10:11:12", "o"));
    assert_eq!(
        read("03/04/05 10:11:12Z m", None, Some(DateOrder::Dmy), None),
        is("2005-04-03T10:11:12", "c")
    );
    assert_eq!(read("Feb 24 10:11:12 h a: m", Some("UTC"), None, Some(1999)), is("1999-02-24T10:11:12", ""));
    for zone in ["Europe/Berlin", "+2", "x", "", "+99:00"] {
        assert!(zone.parse::<Zone>().is_err(), "{zone}");
    }
}

#[test]
fn lines_of_container_runtimes_are_unwrapped() {
    let ts_ns = time::parse_rfc3339("2016-10-06T00:17:09.669794202Z").unwrap();
    let is = |stream, text: &str, is_partial| {
        Some(Wrapped { ts_ns, stream, text: Cow::Owned(text.to_owned()), is_partial })
    };
    for (line, want) in [
        ("2016-10-06T00:17:09.669794202Z stdout P a ", is(Stream::Out, "a ", true)),
        ("2016-10-06T00:17:09.669794202Z stderr F b  c", is(Stream::Err, "b  c", false)),
        ("2016-10-06T02:17:09.669794202+02:00 stdout F:x ", is(Stream::Out, "", false)),
        (
            r#"{"log":"a\tb\n","stream":"stdout","time":"2016-10-06T00:17:09.669794202Z"}"#,
            is(Stream::Out, "a\tb", false),
        ),
        (
            r#"{"log":"a","stream":"stderr","attrs":{"tag":"x"},"time":"2016-10-06T00:17:09.669794202Z"}"#,
            is(Stream::Err, "a", true),
        ),
        ("2016-10-06T00:17:09.669794202Z stdout X a", None),
        ("2016-10-06T00:17:09.669794202Z out F a", None),
        (r#"{"log":"a","stream":"stdout"}"#, None),
        (r#"{"log":"a","stream":"stdout","time":"2016-10-06T00:17:09Z","level":"info"}"#, None),
    ] {
        assert_eq!(unwrap(line), want, "{line}");
    }
}
