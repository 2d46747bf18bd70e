//! `kill -9` under load.

use crate::Rounds;
use crate::harness::fixture::Fixture;
use crate::harness::{Setup, client};
use crate::ledger::Ledger;
use crate::writers::{Outcome, write};

const WRITERS: usize = 8;
/// The ledger is compared with the whole log after so many kills.
const CHECK_EVERY: u32 = 10;

pub async fn run(rounds: &mut Rounds) -> String {
    let mut log = Setup::new("log")
        .flag("--log-rotate-size", "256KiB")
        .flag("--log-classes", "quiet=30d level:<=debug")
        .flag("--log-recompress-after", "1s")
        .start()
        .await;
    let mut ledger = Ledger::default();
    let (mut kills, mut retried) = (0_u32, 0_u32);
    while rounds.another() {
        let (progress, mut answered) = tokio::sync::mpsc::unbounded_channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| {
                let name = format!("k{kills}w{n}");
                tokio::spawn(write(log.url("log"), name, rounds.rng.fork(), progress.clone()))
            })
            .collect();
        drop(progress);
        for _ in 0..=rounds.rng.u32(..400) {
            answered.recv().await.expect("writers go on until the log is killed");
        }
        log.kill();
        kills += 1;
        let mut unknown = Vec::new();
        for writer in writers {
            for outcome in writer.await.unwrap() {
                match outcome {
                    Outcome::Acknowledged(first, texts) => ledger.acknowledged(first, texts),
                    Outcome::Unknown(request) => unknown.push(request),
                }
            }
        }
        log = log.restart().await;
        for request in unknown {
            if request.has_key() {
                let first = request.send(&client(), &log.url("log")).await.expect("the log answers a retry");
                ledger.acknowledged(first, request.texts);
                retried += 1;
            } else {
                ledger.given_up(request.texts.len());
            }
        }
        if kills % CHECK_EVERY == 0 {
            ledger.check(&log).await;
        }
    }
    ledger.check(&log).await;
    let dir = log.dir().to_owned();
    let log = log.stop_and_start().await;
    ledger.check(&log).await;
    let (status, said) = Fixture { dir: &dir }.told(&["verify"]);
    assert_eq!(status, 0, "{said}");
    format!("{kills} kills, {} records acknowledged, {retried} requests repeated, none lost", ledger.len())
}
