//! What is kept of the past: read on the database's reading thread, tidied in
//! the background.

use super::core::Core;
use super::history::{self, At, AtError, Which};
use super::state::Entry;
use super::store;
use crate::runtime::database::DatabaseError;
use chrono::Utc;
use shared::wire::registry::HistoryEntry;
use std::sync::Arc;
use std::time::Duration;

/// The pauses between two times that the past is tidied: an eighth of the time
/// for which it is kept, within these.
const TIDY_MIN: Duration = Duration::from_millis(500);
const TIDY_MAX: Duration = Duration::from_secs(60);

impl Core {
    /// The entries of the history that are asked for.
    pub async fn history(&self, which: Which) -> Result<Vec<HistoryEntry>, DatabaseError<rusqlite::Error>> {
        let read = self.database().read(move |connection| history::entries(connection, &which));
        read.await
    }

    /// The registrations as they stood, and the revision of that state.
    pub async fn list_at(
        &self,
        service: Option<String>,
        at: At,
    ) -> Result<(u64, Vec<Arc<Entry>>), DatabaseError<AtError>> {
        let read = self.database().read(move |connection| history::state(connection, at, service.as_deref()));
        let (revision, registrations) = read.await?;
        let entries = registrations.into_iter().map(|registration| Arc::new(Entry::new(registration, 0)));
        Ok((revision, entries.collect()))
    }
}

/// Folds what is too old, for ever: in a quiet registry nothing else would.
pub async fn tidy(core: Arc<Core>) {
    let kept = core.config.kept;
    let eighth = Duration::from_millis(kept.age_ms.unsigned_abs() / 8);
    loop {
        tokio::time::sleep(eighth.clamp(TIDY_MIN, TIDY_MAX)).await;
        loop {
            let now_ms = Utc::now().timestamp_millis();
            let fold = core.database().write(move |connection| store::fold(connection, kept, now_ms));
            match fold.await {
                Ok(true) => {}
                Ok(false) | Err(DatabaseError::Busy | DatabaseError::Unavailable) => break,
                Err(DatabaseError::Operation(error)) => {
                    tracing::warn!("cannot tidy the history: {error}");
                    break;
                }
            }
        }
    }
}
