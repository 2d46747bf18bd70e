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

/// Why records wait, and whose fault it is.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    /// The log is away, or takes nothing now.
    Log(String),
    /// The library's own store cannot be used.
    Store(String),
}

impl Trouble {
    /// In words, with for how long it has lasted and how many records wait.
    fn tell(&self, lasted: &str, waiting: i64) -> String {
        match self {
            Self::Log(why) => {
                format!("the log has taken no records for {lasted}, {waiting} waiting: {why}")
            }
            Self::Store(why) => format!(
                "nothing was shipped for {lasted}, {waiting} waiting: the library's own database: {why}"
            ),
        }
    }
}

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
    let mut stuck_since: Option<Instant> = None;
    loop {
        match shipper.ship().await {
            Ok(more) => {
                if let Some(since) = stuck_since.take() {
                    tracing::info!("records are shipped again after {}", age(since.elapsed()));
                }
                pauses = backoff(RETRY_MAX);
                shipper.report_well();
                if !more {
                    shipper.library.wait_for_records().await;
                }
            }
            Err(trouble) => {
                let is_new = stuck_since.is_none();
                let since = *stuck_since.get_or_insert_with(Instant::now);
                let words = trouble.tell(&age(since.elapsed()), shipper.library.waiting());
                if is_new {
                    tracing::warn!("records wait: {words}");
                }
                shipper.health.warn(PART, words);
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
    async fn ship(&mut self) -> Result<bool, Trouble> {
        let Some(batch) = self.library.batch().await.map_err(Trouble::Store)? else { return Ok(false) };
        let key = batch.key(self.library.id());
        match decide(self.log.append(&batch.records, Some(&key)).await) {
            Next::Acknowledge => self.library.acknowledge(batch).await.map_err(Trouble::Store)?,
            Next::Refuse(reason) => self.refuse(batch, reason).await.map_err(Trouble::Store)?,
            Next::Retry(why) => return Err(Trouble::Log(why)),
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
    fn the_one_that_is_at_fault_is_named() {
        let log = Trouble::Log("refused".to_owned()).tell("3m", 7);
        assert_eq!(log, "the log has taken no records for 3m, 7 waiting: refused");
        let store = Trouble::Store("disk full".to_owned()).tell("3m", 7);
        assert!(
            store.ends_with("the library's own database: disk full") && !store.contains("log"),
            "{store}"
        );
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
