//! How much is logged, while that is seen: counted by the log itself.

use crate::action::Action;
use crate::model::Tab;
use shared::client::{LogClient, LogQuery};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The pause between two counts: a minute is the smallest part that is shown.
const EVERY: Duration = Duration::from_secs(10);
/// The pause after one that failed.
const RETRY: Duration = Duration::from_secs(2);
/// An answer that takes longer is none.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Counts for as long as somebody listens. That the log is away, its own feed
/// tells.
pub(super) async fn run(client: LogClient, mut shown: watch::Receiver<Tab>, actions: mpsc::Sender<Action>) {
    let query = LogQuery { since: Some("60m".to_owned()), ..LogQuery::default() };
    loop {
        // It fails only where nobody shows anything any more.
        if shown.wait_for(|tab| *tab == Tab::Overview).await.is_err() {
            return;
        }
        let counted = tokio::time::timeout(ANSWER_MAX, client.hits(&query, "1m", "level")).await;
        let pause = match counted {
            Ok(Ok(hits)) => {
                if actions.send(Action::Volume(hits)).await.is_err() {
                    return;
                }
                EVERY
            }
            _ => RETRY,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = actions.closed() => return,
        }
    }
}
