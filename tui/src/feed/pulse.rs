//! Whether the log is there while it is followed: a connection that is open and
//! quiet looks alike whether the log has nothing to tell or hangs.

use super::poll::ANSWER_MAX;
use crate::action::Action;
use crate::model::SourceName;
use shared::client::{LogClient, LogQuery};
use std::time::Duration;
use tokio::sync::mpsc;

/// The pause between two questions: what is shown of a log that went away was
/// true so long ago at most, and its age counts from there.
const EVERY: Duration = Duration::from_secs(2);

/// What came of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beat {
    Answered,
    Failed,
    Late,
}

/// Asks for as long as somebody listens.
pub(super) async fn run(client: LogClient, actions: mpsc::Sender<Action>) {
    let newest = LogQuery { limit: Some(1), ..LogQuery::default() };
    let mut hangs = false;
    loop {
        tokio::time::sleep(EVERY).await;
        let beat = match tokio::time::timeout(ANSWER_MAX, client.search_bytes(&newest)).await {
            Ok(Ok(_)) => Beat::Answered,
            Ok(Err(_)) => Beat::Failed,
            Err(_) => Beat::Late,
        };
        if let Some(action) = told(&mut hangs, beat)
            && actions.send(action).await.is_err()
        {
            return;
        }
    }
}

/// What one question tells. Of a log that refuses or is not there, whoever
/// follows it knows; that one hangs, or does no more, is told here.
fn told(hangs: &mut bool, beat: Beat) -> Option<Action> {
    let did_hang = std::mem::replace(hangs, beat == Beat::Late);
    match beat {
        Beat::Answered if did_hang => Some(Action::Heard(SourceName::Log)),
        Beat::Answered => Some(Action::Alive(SourceName::Log)),
        Beat::Failed => None,
        Beat::Late => {
            let cause = format!("no answer within {} s", ANSWER_MAX.as_secs());
            Some(Action::Away { source: SourceName::Log, cause, retry_in: EVERY })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_answers_is_alive_and_only_one_that_hung_is_back() {
        let mut hangs = false;
        let mut told = |beat| match told(&mut hangs, beat) {
            None => "nothing",
            Some(Action::Alive(_)) => "alive",
            Some(Action::Heard(_)) => "back",
            Some(Action::Away { .. }) => "away",
            Some(other) => panic!("{other:?}"),
        };
        for (beat, want) in [
            (Beat::Answered, "alive"),
            (Beat::Late, "away"),
            (Beat::Late, "away"),
            (Beat::Answered, "back"),
            (Beat::Answered, "alive"),
            (Beat::Failed, "nothing"),
            (Beat::Answered, "alive"),
        ] {
            assert_eq!(told(beat), want, "after {beat:?}");
        }
    }
}
