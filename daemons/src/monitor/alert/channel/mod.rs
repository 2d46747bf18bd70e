//! The channels: each makes of a notification what its receiver takes, and
//! tells whether it was accepted.

mod alertmanager;
mod command;
mod http;
mod ntfy;
mod slack;
mod smtp;
mod template;
mod webhook;

#[cfg(fuzzing)]
pub use template::any_template;

use crate::settings::Channel;
use crate::settings::channel::Kind;
use shared::wire::alert::Notification;
use std::path::Path;
use std::time::Duration;

/// The longest error that is kept, in characters.
const ERROR_MAX: usize = 300;

/// Why a notification was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The receiver takes nothing now: the next one would fare no better.
    #[error("{0}")]
    Away(String),
    /// The receiver does not take this one.
    #[error("{0}")]
    Refused(String),
}

impl SendError {
    /// Whether it was this one that the receiver did not take.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// In words, not too many.
    pub fn words(&self) -> String {
        let (Self::Away(words) | Self::Refused(words)) = self;
        shared::sanitize::sanitize(words).chars().take(ERROR_MAX).collect()
    }
}

/// Why a channel cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("channel '{channel}': {reason}")]
pub struct SetupError {
    channel: String,
    reason: String,
}

/// A channel, ready to send.
pub struct Sender {
    /// Its name.
    pub name: String,
    timeout: Duration,
    way: Way,
}

enum Way {
    Webhook(webhook::Webhook),
    Alertmanager(alertmanager::Alertmanager),
    Slack(slack::Slack),
    Ntfy(ntfy::Ntfy),
    Smtp(Box<smtp::Smtp>),
    Command(command::Command),
}

impl Sender {
    /// Reads the files that the channel names and checks its template.
    ///
    /// # Errors
    /// When a file cannot be read, or the template, an address or a header is none.
    pub fn new(channel: &Channel, client: &reqwest::Client) -> Result<Self, SetupError> {
        let way = match &channel.kind {
            Kind::Webhook(hook) => webhook::Webhook::new(hook, client).map(Way::Webhook),
            Kind::Alertmanager(one) => alertmanager::Alertmanager::new(one, client).map(Way::Alertmanager),
            Kind::Slack(slack) => slack::Slack::new(slack, client).map(Way::Slack),
            Kind::Ntfy(ntfy) => ntfy::Ntfy::new(ntfy, client).map(Way::Ntfy),
            Kind::Smtp(smtp) => smtp::Smtp::new(smtp).map(Box::new).map(Way::Smtp),
            Kind::Command(command) => Ok(Way::Command(command::Command::new(command))),
        };
        let way = way.map_err(|reason| SetupError { channel: channel.name.clone(), reason })?;
        Ok(Self { name: channel.name.clone(), timeout: channel.timeout, way })
    }

    /// One attempt.
    ///
    /// # Errors
    /// When it was not accepted in time.
    pub async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let attempt = async {
            match &self.way {
                Way::Webhook(hook) => hook.send(notification).await,
                Way::Alertmanager(one) => one.send(std::slice::from_ref(notification)).await,
                Way::Slack(slack) => slack.send(notification).await,
                Way::Ntfy(ntfy) => ntfy.send(notification).await,
                Way::Smtp(smtp) => smtp.send(notification).await,
                Way::Command(command) => command.run(notification).await,
            }
        };
        self.in_time(attempt).await
    }

    /// Whether the receiver forgets what it is not told again.
    pub const fn forgets(&self) -> bool {
        matches!(self.way, Way::Alertmanager(_))
    }

    /// Tells of open incidents again.
    ///
    /// # Errors
    /// When that was not accepted in time.
    pub async fn tell_again(&self, open: &[Notification]) -> Result<(), SendError> {
        match &self.way {
            Way::Alertmanager(one) => self.in_time(one.send(open)).await,
            _ => Ok(()),
        }
    }

    async fn in_time(&self, attempt: impl Future<Output = Result<(), SendError>>) -> Result<(), SendError> {
        tokio::time::timeout(self.timeout, attempt).await.unwrap_or_else(|_| {
            Err(SendError::Away(format!("no answer within {}", shared::span::Span(self.timeout))))
        })
    }
}

/// A text in a file, without the line's end.
fn read(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
