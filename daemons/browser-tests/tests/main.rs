//! The web page in a real browser, over real daemons.
//!
//! Needs Debian's `chromium` and `chromium-driver`, and `distlogd` built
//! before, and axe-core where `.ci/run` puts it. With `DISTLOG_SCREENSHOTS=<directory>` it leaves pictures there.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod browser;
mod crowd;
#[expect(dead_code, reason = "it is shared with the tests of the daemons, which use all of it")]
#[path = "../../tests/harness/mod.rs"]
mod harness;
mod page;
