//! Asking again and again.

use crate::action::Action;
use crate::follow::Pauses;
use crate::model::SourceName;
use shared::client::ClientError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// An answer that takes longer is none: what is shown would be stale.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(3);

/// One daemon that is polled.
pub(super) struct Poll {
    source: SourceName,
    every: Duration,
    /// Wakes it before its time.
    now: Arc<Notify>,
    actions: mpsc::Sender<Action>,
    pauses: Pauses,
}

impl Poll {
    pub(super) fn new(
        source: SourceName,
        every: Duration,
        now: Arc<Notify>,
        actions: mpsc::Sender<Action>,
    ) -> Self {
        Self { source, every, now, actions, pauses: Pauses::default() }
    }

    /// One turn: hands over what the call brings, or that the daemon is away,
    /// and pauses until the next. False when nobody listens any more.
    pub(super) async fn turn(&mut self, call: impl Future<Output = Result<Action, ClientError>>) -> bool {
        self.turn_every(self.every, call).await
    }

    /// As [`Self::turn`], with a pause of its own after an answer.
    pub(super) async fn turn_every(
        &mut self,
        every: Duration,
        call: impl Future<Output = Result<Action, ClientError>>,
    ) -> bool {
        let (action, pause) = match tokio::time::timeout(ANSWER_MAX, call).await {
            Ok(Ok(action)) => {
                self.pauses.reset();
                (action, every)
            }
            Ok(Err(error)) => {
                let retry_in = self.pauses.next();
                (away(self.source, &error, retry_in), retry_in)
            }
            Err(_) => {
                let (source, retry_in) = (self.source, self.every);
                let cause = format!("no answer within {} s", ANSWER_MAX.as_secs());
                (Action::Away { source, cause, retry_in }, retry_in)
            }
        };
        if self.actions.send(action).await.is_err() {
            return false;
        }
        // Whether the time is up or somebody is impatient: it is the next turn.
        let _ = tokio::time::timeout(pause, self.now.notified()).await;
        true
    }
}

/// Says that a daemon does not answer, with the cause alone: its name and its
/// URL are known to whoever reads it.
pub(super) fn away(source: SourceName, error: &ClientError, retry_in: Duration) -> Action {
    let cause = match error {
        ClientError::Unreachable { cause, .. } | ClientError::Unexpected { cause, .. } => cause.clone(),
        ClientError::Timeout { .. } => "no answer in time".to_owned(),
        ClientError::Refused(_) => error.to_string(),
    };
    Action::Away { source, cause, retry_in }
}
