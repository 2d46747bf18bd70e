//! Files into the log and out of it again, with the tools that users have.

mod read;

use crate::harness::{Answer, Running, Setup, binary, client, eventually};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{ChildStdin, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `distlogd log …` in the log's directory.
fn tool_at(url: &str, log: &Running, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("log").args(args).args(["--log-url", url]).current_dir(log.dir());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn tool(log: &Running, args: &[&str]) -> Command {
    tool_at(&log.url("log"), log, args)
}

/// What it says on standard output and on standard error, when it succeeds.
#[track_caller]
fn done(output: Output) -> (String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{out} {err}");
    (out, err)
}

#[track_caller]
fn import(log: &Running, args: &[&str]) -> String {
    done(tool(log, &[&["import"], args].concat()).output().unwrap()).0
}

#[track_caller]
fn export(log: &Running, args: &[&str]) -> String {
    done(tool(log, &[&["export"], args].concat()).output().unwrap()).0
}

fn write(log: &Running, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::write(log.dir().join(name), bytes).unwrap();
}

/// Services, levels, messages, in the order of the sequence.
fn stored(log: &Running) -> Vec<(String, String, String)> {
    let text = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
    let row = |record: &Value| (text(record, "service"), text(record, "level"), text(record, "message"));
    export(log, &[]).lines().map(|line| row(&serde_json::from_str(line).unwrap())).collect()
}

fn row(service: &str, level: &str, message: &str) -> (String, String, String) {
    (service.to_owned(), level.to_owned(), message.to_owned())
}

/// How many records there are, by the log itself.
async fn total(log: &Running) -> Option<u64> {
    let request = log.request(reqwest::Method::GET, "log", "/log/stats?by=level");
    let answer = request.send().await.ok()?;
    Answer::read(answer).await.json()["total"].as_u64()
}

#[tokio::test]
async fn a_text_and_an_ndjson_file_become_records() {
    let log = Setup::new("log").start().await;
    let text = "\u{feff}2026-11-22 10:00:00 ERROR it broke\r\n    at line 7\r\n\r\n2026-11-22T12:00:01+02:00 plain\r\n";
    write(&log, "app.log", text);
    write(&log, "web.ndjson", "{\"msg\":\"hit\",\"level\":\"WARN\",\"ms\":1.50}\n{\"no\":\"message\"}\n");
    let said = import(&log, &["app.log", "web.ndjson"]);
    assert!(said.starts_with("5 records from 2 files in "), "{said}");
    assert_eq!(
        stored(&log),
        [
            row("app", "error", "ERROR it broke"),
            row("app", "info", "    at line 7"),
            row("app", "info", "plain"),
            row("web", "warn", "hit"),
            row("web", "info", "{\"no\":\"message\"}"),
        ]
    );
    let csv = export(&log, &["--format", "csv", "--until", "2026-11-22T10:00:02Z", "--service", "app"]);
    let (trace, plain) = ("2026-11-22T10:00:00.000000Z", "2026-11-22T10:00:01.000000Z");
    assert_eq!(
        csv,
        format!(
            "seq,ts,level,service,message,fields\n1,{trace},error,app,ERROR it broke,\n\
             2,{trace},info,app,    at line 7,\n3,{plain},info,app,plain,\n"
        )
    );
    assert!(export(&log, &["--query", "hit"]).contains("\"fields\":{\"ms\":1.50}"));
}

#[tokio::test]
async fn what_is_exported_and_imported_again_is_the_same() {
    let log = Setup::new("log").flag("--log-rotate-size", "16KiB").start().await;
    let odd = ["a\nb\t\"c\", d", "\u{1b}[31m\u{202e}", "\\x41 \\n", "书", "", " x "];
    let levels = ["trace", "debug", "info", "warn", "error", "fatal"];
    for n in 0..1_000 {
        let record = json!({
            "ts": format!("2026-11-22T10:{:02}:{:02}.{:09}Z", n % 7, n % 60, n * 1_001), "service": format!("S: {}", n % 3),
            "level": levels[n % 6], "message": odd[n % odd.len()],
            "n": n, "message ": [null, {"a": 1.0}]
        });
        log.post_json("log", "/log", record).await.ok();
    }
    let (text, ndjson) = (export(&log, &["--format", "text"]), export(&log, &[]));
    assert_eq!(text.lines().count(), 1_000);
    for (name, content) in [("a.log", &text), ("b.ndjson", &ndjson)] {
        let again = Setup::new("log").start().await;
        write(&again, name, content);
        import(&again, &[name]);
        assert_eq!(std::fs::read_to_string(again.log_file()).unwrap(), text, "{name}");
        assert_eq!(export(&again, &[]), ndjson, "{name}");
    }
    let csv = export(&log, &["--format", "csv", "-q", "n:=0"]);
    assert!(
        csv.ends_with(",\"a\nb\t\"\"c\"\", d\",\"{\"\"message \"\":[null,{\"\"a\"\":1.0}],\"\"n\"\":0}\"\n"),
        "{csv}"
    );
    let said = export(&log, &["--level", "error", "--output", "out.ndjson"]);
    assert_eq!(said, "332 records in out.ndjson\n");
    assert_eq!(std::fs::read_to_string(log.dir().join("out.ndjson")).unwrap().lines().count(), 332);
}

#[tokio::test]
async fn the_live_log_can_be_imported_into_itself() {
    let log = Setup::new("log").start().await;
    log.post("log", "/log?service=S", "one").await.ok();
    import(&log, &["distributed.log"]);
    assert_eq!(stored(&log), [row("S", "info", "one"), row("S", "info", "one")]);
}

#[tokio::test]
async fn packed_files_and_standard_input_are_read_whatever_their_names() {
    let log = Setup::new("log").start().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"from gzip\n").unwrap();
    let gzip = gzip.finish().unwrap();
    write(&log, "one.log.1.gz", &gzip);
    write(&log, "two.log", zstd::encode_all(b"from zstd".as_slice(), 3).unwrap());
    import(&log, &["one.log.1.gz", "two.log"]);
    for (input, args) in
        [(b"from a pipe\n".as_slice(), vec![]), (&gzip, vec!["--service", "P", "--level", "warning"])]
    {
        let mut child = tool(&log, &[&["import", "-"], args.as_slice()].concat()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        done(child.wait_with_output().unwrap());
    }
    assert_eq!(
        stored(&log),
        [
            row("one", "info", "from gzip"),
            row("two", "info", "from zstd"),
            row("unknown", "info", "from a pipe"),
            row("P", "warn", "from gzip"),
        ]
    );
}

#[tokio::test]
async fn nothing_is_lost_silently() {
    let log = Setup::new("log").start().await;
    let mut bytes = "书".repeat(700_000).into_bytes();
    bytes.extend_from_slice(b"\nbad \xff byte\nend");
    write(&log, "odd.log", &bytes);
    let (out, err) = done(tool(&log, &["import", "odd.log"]).output().unwrap());
    assert!(out.starts_with("5 records from 1 file in "), "{out}");
    assert_eq!(
        err,
        "distlogd: 1 line with bytes that are no UTF-8: each of those is stored as U+FFFD\n\
         distlogd: 1 line longer than 1 MiB: stored as several records\n\
         distlogd: 3 lines without a time: stored with the time of the line above, or of the import; \
         first: odd.log line 1\n"
    );
    let stored: Vec<_> = stored(&log).into_iter().map(|(.., message)| message).collect();
    assert_eq!(stored[..3].concat(), "书".repeat(700_000));
    assert_eq!(stored[3..], ["bad \u{fffd} byte", "end"]);
}

#[tokio::test]
async fn a_file_that_breaks_off_is_told_with_what_is_stored_of_it() {
    let log = Setup::new("log").start().await;
    let lines: String = (0..30_000).map(|n| format!("line {n} {}\n", scrambled(n))).collect();
    let packed = zstd::encode_all(lines.as_bytes(), 3).unwrap();
    write(&log, "torn.log", &packed[..packed.len() * 3 / 4]);
    let output = tool(&log, &["import", "torn.log"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let count = total(&log).await.unwrap();
    assert!(count > 0 && count < 30_000);
    assert!(said.contains(&format!("\ndistlogd: cannot read torn.log after line {count}: ")), "{said}");
    assert!(said.contains(&format!("\n{count} records stored, up to line {count} of torn.log\n")), "{said}");
    // It goes on from there with the whole file.
    write(&log, "torn.log", lines);
    import(&log, &["torn.log", "--skip", &count.to_string()]);
    assert_eq!(stored(&log).len(), 30_000);
    // What is not there is told before anything is stored.
    let output = tool(&log, &["import", "torn.log", "gone.log"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(total(&log).await, Some(30_000));
}

/// A text that does not pack well.
fn scrambled(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn feed(stdin: &mut ChildStdin, lines: std::ops::Range<usize>) {
    let text: String = lines.map(|n| format!("line {n}\n")).collect();
    stdin.write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn an_import_goes_on_over_kill_9_of_the_log() {
    let mut log = Setup::new("log").start().await;
    let mut child = tool(&log, &["import", "-"]).spawn().unwrap();
    feed(child.stdin.as_mut().unwrap(), 0..20_000);
    eventually("something is stored", async || total(&log).await.filter(|total| *total > 0)).await;
    log.kill();
    // The pipe takes no more than the import does, which waits for the log.
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || feed(&mut stdin, 20_000..60_000));
    let log = log.restart().await;
    feeder.join().unwrap();
    let (out, _) = done(child.wait_with_output().unwrap());
    assert!(out.starts_with("60000 records from 1 file in "), "{out}");
    let messages: Vec<_> = stored(&log).into_iter().map(|(.., message)| message).collect();
    assert_eq!(messages, (0..60_000).map(|n| format!("line {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn ctrl_c_ends_an_import_and_tells_how_to_go_on() {
    let log = Setup::new("log").start().await;
    let mut child = tool(&log, &["import", "-"]).spawn().unwrap();
    feed(child.stdin.as_mut().unwrap(), 0..10);
    eventually("all is stored", async || total(&log).await.filter(|total| *total == 10)).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    // Its input stays open: its end would be the import's.
    let input = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("\ndistlogd: interrupted\n"), "{said}");
}

/// A log service whose answers get lost now and then.
async fn forward(
    State((url, calls)): State<(String, Arc<AtomicUsize>)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, Bytes) {
    let mut request = client().post(format!("{url}{uri}")).body(body);
    for name in ["content-type", "idempotency-key"] {
        request = request.header(name, &headers[name]);
    }
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success());
    let body = answer.bytes().await.unwrap();
    match calls.fetch_add(1, Ordering::Relaxed) % 3 {
        0 => (
            StatusCode::SERVICE_UNAVAILABLE,
            [("retry-after".parse().unwrap(), "0".parse().unwrap())].into_iter().collect(),
            Bytes::new(),
        ),
        1 => (
            StatusCode::OK,
            [("content-length".parse().unwrap(), "1000".parse().unwrap())].into_iter().collect(),
            body,
        ),
        _ => (StatusCode::OK, HeaderMap::new(), body),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_stores_nothing_twice() {
    let log = Setup::new("log").start().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(forward).with_state((log.url("log"), Arc::clone(&calls)));
    let router = router.layer(axum::extract::DefaultBodyLimit::disable());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let lines: String = (0..25_000).map(|n| format!("line {n}\n")).collect();
    write(&log, "app.log", lines);
    let mut command = tool_at(&url, &log, &["import", "app.log"]);
    let (out, err) = done(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
    assert!(out.starts_with("25000 records from 1 file in "), "{out}");
    assert!(err.contains("trying again"), "{err}");
    assert_eq!(calls.load(Ordering::Relaxed), 9);
    let messages: Vec<_> = stored(&log).into_iter().map(|(.., message)| message).collect();
    assert_eq!(messages, (0..25_000).map(|n| format!("line {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_log_that_stays_away_or_refuses_is_an_error() {
    let log = Setup::new("log").flag("--log-body-max", "1KiB").start().await;
    write(&log, "app.log", "x".repeat(2_000));
    let output = tool(&log, &["import", "app.log"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("larger than 1024 bytes") && said.contains("--skip 0 app.log"), "{said}");
    let away = tool_at("http://127.0.0.1:1", &log, &["export", "--patience", "0s"]).output().unwrap();
    assert_eq!(away.status.code(), Some(1));
    assert!(String::from_utf8(away.stderr).unwrap().contains("http://127.0.0.1:1 is not reachable"));
    // A wrong query is told even of an empty log.
    let wrong = tool(&log, &["export", "-q", "(b"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
}

#[tokio::test]
async fn an_export_is_paged_and_ends_when_its_reader_does() {
    let log = Setup::new("log").start().await;
    // More than fills a page by number, and then by size.
    let mut lines: String = (0..25_000).map(|n| format!("line {n}\n")).collect();
    lines.extend((0..19).map(|n| format!("large {n} {}\n", "x".repeat(900_000))));
    write(&log, "app.log", lines);
    import(&log, &["app.log"]);
    let out = export(&log, &[]);
    let seqs: Vec<u64> = out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, (1..=25_019).collect::<Vec<_>>());
    assert_eq!(export(&log, &["-q", "large"]).lines().count(), 19);
    let mut child = tool(&log, &["export"]).spawn().unwrap();
    drop(child.stdout.take());
    done(child.wait_with_output().unwrap());
}
