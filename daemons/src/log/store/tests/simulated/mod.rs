//! The store on a simulated file system: power cuts, ended processes and failed
//! calls at any point, beside a model of what was promised.
//!
//! One episode is made from one seed: a log with small segments is opened, lives
//! through some steps, and is opened again after each end. `DISTLOG_SIM_SEED=n`
//! repeats an episode, `DISTLOG_SIM_SECONDS=s` goes on for so long; without
//! either a fixed number is run.

mod episode;
mod model;
mod sites;

use episode::Episode;
use std::time::{Duration, Instant};

/// Without any setting; some seconds.
const EPISODES: u64 = 500;

/// Broken promises that are collected before the test ends.
const BROKEN_MAX: usize = 8;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn a_log_keeps_its_promises_whatever_the_disk_does() {
    if let Some(seed) = number("DISTLOG_SIM_SEED") {
        let outcome = Episode::new(seed, None).told().run();
        return assert_eq!(outcome.violation, None);
    }
    let seconds = number("DISTLOG_SIM_SECONDS").map(Duration::from_secs);
    let began = Instant::now();
    let (mut episodes, mut ends, mut broken) = (0, 0, Vec::new());
    while seconds.map_or(episodes < EPISODES, |seconds| began.elapsed() < seconds) {
        let seed = if seconds.is_some() { fastrand::u64(..) } else { episodes };
        let outcome = Episode::new(seed, None).run();
        broken.extend(outcome.violation.map(|violation| format!("DISTLOG_SIM_SEED={seed}: {violation}")));
        if broken.len() >= BROKEN_MAX {
            break;
        }
        episodes += 1;
        ends += outcome.ends;
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    println!("{episodes} episodes, {ends} power cuts and ended processes in {:?}", began.elapsed());
}
