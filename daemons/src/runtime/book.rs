//! What the monitor says of everyone, kept for when it is away.

use super::Context;
use shared::client::{Book, MonitorClient};
use shared::daemon::Daemon;
use shared::span::age;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How often the monitor is asked.
const ASK: Duration = Duration::from_secs(2);

/// The book, kept up to date in the background.
#[derive(Debug, Default)]
pub struct Health(RwLock<Arc<Book>>);

impl Health {
    /// The book as it is now.
    pub fn book(&self) -> Arc<Book> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the monitor for ever, and tells `/health` while it is away.
    pub fn keep(context: &Context) -> Arc<Self> {
        let health = Arc::new(Self::default());
        let monitor = MonitorClient::new(context.peer(Daemon::Monitor), context.client.clone());
        let (kept, board) = (Arc::clone(&health), Arc::clone(&context.health));
        context.spawn(async move {
            let mut heard = None;
            let began = Instant::now();
            loop {
                match monitor.health().await {
                    Ok(said) => {
                        let book = Arc::new(kept.book().after(said));
                        *kept.0.write().unwrap_or_else(PoisonError::into_inner) = book;
                        heard = Some(Instant::now());
                        board.pass("monitor");
                    }
                    Err(error) => {
                        let away = age(heard.unwrap_or(began).elapsed());
                        let then = if heard.is_some() {
                            "what it said last is used"
                        } else {
                            "every instance counts as healthy"
                        };
                        board.warn("monitor", format!("no word for {away}, {then}: {error}"));
                    }
                }
                tokio::time::sleep(ASK).await;
            }
        });
        health
    }
}
