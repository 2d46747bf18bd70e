//! The log, followed: over restarts of the daemon without a gap or a repeat.

use super::{Followed, RETRY_MAX, poll, query};
use crate::action::Action;
use crate::model::{SourceName, Stream};
use futures_util::StreamExt;
use shared::client::{ClientError, LogClient, LogQuery, TailEvent, backoff};
use std::pin::pin;
use tokio::sync::{mpsc, watch};

/// How many of the newest records are shown at first.
const NEWEST: u32 = 500;
/// How many records are handed over at once while the log is busy.
const BATCH_MAX: usize = 512;

/// Follows what is wanted, until nobody wants or listens any more.
pub(super) async fn run(
    client: LogClient,
    stream: Stream,
    mut wanted: watch::Receiver<Followed>,
    actions: mpsc::Sender<Action>,
) {
    loop {
        let followed = wanted.borrow_and_update().clone();
        tokio::select! {
            () = follow(&client, stream, followed, &actions) => return,
            Ok(()) = wanted.changed() => {}
        }
    }
}

/// Follows one filter for ever; ends only when nobody listens any more.
async fn follow(client: &LogClient, stream: Stream, followed: Followed, actions: &mpsc::Sender<Action>) {
    let mut tail = Tail { client, stream, followed, actions, after: None, heard: false };
    let mut pauses = backoff(RETRY_MAX);
    loop {
        let ended = tail.read().await;
        if std::mem::take(&mut tail.heard) {
            pauses = backoff(RETRY_MAX);
        }
        let retry_in = pauses.next().unwrap_or(RETRY_MAX);
        let away = match ended {
            Ok(()) if actions.is_closed() => return,
            Ok(()) => {
                let cause = "it closed the connection".to_owned();
                Action::Away { source: SourceName::Log, cause, retry_in }
            }
            Err(error) => poll::away(SourceName::Log, &error, retry_in),
        };
        // Both streams lose the same daemon: one of them says so.
        if stream == Stream::Lines && actions.send(away).await.is_err() {
            return;
        }
        tokio::time::sleep(retry_in).await;
    }
}

/// One filter's tail, across connections.
struct Tail<'a> {
    client: &'a LogClient,
    stream: Stream,
    followed: Followed,
    actions: &'a mpsc::Sender<Action>,
    /// The last record that was handed over; none before the first connection.
    after: Option<u64>,
    /// Whether this connection has told anything.
    heard: bool,
}

impl Tail<'_> {
    /// Reads one connection to its end.
    async fn read(&mut self) -> Result<(), ClientError> {
        // A log whose newest record is older than what was seen has begun anew.
        let limit = |limit| LogQuery { limit: Some(limit), ..LogQuery::default() };
        let newest = self.client.search(&limit(1)).await?.records.first().map_or(0, |record| record.seq);
        if self.after.is_none_or(|after| newest < after) {
            let query = LogQuery { limit: Some(NEWEST), ..query(&self.followed.filter) };
            let page = self.client.search(&query).await?;
            self.after = Some(page.records.first().map_or(newest, |record| record.seq.max(newest)));
            let (stream, generation) = (self.stream, self.followed.generation);
            if self.actions.send(Action::LogOpened { stream, generation, page }).await.is_err() {
                return Ok(());
            }
        }
        let query = LogQuery { after: self.after, ..query(&self.followed.filter) };
        let events = self.client.tail(&query).await?;
        let mut batches = pin!(events.ready_chunks(BATCH_MAX));
        // An open connection says that the log is there, even if it is quiet.
        if !self.hand_over(Vec::new(), 0).await {
            return Ok(());
        }
        while let Some(batch) = batches.next().await {
            let mut records = Vec::with_capacity(batch.len());
            let mut missed = 0;
            let mut broken = None;
            for event in batch {
                match event {
                    Ok(TailEvent::Record(record)) => records.push(*record),
                    Ok(TailEvent::Lagged(count)) => missed += count,
                    Err(error) => broken = Some(error),
                }
            }
            if let Some(last) = records.last() {
                self.after = Some(last.seq);
            }
            let listening = self.hand_over(records, missed).await;
            if let Some(error) = broken {
                return Err(error);
            }
            if !listening {
                return Ok(());
            }
        }
        Ok(())
    }

    /// False when nobody listens any more.
    async fn hand_over(&mut self, records: Vec<shared::wire::log::Record>, missed: u64) -> bool {
        self.heard = true;
        let (stream, generation) = (self.stream, self.followed.generation);
        self.actions.send(Action::LogArrived { stream, generation, records, missed }).await.is_ok()
    }
}
