//! The documents that describe the daemons, word for word: a change of the wire
//! shows as a change of a snapshot.

use crate::harness::{DAEMONS, Setup};

#[tokio::test]
async fn every_daemon_describes_itself() {
    let fleet = Setup::new("all").start().await;
    for daemon in DAEMONS {
        let document = fleet.get(daemon, "/openapi.json").await.ok().json();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for (status, answer) in operation["responses"].as_object().unwrap() {
                    let is_described = answer.get("$ref").is_some() || answer["description"].is_string();
                    assert!(is_described, "{daemon}: {method} {path} {status}");
                }
            }
        }
        insta::assert_snapshot!(daemon, serde_json::to_string_pretty(&document).unwrap());
    }
}
