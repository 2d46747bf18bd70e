//! Records on their way to the log.

use super::fake_log::{FakeLog, Mood};
use crate::harness::{Running, Setup, eventually};
use serde_json::{Value, json};
use shared::wire::log::{Page, Record};

async fn add(library: &Running, title: &str) {
    let book = json!({"title": title, "author": "A"});
    assert_eq!(library.post_json("library", "/library/books", book).await.status, 201);
}

fn added(titles: impl IntoIterator<Item = usize>) -> Vec<String> {
    titles.into_iter().map(|n| format!("book added: 'T{n}' by A")).collect()
}

/// The messages without those that tell of a start.
fn changes(messages: &[String]) -> Vec<String> {
    messages.iter().filter(|message| !message.ends_with("started")).cloned().collect()
}

async fn nothing_waits(library: &Running) {
    eventually("nothing waits for the log", async || {
        let metrics = library.get("library", "/metrics").await.ok().body;
        metrics.lines().any(|line| line == "distlog_library_outbox_records 0").then_some(())
    })
    .await;
}

/// What the library's health says of the log, when it is as wanted.
async fn health(library: &Running, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually("the health tells of it", async || {
        let health = library.get("library", "/health").await.ok().json();
        let check = health["checks"]["log"].clone();
        wanted(&check).then_some(check)
    })
    .await
}

#[tokio::test]
async fn a_batch_whose_acknowledgement_was_lost_is_stored_once_over_a_crash() {
    let log = FakeLog::start(Mood::Mute).await;
    let library = Setup::new("library").flag("--log-url", log.url()).start().await;
    for n in 0..20 {
        add(&library, &format!("T{n}")).await;
    }
    eventually("the log was tried twice", async || (log.lock().requests >= 2).then_some(())).await;
    let library = library.restart().await;
    for n in 20..30 {
        add(&library, &format!("T{n}")).await;
    }
    log.lock().mood = Mood::Well;
    nothing_waits(&library).await;
    assert_eq!(changes(&log.lock().messages), added(0..30));
}

#[tokio::test]
async fn a_record_that_the_log_refuses_is_set_aside_and_the_others_arrive() {
    let log = FakeLog::start(Mood::Busy).await;
    let library = Setup::new("library").flag("--log-url", log.url()).start().await;
    for n in 0..12 {
        add(&library, &format!("T{n}")).await;
    }
    log.lock().mood = Mood::Dislikes("'T7'");
    nothing_waits(&library).await;
    assert_eq!(changes(&log.lock().messages), added((0..12).filter(|n| *n != 7)));
    health(&library, |check| check["output"].as_str().is_some_and(|why| why.contains("set aside"))).await;
}

#[tokio::test]
async fn records_are_kept_when_something_else_answers_in_the_logs_place() {
    let log = FakeLog::start(Mood::Elsewhere).await;
    let library = Setup::new("library").flag("--log-url", log.url()).start().await;
    add(&library, "T0").await;
    eventually("the log was tried twice", async || (log.lock().requests >= 2).then_some(())).await;
    let check = health(&library, |check| check["status"] == "warn").await;
    let output = check["output"].as_str().unwrap();
    assert!(output.starts_with("the log has taken no records for "), "{output}");
    log.lock().mood = Mood::Well;
    nothing_waits(&library).await;
    assert_eq!(changes(&log.lock().messages), added(0..1));
    health(&library, |check| check["status"] == "pass").await;
}

#[tokio::test]
async fn records_written_while_the_log_was_away_arrive_once_and_in_order() {
    let mut log = Setup::new("log").start().await;
    let mut library = Setup::new("library").peers_of(&log).start().await;
    let mut expected = Vec::new();
    for n in 0..60 {
        add(&library, &format!("T{n}")).await;
        for path in ["/library/borrow", "/library/return"] {
            let lend = json!({"book_id": (n + 4).to_string(), "borrower": "Ann"});
            library.post_json("library", path, lend).await.ok();
        }
        expected.push(format!("book added: 'T{n}' by A"));
        expected.push(format!("book borrowed: 'T{n}' by Ann"));
        expected.push(format!("book returned: 'T{n}' by Ann"));
        // Crashes in the midst of it: the log's, the library's, both.
        match n % 10 {
            2 => log.kill(),
            5 | 9 => library = library.restart().await,
            7 => log = log.restart().await,
            _ => {}
        }
    }
    nothing_waits(&library).await;
    let path = "/log?service=LibraryService&order=asc&format=json&limit=1000";
    let page: Page = serde_json::from_str(&log.get("log", path).await.ok().body).unwrap();
    let (starts, rest): (Vec<&Record>, Vec<&Record>) =
        page.records.iter().partition(|record| record.fields["event"] == "started");
    assert_eq!(rest.iter().map(|record| record.message.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(starts.len(), 13, "one start, and one after each crash");
    assert!(page.records.is_sorted_by_key(|record| record.ts), "a record tells when it happened");
}
