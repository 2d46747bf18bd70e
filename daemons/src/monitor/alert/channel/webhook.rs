//! A webhook: the notification as JSON, or what a template makes of it.

use super::SendError;
use super::http::Post;
use super::template::Template;
use crate::settings::channel;
use shared::wire::alert::Notification;

pub struct Webhook {
    post: Post,
    template: Option<Template>,
}

impl Webhook {
    pub fn new(hook: &channel::Webhook, client: &reqwest::Client) -> Result<Self, String> {
        let post = Post::new(client, hook.url.reveal(), &hook.content_type)?
            .headers(&hook.headers)?
            .token(&hook.token, &hook.token_file)?;
        let source = match (&hook.template, &hook.template_file) {
            (Some(template), _) => Some(("template", template.clone())),
            (None, Some(path)) => Some(("template_file", super::read(path)?)),
            (None, None) => None,
        };
        let is_json = hook.content_type.contains("json");
        let template = source
            .map(|(key, source)| Template::new(&source, is_json).map_err(|error| format!("{key}: {error}")));
        Ok(Self { post, template: template.transpose()? })
    }

    pub async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let body = match &self.template {
            None => serde_json::to_string(notification).unwrap_or_default(),
            Some(template) => template.render(notification).map_err(SendError::Refused)?,
        };
        self.post.send(Some(&notification.key), body).await
    }
}
