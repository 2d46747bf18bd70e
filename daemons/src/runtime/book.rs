//! What the monitor says of everyone, for the daemons that go by it.

use super::Context;
use shared::client::{KeptBook, MonitorClient};
use shared::daemon::Daemon;
use shared::span::age;
use std::sync::Arc;
use std::time::Instant;

/// Keeps the book in the background, and tells `/health` while the monitor is away.
pub fn keep(context: &Context) -> Arc<KeptBook> {
    let kept = Arc::new(KeptBook::default());
    let monitor = MonitorClient::new(context.peer(Daemon::Monitor), context.client.clone());
    let (book, board) = (Arc::clone(&kept), Arc::clone(&context.health));
    context.spawn(async move {
        let (mut last, began) = (None, Instant::now());
        let heard = |said| match said {
            Ok(()) => {
                last = Some(Instant::now());
                board.pass("monitor");
            }
            Err(error) => {
                let away = age(last.unwrap_or(began).elapsed());
                let then = if last.is_some() {
                    "what it said last is used"
                } else {
                    "every instance counts as healthy"
                };
                board.warn("monitor", format!("no word for {away}, {then}: {error}"));
            }
        };
        book.follow(&monitor, heard).await;
    });
    kept
}
