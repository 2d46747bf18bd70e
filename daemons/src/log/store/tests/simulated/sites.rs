//! A sync is needed if a promise is broken without it.

use super::episode::Episode;
use crate::log::disk::SyncSite;

/// Episodes in which a missing sync must show; the slowest shows in the 96th.
const EPISODES: u64 = 200;

/// The syncs that these episodes show to be needed. Of the others, which are
/// argued in [`SyncSite`], 400 episodes show none: a later sync or a copy makes up
/// for most of them, or the file systems that are simulated do.
const SHOWN: [SyncSite; 9] = [
    SyncSite::ActiveCommit,
    SyncSite::ActiveAdopt,
    SyncSite::ActiveRecover,
    SyncSite::RecoverActive,
    SyncSite::RecoverActiveDirectory,
    SyncSite::ActiveDirectory,
    SyncSite::KeysCommit,
    SyncSite::KeysRewrite,
    SyncSite::SealFrames,
];

#[test]
fn without_any_one_of_these_syncs_a_promise_is_broken() {
    let breaks = |site| (0..EPISODES).any(|seed| Episode::new(seed, Some(site)).run().violation.is_some());
    let unneeded: Vec<SyncSite> = SHOWN.into_iter().filter(|site| !breaks(*site)).collect();
    assert_eq!(unneeded, [], "nothing shows that they are needed");
}
