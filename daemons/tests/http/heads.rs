//! What a request's head may be.

use crate::harness::raw::raw;
use crate::harness::{DAEMONS, Setup};

#[track_caller]
fn refused(port: u16, request: &str, status: u16) {
    let (answer, _) = raw(port, request.as_bytes());
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{status} was expected of {request}: {answer}"
    );
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[tokio::test]
async fn a_host_that_is_ambiguous_is_refused_by_every_daemon() {
    let fleet = Setup::new("all").start().await;
    for daemon in DAEMONS {
        let port = fleet.ports[daemon];
        for hosts in
            ["", "Host: localhost\r\nHost: localhost\r\n", "Host: evil@localhost\r\n", "Host: a b\r\n"]
        {
            refused(port, &format!("GET /health HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"), 400);
        }
    }
}

#[tokio::test]
async fn a_head_over_32_kib_is_431() {
    let registry = Setup::new("registry").start().await;
    for len in [33_000, 40_000, 60_000] {
        let long = "x".repeat(len);
        let head =
            format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\nConnection: close\r\n\r\n");
        refused(registry.ports["registry"], &head, 431);
    }
}

#[tokio::test]
async fn a_transfer_coding_that_is_not_supported_is_501_and_closes_the_connection() {
    let log = Setup::new("log").start().await;
    let request = "POST /log HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    refused(log.ports["log"], request, 501);
    assert_eq!(log.get("log", "/log").await.ok().body, "");
}
