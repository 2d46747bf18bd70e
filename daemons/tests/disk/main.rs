//! What the daemons on SQLite promise while the disk does its worst: power cuts,
//! a sync that lies, a full disk.
//!
//! These tests mount file systems, so they need root, `xfs_io`, `mkfs.xfs`,
//! `mkfs.ext4` and gcc:
//! `cargo test -p distlogd --test disk -- --ignored --test-threads 1`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

#[expect(dead_code, reason = "the other tests use more of it")]
#[path = "../harness/mod.rs"]
mod harness;

mod full;
mod mount;
mod power;
mod promises;
mod shim;
mod sync_error;
