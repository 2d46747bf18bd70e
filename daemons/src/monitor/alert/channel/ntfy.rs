//! A topic of ntfy, published as JSON.
//!
//! <https://docs.ntfy.sh/publish/#publish-as-json>

use super::super::message::cut;
use super::SendError;
use super::http::Post;
use crate::settings::channel;
use serde_json::{Value, json};
use shared::wire::alert::{Notification, NotificationKind};

/// The longest message that ntfy shows as one, in bytes; a longer one becomes a file.
const MESSAGE_MAX: usize = 4_000;
/// The longest title, in bytes.
const TITLE_MAX: usize = 250;

pub struct Ntfy {
    post: Post,
    topic: String,
}

impl Ntfy {
    pub fn new(ntfy: &channel::Ntfy, client: &reqwest::Client) -> Result<Self, String> {
        let post = Post::new(client, ntfy.url.reveal(), "application/json")?;
        Ok(Self { post: post.token(&ntfy.token, &ntfy.token_file)?, topic: ntfy.topic.clone() })
    }

    pub async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let body = payload(&self.topic, notification).to_string();
        self.post.send(Some(&notification.key), body).await
    }
}

fn payload(topic: &str, notification: &Notification) -> Value {
    let (priority, tag) = match notification.kind {
        NotificationKind::Opened => (5, "rotating_light"),
        NotificationKind::Resolved => (3, "white_check_mark"),
        NotificationKind::Test => (3, "wrench"),
    };
    let rest = notification.text.strip_prefix(&notification.title).unwrap_or(&notification.text);
    json!({
        "topic": topic,
        "title": cut(&notification.title, TITLE_MAX),
        "message": cut(rest.trim(), MESSAGE_MAX),
        "priority": priority,
        "tags": [tag, notification.service],
        "click": notification.url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_never_long_enough_to_become_a_file() {
        let kind = NotificationKind::Opened;
        let mut sample =
            super::super::super::sample("ops", kind, String::new(), chrono::DateTime::UNIX_EPOCH);
        sample.text = "书".repeat(3_000);
        let payload = payload("alerts", &sample);
        assert!(payload["message"].as_str().unwrap().len() <= MESSAGE_MAX);
        assert_eq!((&payload["topic"], &payload["priority"]), (&json!("alerts"), &json!(5)));
    }
}
