//! An incoming webhook of Slack, or of what understands the same: Mattermost,
//! Rocket.Chat, Discord with `/slack`.
//!
//! <https://docs.slack.dev/messaging/formatting-message-text#escaping>

use super::super::message::cut;
use super::SendError;
use super::http::Post;
use crate::settings::channel;
use serde_json::{Value, json};
use shared::wire::alert::{Notification, NotificationKind};

/// The longest text in a message, in bytes; a longer one Slack would cut.
const TEXT_MAX: usize = 3_500;

pub struct Slack(Post);

impl Slack {
    pub fn new(slack: &channel::Slack, client: &reqwest::Client) -> Result<Self, String> {
        let url = match (&slack.url, &slack.url_file) {
            (Some(url), _) => url.reveal().to_owned(),
            (None, Some(path)) => super::read(path)?,
            (None, None) => String::new(),
        };
        let url: crate::settings::Target = url.trim().parse().map_err(|why| format!("url: {why}"))?;
        Post::new(client, url.reveal(), "application/json").map(Self)
    }

    pub async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        self.0.send(Some(&notification.key), payload(notification).to_string()).await
    }
}

fn payload(notification: &Notification) -> Value {
    let sign = match notification.kind {
        NotificationKind::Opened => ":red_circle:",
        NotificationKind::Resolved => ":large_green_circle:",
        NotificationKind::Test => ":white_circle:",
    };
    let rest = notification.text.strip_prefix(&notification.title).unwrap_or(&notification.text);
    let (title, rest) = (escape(&notification.title), escape(&cut(rest, TEXT_MAX)));
    // Preformatted, so that nothing in a log record is taken for markup.
    json!({ "text": format!("{sign} *{title}*\n```{}```", rest.trim().replace("```", "'''")) })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_taken_for_markup() {
        let kind = NotificationKind::Opened;
        let mut sample =
            super::super::super::sample("ops", kind, String::new(), chrono::DateTime::UNIX_EPOCH);
        sample.title = "<!channel> & co".to_owned();
        sample.text = format!("{}\n```<b>", sample.title);
        assert_eq!(payload(&sample)["text"], ":red_circle: *&lt;!channel&gt; &amp; co*\n```'''&lt;b&gt;```");
    }
}
