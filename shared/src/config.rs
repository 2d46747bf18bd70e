//! Where the configuration is: one file for the daemons and the console.

use std::path::PathBuf;

/// The files that are looked for when none is named, in this order.
pub const FILES: [&str; 2] = ["./distlog.toml", "/etc/distlog/distlog.toml"];

/// The file to read: the one that was named, else the first that is there.
pub fn find(named: Option<PathBuf>) -> Option<PathBuf> {
    named.or_else(|| FILES.iter().map(PathBuf::from).find(|path| path.is_file()))
}
