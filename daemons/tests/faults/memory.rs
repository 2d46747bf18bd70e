//! The most expensive requests at the same time. The unit allows 1 GB.

use crate::Rounds;
use crate::harness::{Setup, client};
use reqwest::Method;

/// Half of `MemoryMax` in the unit.
const MOST_MB: u64 = 512;
const CLIENTS: usize = 16;
const LARGE: usize = 200;

pub async fn run(rounds: &mut Rounds) -> String {
    let log = Setup::new("log").start().await;
    for n in 0..LARGE {
        let text = format!("{n} {}", "large ".repeat(170_000));
        assert_eq!(log.request(Method::POST, "log", "/log").body(text).send().await.unwrap().status(), 200);
    }
    let (mut answered, mut refused) = (0, 0);
    while rounds.another() {
        let url = log.url("log");
        let asking: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let url = format!("{url}/log?limit=1000&format=json");
                tokio::spawn(async move {
                    let answer = client().get(url).send().await.unwrap();
                    let status = answer.status().as_u16();
                    let _ = answer.bytes().await.unwrap();
                    status
                })
            })
            .collect();
        for one in asking {
            match one.await.unwrap() {
                200 => answered += 1,
                503 => refused += 1,
                status => panic!("{status}"),
            }
        }
        let most = peak_mb(log.pid());
        assert!(most < MOST_MB, "{most} MB after {answered} answers");
    }
    format!("{answered} answers of large records, {refused} refused, {} MB at most", peak_mb(log.pid()))
}

/// The most that the process has had resident, in MB.
fn peak_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_000
}
