//! The fault suite: real daemons that are killed, starved and damaged from
//! outside while clients write, and a ledger of what was acknowledged.
//!
//! ```sh
//! cargo test -p distlogd --test faults                      # a short round of all but `tail`
//! cargo test -p distlogd --test faults -- 3600              # an hour
//! cargo test -p distlogd --test faults -- 600 kill flip     # ten minutes of two of them
//! ```
//!
//! Each fault gets an equal share of the time and at least one round. A round is
//! made from a seed, which is printed, and `SEED=…` repeats it as far as timing
//! allows; the short round has the seed 1. What needs root (`mount`) says so and is left out without it.
//!
//! | fault | what is done | what must hold |
//! |---|---|---|
//! | `kill` | `kill -9` under writers with every kind of body, keys that are retried, classes and recompression | nothing acknowledged is lost, changed, or stored twice; no sequence is used twice |
//! | `flip` | one bit of one file, the log stopped | what is answered is what was written, or the damage is reported |
//! | `full` | a file system without space, at run time and at the start | refused with 503, reads go on, recovers by itself |
//! | `memory` | the most expensive searches, bodies and tails at once | the process stays below half of what the unit allows |
//! | `tail` | a batch while hundreds follow | the acknowledgement does not wait for them |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod flip;
mod full;
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "it serves other tests, too")]
mod harness;
mod kill;
mod ledger;
mod memory;
mod tail;
mod writers;

use std::time::{Duration, Instant};

/// Without an argument: long enough to see that each fault is borne.
const SHORT: Duration = Duration::from_secs(40);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let seconds: Option<u64> = arguments.iter().find_map(|argument| argument.parse().ok());
    let named: Vec<&String> = arguments.iter().filter(|argument| argument.parse::<u64>().is_err()).collect();
    let is_short = named.is_empty() && seconds.is_none();
    let wanted = |name: &str| match named.is_empty() {
        // Of no use in seconds: what it looks for is measured by the `log` benchmark.
        true => !(is_short && name == "tail"),
        false => named.iter().any(|wanted| *wanted == name),
    };
    let names: Vec<&str> =
        ["kill", "flip", "full", "memory", "tail"].into_iter().filter(|name| wanted(name)).collect();
    let share = seconds.map_or(SHORT, Duration::from_secs) / u32::try_from(names.len().max(1)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let chosen = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    // The short round makes the same choices every time; longer ones look further.
    let seed = chosen.unwrap_or_else(|| seconds.map_or(1, |_| fastrand::u64(..1_000_000)));
    println!("seed {seed}");
    for name in &names {
        let mut rounds =
            Rounds { until: Instant::now() + share, rng: fastrand::Rng::with_seed(seed), begun: 0 };
        let figures = runtime.block_on(async {
            match *name {
                "kill" => kill::run(&mut rounds).await,
                "flip" => flip::run(&mut rounds).await,
                "full" => full::run(&mut rounds).await,
                "memory" => memory::run(&mut rounds).await,
                _ => tail::run(&mut rounds).await,
            }
        });
        println!("{name}: {figures}");
    }
    // One line in the words of a test runner.
    println!("\ntest result: ok. {} passed; 0 failed", names.len());
}

/// The rounds of one fault.
pub struct Rounds {
    until: Instant,
    /// Where its choices come from.
    pub rng: fastrand::Rng,
    begun: u32,
}

impl Rounds {
    /// Whether there is time for another one; the first is always made.
    pub fn another(&mut self) -> bool {
        self.begun += 1;
        self.begun == 1 || Instant::now() < self.until
    }
}
