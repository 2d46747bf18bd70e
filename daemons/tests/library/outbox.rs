//! Records on their way to the log.

use super::fake_log::{FakeLog, Mood};
use crate::harness::{Running, Setup, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use shared::wire::library::Book;
use shared::wire::log::{Page, Record};
use std::process::Command;
use std::time::Duration;

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

/// Adds books until the library is gone; the titles that it acknowledged. So
/// many at most that all of them are answered in one list.
async fn add_until_the_end(library: &Running, writer: usize, round: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0..100 {
        let title = format!("R{round} W{writer} N{n}");
        let request = library.request(Method::POST, "library", "/library/books");
        match request.json(&json!({"title": title, "author": "A"})).send().await {
            Ok(answer) if answer.status() == 201 => acknowledged.push(title),
            _ => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_tells_of_every_book_once_whatever_is_killed_under_load() {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 12;
    let mut log = Setup::new("log").start().await;
    let mut library = Setup::new("library").peers_of(&log).start().await;
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let writers =
            futures_util::future::join_all((0..WRITERS).map(|n| add_until_the_end(&library, n, round)));
        let pid = library.pid().to_string();
        let blow = async {
            // A little later in every round, so that it falls on different steps.
            tokio::time::sleep(Duration::from_millis(40 + 23 * round as u64)).await;
            if round % 3 == 1 {
                log.kill();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Command::new("kill").args(["-KILL", &pid]).status().unwrap();
        };
        let (titles, ()) = tokio::join!(writers, blow);
        acknowledged.extend(titles.into_iter().flatten());
        library = library.restart().await;
        if round % 3 == 2 {
            log = log.restart().await;
        }
    }
    nothing_waits(&library).await;
    let shelf: Vec<Book> =
        serde_json::from_str(&library.get("library", "/library/books?limit=10000").await.ok().body).unwrap();
    let shelf: Vec<&str> = shelf.iter().skip(3).map(|book| book.title.as_str()).collect();
    let page: Page = {
        let path = "/log?q=event:added&order=asc&format=json&limit=10000";
        serde_json::from_str(&log.get("log", path).await.ok().body).unwrap()
    };
    let told: Vec<&str> =
        page.records.iter().map(|record| record.fields["title"].as_str().unwrap()).collect();
    assert_eq!(told, shelf, "what the log tells is what happened, in order");
    assert!(acknowledged.len() > ROUNDS, "{} books", acknowledged.len());
    let missing: Vec<_> = acknowledged.iter().filter(|title| !shelf.contains(&title.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "acknowledged and lost");
}
