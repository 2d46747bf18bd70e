//! A mail. Its Message-ID is made of the key, so that a mail that is sent again
//! can be told by it; the one that says that it is over answers the first.

use super::SendError;
use crate::settings::channel::{self, SmtpTls};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use shared::client::root_cause;
use shared::wire::alert::{Notification, NotificationKind};

pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Smtp {
    pub fn new(smtp: &channel::Smtp) -> Result<Self, String> {
        let mailbox = |key: &str, text: &str| {
            text.parse::<Mailbox>().map_err(|e| format!("{key}: '{text}' is no mail address: {e}"))
        };
        let parameters = || {
            let mut tls = TlsParameters::builder(smtp.host.clone());
            if let Some(path) = &smtp.ca_file {
                let pem = super::read(path)?;
                let authority = Certificate::from_pem(pem.as_bytes())
                    .map_err(|e| format!("ca_file: {}: {e}", path.display()))?;
                tls = tls.add_root_certificate(authority);
            }
            tls.build().map_err(|e| format!("tls: {e}"))
        };
        let (usual, tls) = match smtp.tls {
            SmtpTls::None => (25, Tls::None),
            SmtpTls::Starttls => (587, Tls::Required(parameters()?)),
            SmtpTls::Tls => (465, Tls::Wrapper(parameters()?)),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port.unwrap_or(usual))
            .tls(tls);
        if let Some(user) = &smtp.user {
            let password = match (&smtp.password, &smtp.password_file) {
                (Some(password), _) => password.reveal().to_owned(),
                (None, Some(path)) => super::read(path)?,
                (None, None) => String::new(),
            };
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            transport: builder.build(),
            from: mailbox("from", &smtp.from)?,
            to: smtp.to.iter().map(|to| mailbox("to", to)).collect::<Result<_, _>>()?,
        })
    }

    pub async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let message = self.message(notification).map_err(|e| SendError::Refused(e.to_string()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(SendError::Refused(words(&error))),
            Err(error) => Err(SendError::Away(words(&error))),
        }
    }

    fn message(&self, notification: &Notification) -> Result<Message, lettre::error::Error> {
        let domain = self.from.email.domain();
        let id = |key: &str| format!("<{key}@{domain}>");
        let mut message = Message::builder()
            .message_id(Some(id(&notification.key)))
            .date(notification.at.into())
            .from(self.from.clone())
            .subject(format!("[distlog] {}", notification.title));
        for to in &self.to {
            message = message.to(to.clone());
        }
        if notification.kind == NotificationKind::Resolved {
            let first = notification.key.replace("-resolved-", "-opened-");
            message = message.in_reply_to(id(&first)).references(id(&first));
        }
        message.header(ContentType::TEXT_PLAIN).body(notification.text.clone())
    }
}

fn words(error: &lettre::transport::smtp::Error) -> String {
    let (whole, root) = (error.to_string(), root_cause(error));
    if whole.contains(&root) { whole } else { format!("{whole}: {root}") }
}
