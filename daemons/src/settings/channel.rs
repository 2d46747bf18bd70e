//! Where alerts go: one `[[channel]]` of the file each.
//!
//! What a channel of any type can say stands in [`Channel`], what one type
//! needs in the struct of that type. Secrets stand in the file or in files of
//! their own, and are shown nowhere.

use super::glob::Glob;
use super::quiet::Quiet;
use super::secret::{Secret, Target};
use serde::{Deserialize, Deserializer};
use shared::span::Span;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Channels at most: each is a task and at times a connection.
const CHANNELS_MAX: usize = 64;
/// The longest name: it stands in keys and labels.
const NAME_MAX: usize = 40;
/// The longest time that one attempt may take.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// The labels by which Alertmanager tells alerts apart: the same from the
/// beginning of one to its end.
const IDENTITY: [&str; 4] = ["alertname", "service", "incident", "source"];
/// The name of the channel that `monitor.alert_webhook` makes.
const SHORTCUT: &str = "webhook";

/// Where alerts go.
#[derive(Debug, Clone)]
pub struct Channel {
    /// What it is called.
    pub name: String,
    /// How it is told, and where.
    pub kind: Kind,
    /// For how long one attempt may take.
    pub timeout: Duration,
    /// Of which services it hears; empty: of all.
    pub services: Vec<Glob>,
    /// When a new incident waits.
    pub quiet: Quiet,
    /// The channel that gets what this one could not deliver in time.
    pub fallback: Option<String>,
    /// For how long this one may try before that.
    pub fallback_after: Duration,
}

/// How a channel is told.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A POST of JSON, or of what a template makes.
    Webhook(Webhook),
    /// Alertmanager's API, version 2.
    Alertmanager(Alertmanager),
    /// An incoming webhook of Slack, Mattermost and others.
    Slack(Slack),
    /// A topic of ntfy.
    Ntfy(Ntfy),
    /// A mail.
    Smtp(Smtp),
    /// A program, with JSON on its standard input.
    Command(Command),
}

/// `type = "webhook"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to post.
    pub url: Target,
    /// The body, a minijinja template; without one the notification as JSON.
    pub template: Option<String>,
    /// The same in a file.
    pub template_file: Option<PathBuf>,
    /// The body's type.
    #[serde(default = "json")]
    pub content_type: String,
    /// More headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// The same in a file.
    pub token_file: Option<PathBuf>,
}

/// `type = "alertmanager"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    /// Its base URL.
    pub url: Target,
    /// More labels; `severity` among them takes the place of ours.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// The same in a file.
    pub token_file: Option<PathBuf>,
}

/// `type = "slack"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The webhook.
    pub url: Option<Target>,
    /// The same in a file.
    pub url_file: Option<PathBuf>,
}

/// `type = "ntfy"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ntfy {
    /// The server, without the topic.
    pub url: Target,
    /// The topic.
    pub topic: String,
    /// `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// The same in a file.
    pub token_file: Option<PathBuf>,
}

/// `type = "smtp"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// The server.
    pub host: String,
    /// Its port; as is usual with `tls` when absent.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: SmtpTls,
    /// A file of certificate authorities beside those of the system (PEM).
    pub ca_file: Option<PathBuf>,
    /// Who logs in.
    pub user: Option<String>,
    /// With what.
    pub password: Option<Secret>,
    /// The same in a file.
    pub password_file: Option<PathBuf>,
    /// The sender.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// In the clear, port 25: for a server on this machine.
    None,
    /// In the clear until both sides have agreed on TLS, port 587; never without it.
    #[default]
    Starttls,
    /// TLS from the first byte, port 465.
    Tls,
}

/// `type = "command"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program and its arguments; no shell.
    pub argv: Vec<String>,
}

fn json() -> String {
    "application/json".to_owned()
}

impl Kind {
    /// Its name in the file.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Alertmanager(_) => "alertmanager",
            Self::Slack(_) => "slack",
            Self::Ntfy(_) => "ntfy",
            Self::Smtp(_) => "smtp",
            Self::Command(_) => "command",
        }
    }

    /// Where it leads, without what is secret.
    pub fn target(&self) -> String {
        match self {
            Self::Webhook(Webhook { url, .. }) | Self::Alertmanager(Alertmanager { url, .. }) => {
                url.to_string()
            }
            Self::Slack(slack) => slack.url.as_ref().map(ToString::to_string).unwrap_or_default(),
            Self::Ntfy(ntfy) => ntfy.url.to_string(),
            Self::Smtp(smtp) => format!("{} for {}", smtp.host, smtp.to.join(", ")),
            Self::Command(command) => command.argv.first().cloned().unwrap_or_default(),
        }
    }
}

impl Channel {
    /// The channel that one URL makes.
    pub fn shortcut(url: &Target) -> Self {
        let kind = Kind::Webhook(Webhook {
            url: url.clone(),
            template: None,
            template_file: None,
            content_type: json(),
            headers: BTreeMap::new(),
            token: None,
            token_file: None,
        });
        Common::default().with(SHORTCUT.to_owned(), kind)
    }

    /// Whether it hears of a service.
    pub fn hears_of(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|glob| glob.matches(service))
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.kind.target())?;
        if !self.quiet.is_empty() {
            write!(f, ", quiet {}", self.quiet)?;
        }
        match &self.fallback {
            Some(fallback) => write!(f, ", then {fallback} after {}", Span(self.fallback_after)),
            None => Ok(()),
        }
    }
}

/// What every type has.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Common {
    timeout: Option<Span>,
    services: Vec<String>,
    quiet: Quiet,
    fallback: Option<String>,
    fallback_after: Option<Span>,
}

/// The keys of [`Common`].
const COMMON: [&str; 5] = ["timeout", "services", "quiet", "fallback", "fallback_after"];

impl Common {
    fn with(self, name: String, kind: Kind) -> Channel {
        // A program has more to do than a POST.
        let usual = if matches!(kind, Kind::Command(_)) { 30 } else { 5 };
        Channel {
            name,
            kind,
            timeout: self.timeout.map_or(Duration::from_secs(usual), Duration::from),
            services: self.services.iter().map(|glob| Glob::new(glob)).collect(),
            quiet: self.quiet,
            fallback: self.fallback,
            fallback_after: self.fallback_after.map_or(Duration::from_secs(60), Duration::from),
        }
    }
}

impl<'de> Deserialize<'de> for Channel {
    /// The keys of every type are taken out first, so that what is left can be
    /// checked by the struct of its type, which knows no others.
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut own = toml::Table::deserialize(d)?;
        let name = match own.remove("name") {
            Some(toml::Value::String(name)) => name,
            _ => return Err(D::Error::custom("a [[channel]] needs a name = \"…\"")),
        };
        let failed =
            |error: toml::de::Error| D::Error::custom(format!("channel '{name}': {}", error.message()));
        let kind = match own.remove("type") {
            Some(toml::Value::String(kind)) => kind,
            _ => return Err(D::Error::custom(format!("channel '{name}': needs a type = \"…\""))),
        };
        let common: toml::Table = COMMON
            .iter()
            .filter_map(|key| own.remove(*key).map(|value| ((*key).to_owned(), value)))
            .collect();
        let common: Common = common.try_into().map_err(failed)?;
        let kind = match kind.as_str() {
            "webhook" => own.try_into().map(Kind::Webhook),
            "alertmanager" => own.try_into().map(Kind::Alertmanager),
            "slack" => own.try_into().map(Kind::Slack),
            "ntfy" => own.try_into().map(Kind::Ntfy),
            "smtp" => own.try_into().map(Kind::Smtp),
            "command" => own.try_into().map(Kind::Command),
            other => {
                let known = "webhook, alertmanager, slack, ntfy, smtp or command";
                return Err(D::Error::custom(format!("channel '{name}': type '{other}' is none of {known}")));
            }
        };
        kind.map_err(failed).map(|kind| common.with(name.clone(), kind))
    }
}

/// What is wrong with the channels as a whole, if anything is.
pub fn check(channels: &[Channel]) -> Result<(), String> {
    if channels.len() > CHANNELS_MAX {
        return Err(format!("there are {}; there may be {CHANNELS_MAX}", channels.len()));
    }
    for (at, channel) in channels.iter().enumerate() {
        let name = &channel.name;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if !(1..=NAME_MAX).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(format!("'{name}': a name is 1 to {NAME_MAX} of a-z, A-Z, 0-9, '-', '_' and '.'"));
        }
        if channels.iter().take(at).any(|before| before.name == *name) {
            return Err(format!("'{name}': there are two of this name"));
        }
        if channel.timeout.is_zero() || channel.timeout > TIMEOUT_MAX {
            return Err(format!("'{name}': timeout must be more than nothing and at most 1m"));
        }
        if let Some(fallback) = &channel.fallback {
            match channels.iter().find(|other| other.name == *fallback) {
                None => return Err(format!("'{name}': fallback: there is no channel '{fallback}'")),
                Some(other) if other.fallback.is_some() => {
                    return Err(format!("'{name}': fallback: '{fallback}' has a fallback of its own"));
                }
                Some(other) if !other.services.is_empty() => {
                    return Err(format!(
                        "'{name}': fallback: '{fallback}' may name no services: it gets whatever '{name}' could not deliver"
                    ));
                }
                Some(_) => {}
            }
        }
        check_kind(&channel.kind).map_err(|why| format!("'{name}': {why}"))?;
    }
    Ok(())
}

fn check_kind(kind: &Kind) -> Result<(), &'static str> {
    let both = |inline: bool, file: &Option<PathBuf>| inline && file.is_some();
    match kind {
        Kind::Webhook(Webhook { url, .. }) | Kind::Alertmanager(Alertmanager { url, .. })
            if url.is_empty() =>
        {
            Err("url: is empty")
        }
        Kind::Alertmanager(Alertmanager { labels, .. })
            if IDENTITY.iter().any(|own| labels.contains_key(*own)) =>
        {
            Err("labels: alertname, service, incident and source say which alert it is, and are given")
        }
        Kind::Webhook(hook) if both(hook.template.is_some(), &hook.template_file) => {
            Err("give template or template_file, not both")
        }
        Kind::Webhook(Webhook { token, token_file, .. })
        | Kind::Alertmanager(Alertmanager { token, token_file, .. })
        | Kind::Ntfy(Ntfy { token, token_file, .. })
            if both(token.is_some(), token_file) =>
        {
            Err("give token or token_file, not both")
        }
        Kind::Slack(slack) if slack.url.is_some() == slack.url_file.is_some() => {
            Err("give one of url and url_file")
        }
        Kind::Ntfy(ntfy) if ntfy.url.is_empty() || ntfy.topic.is_empty() => Err("needs a url and a topic"),
        Kind::Smtp(smtp) if smtp.to.is_empty() => Err("to: nobody is named"),
        Kind::Smtp(smtp) if both(smtp.password.is_some(), &smtp.password_file) => {
            Err("give password or password_file, not both")
        }
        Kind::Smtp(smtp)
            if smtp.user.is_some() != (smtp.password.is_some() || smtp.password_file.is_some()) =>
        {
            Err("user and password (or password_file) belong together")
        }
        Kind::Command(command) if command.argv.is_empty() => Err("argv: names no program"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
