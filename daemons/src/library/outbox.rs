//! Ships the outbox to the log: every record once, in order.
//!
//! One task sends one batch at a time. A batch has fixed bounds and a key made
//! of them, both on disk before it is sent ([`queue`](super::queue)); its rows
//! are deleted after the acknowledgement. So:
//!
//! * killed before the acknowledgement, or before the rows are deleted: the
//!   same batch is sent again under the same key, and the log, if it has it,
//!   stores nothing and gives its first answer. (It remembers at least 100,000
//!   keys: twice is possible only after so many other requests with keys.)
//! * the log is away: the batch is tried again, with growing pauses;
//! * the log refuses what is in the batch (400, 413, 415, 422): nothing of it
//!   was stored. The batch is halved until the record at fault stands alone;
//!   that one is set aside in the database, and the rest goes on;
//! * the log refuses for any other reason (it wants a login, something else
//!   answers at its address): that is nobody's record's fault, and records must
//!   not be thrown away for it. It is tried again until somebody repairs it.

use super::core::Library;
use super::queue::Batch;
use crate::runtime::health::Board;
use shared::client::{ClientError, LogClient, backoff};
use shared::span::age;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest pause between two tries to reach the log.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// The health check that tells how shipping does.
const PART: &str = "log";

/// What follows from the log's answer.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// The log has the batch.
    Acknowledge,
    /// It does not want what is in it.
    Refuse(String),
    /// Try the same again later.
    Retry(String),
}

fn decide<T>(answer: Result<T, ClientError>) -> Next {
    match answer {
        Ok(_) => Next::Acknowledge,
        Err(error) if matches!(error.status(), Some(400 | 413 | 415 | 422)) => {
            Next::Refuse(error.to_string())
        }
        Err(error) => Next::Retry(error.to_string()),
    }
}

/// Ships for ever.
pub async fn run(library: Arc<Library>, log: LogClient, health: Arc<Board>) {
    let mut shipper = Shipper { library, log, health, set_aside: 0 };
    let mut pauses = backoff(RETRY_MAX);
    let mut away_since: Option<Instant> = None;
    loop {
        match shipper.ship().await {
            Ok(more) => {
                if let Some(since) = away_since.take() {
                    tracing::info!("the log is back after {}", age(since.elapsed()));
                }
                pauses = backoff(RETRY_MAX);
                shipper.report_well();
                if !more {
                    shipper.library.wait_for_records().await;
                }
            }
            Err(why) => {
                let since = *away_since.get_or_insert_with(|| {
                    tracing::warn!("records wait for the log: {why}");
                    Instant::now()
                });
                let waiting = shipper.library.waiting();
                let away = age(since.elapsed());
                shipper
                    .health
                    .warn(PART, format!("the log has taken no records for {away}, {waiting} waiting: {why}"));
                tokio::time::sleep(pauses.next().unwrap_or(RETRY_MAX)).await;
            }
        }
    }
}

struct Shipper {
    library: Arc<Library>,
    log: LogClient,
    health: Arc<Board>,
    /// Records that the log would not take since the daemon started.
    set_aside: u64,
}

impl Shipper {
    /// Ships one batch; whether there was one. Otherwise why it has to wait.
    async fn ship(&mut self) -> Result<bool, String> {
        let Some(batch) = self.library.batch().await? else { return Ok(false) };
        let key = batch.key(self.library.id());
        match decide(self.log.append(&batch.records, Some(&key)).await) {
            Next::Acknowledge => self.library.acknowledge(batch).await?,
            Next::Refuse(reason) => self.refuse(batch, reason).await?,
            Next::Retry(why) => return Err(why),
        }
        Ok(true)
    }

    async fn refuse(&mut self, batch: Batch, reason: String) -> Result<(), String> {
        if let [record] = batch.records.as_slice() {
            tracing::error!(reason, message = record.message, "the log refuses a record; it is set aside");
            self.set_aside += 1;
        } else {
            tracing::warn!(reason, records = batch.len(), "the log refuses a batch; it is halved");
        }
        self.library.refuse(batch, reason).await
    }

    /// What was set aside stays a warning until the daemon is started again.
    fn report_well(&self) {
        match self.set_aside {
            0 => self.health.pass(PART),
            count => self.health.warn(
                PART,
                format!("{count} records were refused by the log and are set aside in library.db"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::wire::problem::Problem;

    fn refused(status: u16) -> Next {
        decide::<()>(Err(ClientError::Refused(Box::new(Problem {
            kind: "about:blank".to_owned(),
            title: "refused".to_owned(),
            status,
            detail: String::new(),
            field: None,
            position: None,
        }))))
    }

    #[test]
    fn only_a_refusal_of_the_records_themselves_sets_them_aside() {
        assert_eq!(decide(Ok(())), Next::Acknowledge);
        for status in [400, 413, 415, 422] {
            assert_eq!(refused(status), Next::Refuse("refused".to_owned()), "{status}");
        }
        for status in [401, 403, 404, 405, 408, 409, 421, 429, 500, 503, 507] {
            assert_eq!(refused(status), Next::Retry("refused".to_owned()), "{status}");
        }
    }
}
