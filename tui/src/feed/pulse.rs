//! Whether the log is there while it is followed: a connection that is open and
//! quiet looks alike whether the log has nothing to tell or hangs.

use super::poll::ANSWER_MAX;
use crate::action::Action;
use crate::model::SourceName;
use shared::client::{LogClient, LogQuery};
use std::time::Duration;
use tokio::sync::mpsc;

/// The pause between two questions.
const EVERY: Duration = Duration::from_secs(5);
/// The pause while it hangs.
const RETRY: Duration = Duration::from_secs(2);

/// Asks for as long as somebody listens. Only a log that does not answer at all
/// is told: of one that refuses or is not there, whoever follows it knows.
pub(super) async fn run(client: LogClient, actions: mpsc::Sender<Action>) {
    let newest = LogQuery { limit: Some(1), ..LogQuery::default() };
    let mut hangs = false;
    loop {
        tokio::time::sleep(if hangs { RETRY } else { EVERY }).await;
        let action = match tokio::time::timeout(ANSWER_MAX, client.search(&newest)).await {
            Err(_) => {
                hangs = true;
                let cause = format!("no answer within {} s", ANSWER_MAX.as_secs());
                Action::Away { source: SourceName::Log, cause, retry_in: RETRY }
            }
            Ok(Ok(_)) if std::mem::take(&mut hangs) => Action::Heard(SourceName::Log),
            Ok(Ok(_)) => continue,
            Ok(Err(_)) => {
                hangs = false;
                continue;
            }
        };
        if actions.send(action).await.is_err() {
            return;
        }
    }
}
