//! Every sync is needed: without any one of them a promise is broken.

use super::episode::Episode;
use crate::log::disk::SyncSite;

/// Episodes in which a missing sync must show.
const EPISODES: u64 = 1_500;

/// Syncs whose absence breaks no promise, each with its reason.
const ARGUED: [(SyncSite, &str); 0] = [];

#[test]
fn without_any_one_sync_a_promise_is_broken() {
    let is_argued = |site: &SyncSite| ARGUED.iter().any(|(argued, _)| argued == site);
    let shown = |site: &SyncSite| {
        (0..EPISODES).find_map(|seed| {
            Episode::new(seed, Some(*site)).run().violation.map(|violation| (seed, violation))
        })
    };
    let mut unneeded = Vec::new();
    for site in SyncSite::ALL.into_iter().filter(|site| !is_argued(site)) {
        match shown(&site) {
            Some((seed, violation)) => println!("{site:?}: seed {seed}: {violation}"),
            None => unneeded.push(site),
        }
    }
    assert_eq!(unneeded, [], "nothing shows that they are needed");
}
