//! The web page and the paths that it passes on, without a browser.

use crate::harness::lines::Lines;
use crate::harness::{Answer, Running, Setup};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use reqwest::Method;
use serde_json::json;
use shared::client::http::CALL_TIMEOUT;
use std::time::Duration;

#[tokio::test]
async fn the_page_may_use_its_own_files_and_nothing_else() {
    let web = Setup::new("web").start().await;
    for path in ["/", "/web", "/web/page.css", "/web/page.js", "/web/icon.svg"] {
        let answer = web.get("web", path).await.ok();
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let web = Setup::new("web").start().await;
    let tag = web.get("web", "/web/page.js").await.ok().header("etag").to_owned();
    let again = web.request(Method::GET, "web", "/web/page.js").header("if-none-match", tag);
    let again = Answer::of(again).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}

#[tokio::test]
async fn a_daemon_that_is_away_is_named() {
    let web = Setup::new("web").start().await;
    for (path, name) in [
        ("/services", "registry"),
        ("/health/services", "monitor"),
        ("/proxy/log", "log"),
        ("/proxy/log/tail", "log"),
        ("/proxy/books", "library"),
        ("/proxy/borrow", "library"),
    ] {
        let answer = web.get("web", path).await;
        let detail = answer.problem(503)["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(&format!("the {name} is away: ")), "{detail}");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let page = web.get("web", "/web").await.ok().body;
    assert!(page.contains("the library is away") && page.contains("The books are not known."), "{page}");
}

#[tokio::test]
async fn what_is_passed_on_keeps_its_status_and_its_words() {
    let fleet = Setup::new("all").start().await;
    let web = |path, body| fleet.post_json("web", path, body);
    assert_eq!(web("/proxy/books", json!({"id": "x", "title": "T", "author": "A"})).await.status, 201);
    let lend = json!({"book_id": "x", "borrower": "Ann"});
    web("/proxy/borrow", lend.clone()).await.ok();
    assert!(fleet.get("web", "/proxy/borrow?active=true").await.ok().body.contains("Ann"));
    assert!(web("/proxy/borrow", lend.clone()).await.problem(409)["detail"].is_string());
    assert_eq!(
        web("/proxy/return", json!({"book_id": "x", "borrower": ""})).await.problem(422)["field"],
        "borrower"
    );
    web("/proxy/return", lend).await.ok();
    web("/proxy/log", json!({"message": "over the page"})).await.ok();
    assert!(fleet.get("web", "/proxy/log").await.ok().body.contains("over the page"));
    fleet.get("web", "/proxy/log?q=(").await.problem(400);
    fleet.get("web", "/proxy/nothing").await.problem(404);
    let foreign = fleet.request(Method::POST, "web", "/proxy/log").header("origin", "http://evil.example");
    Answer::of(foreign.body("no")).await.problem(403);
}

#[tokio::test]
async fn what_else_answers_in_a_daemons_place_is_not_shown() {
    // A page: what a misdirected URL often leads to.
    let other = Setup::new("web").start().await;
    let web = Setup::new("web").flag("--log-url", format!("{}/web?", other.url("web"))).start().await;
    let answer = web.get("web", "/proxy/log").await;
    let detail = answer.problem(503)["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail, "the log is away: something else answers at its address");
}

/// A log that takes its time: for the head of its answer, and again for the rest.
async fn slow_log(pause: Duration) -> String {
    let answer = move || async move {
        tokio::time::sleep(pause).await;
        let rest = futures_util::stream::once(async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::io::Error>("late\n")
        });
        ([("content-type", "text/plain")], Body::from_stream(rest))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/log", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn a_search_that_takes_long_is_answered_in_full() {
    // Together longer than a call between daemons may take.
    let log = slow_log(CALL_TIMEOUT * 6 / 10).await;
    let web = Setup::new("web").flag("--log-url", log).start().await;
    assert_eq!(web.get("web", "/proxy/log?q=rare").await.ok().body, "late\n");
}

#[tokio::test]
async fn an_open_tail_does_not_hold_up_the_stop() {
    let log = Setup::new("log").start().await;
    let web: Running = Setup::new("web").peers_of(&log).start().await;
    let mut tail = Lines::open(web.request(Method::GET, "web", "/proxy/log/tail?after=0")).await;
    log.post("log", "/log", "live").await.ok();
    let (_, _, data) = tail.event().await.unwrap();
    assert!(data.contains("\"live\""), "{data}");
    let (status, took, _) = web.terminate();
    assert!(status.success() && took < Duration::from_secs(5), "{status} {took:?}");
}
