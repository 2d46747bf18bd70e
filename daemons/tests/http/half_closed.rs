//! A client may close its sending side once its request is whole.

use crate::harness::raw::{connect, half_closed};
use crate::harness::{DAEMONS, Setup, client, eventually};
use serde_json::json;
use std::io::{Read, Write};

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn every_daemon_answers_a_client_that_has_closed_its_sending_side() {
    let fleet = Setup::new("all").start().await;
    let service = json!({"serviceName": "Shop", "serviceUrl": "http://localhost:1"});
    fleet.post_json("registry", "/services", service).await.ok();
    eventually("the monitor knows the service", async || {
        (fleet.get("monitor", "/monitor/health/Shop").await.status == 200).then_some(())
    })
    .await;
    let writes = [
        ("registry", "/services", r#"{"serviceName":"Till","serviceUrl":"http://localhost:2"}"#),
        ("log", "/log", r#"{"message":"a whole request"}"#),
        ("library", "/library/books", r#"{"title":"T","author":"A"}"#),
        ("provider", "/providers/subscriptions", r#"{"service":"Shop","callbackUrl":"http://localhost:3/"}"#),
        ("web", "/proxy/log", r#"{"message":"by way of the page"}"#),
        ("monitor", "/monitor/maintenance", r#"{"service":"Shop"}"#),
    ];
    for (daemon, path, body) in writes {
        for round in 0..10 {
            // Every request is one of its own: what is stored already needs no wait.
            let body = body.replace("Till", &format!("Till{round}"));
            let answer = half_closed(fleet.ports[daemon], post(path, &body).as_bytes());
            assert!(answer.starts_with("HTTP/1.1 20"), "{daemon}: {answer:?}");
        }
    }
    for daemon in DAEMONS {
        let answer =
            half_closed(fleet.ports[daemon], b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.trim_end().ends_with('}'), "{daemon}");
    }
}

#[tokio::test]
async fn a_stream_whose_client_has_left_ends() {
    let log = Setup::new("log").flag("--log-tails-max", 1).start().await;
    let mut stream = connect(log.ports["log"]);
    stream.write_all(b"GET /log/tail?format=text HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; "HTTP/1.1 200 ".len()]).unwrap();
    log.get("log", "/log/tail").await.problem(503);
    drop(stream);
    eventually("its place is free", async || {
        let head = client().get(format!("{}/log/tail", log.url("log"))).send().await.unwrap();
        (head.status() == 200).then_some(())
    })
    .await;
}
