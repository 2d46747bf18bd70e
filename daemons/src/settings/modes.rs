//! Who else may write and read the configuration and the files of secrets that
//! it names.

use super::channel::Kind;
use super::{Channel, Settings, SettingsError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const WRITABLE_BY_OTHERS: u32 = 0o002;
const READABLE_BY_OTHERS: u32 = 0o004;

/// Whether the configuration file is protected from other users: who can write
/// it can run programs as this daemon (`type = "command"`).
///
/// # Errors
/// When every user of the machine may write it.
pub(super) fn check(file: &Path) -> Result<(), SettingsError> {
    if mode(file) & WRITABLE_BY_OTHERS == 0 {
        return Ok(());
    }
    Err(SettingsError::Writable { path: file.to_owned() })
}

impl Settings {
    /// What is allowed and yet advised against.
    pub fn warnings(&self) -> Vec<String> {
        let advice = |path: &Path, holds: &str| {
            let path = path.display();
            format!("{path} {holds} and every user of this machine can read it: run 'chmod o-r {path}'")
        };
        let is_readable = |path: &Path| mode(path) & READABLE_BY_OTHERS != 0;
        let mut warnings = Vec::new();
        let holds_secret =
            self.channels.iter().any(holds_secret) || self.monitor.heartbeat_url.to_string().ends_with('…');
        if let Some(file) = &self.file
            && holds_secret
            && is_readable(file)
        {
            warnings.push(advice(file, "holds secrets"));
        }
        let files = self.channels.iter().filter_map(secret_file).filter(|file| is_readable(file));
        warnings.extend(files.map(|file| advice(file, "is a secret")));
        warnings
    }
}

/// The permission bits; none of a file that cannot be looked at.
fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.mode())
}

/// Whether a channel's own section holds a secret.
fn holds_secret(channel: &Channel) -> bool {
    // A URL that is more than a host is shown without its path: that is the secret.
    let in_url = |url: String| url.ends_with('…');
    match &channel.kind {
        Kind::Webhook(it) => it.token.is_some() || !it.headers.is_empty() || in_url(it.url.to_string()),
        Kind::Alertmanager(it) => it.token.is_some() || in_url(it.url.to_string()),
        Kind::Slack(it) => it.url.is_some(),
        Kind::Ntfy(it) => it.token.is_some(),
        Kind::Smtp(it) => it.password.is_some(),
        Kind::Command(_) => false,
    }
}

/// The file from which a channel reads its secret.
fn secret_file(channel: &Channel) -> Option<&PathBuf> {
    match &channel.kind {
        Kind::Webhook(it) => it.token_file.as_ref(),
        Kind::Alertmanager(it) => it.token_file.as_ref(),
        Kind::Slack(it) => it.url_file.as_ref(),
        Kind::Ntfy(it) => it.token_file.as_ref(),
        Kind::Smtp(it) => it.password_file.as_ref(),
        Kind::Command(_) => None,
    }
}
