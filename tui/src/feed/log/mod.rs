//! The log, followed: over restarts of the daemon without a gap or a repeat.

mod decode;
mod page;

pub(super) use page::{beyond, next};

use super::{Followed, poll};
use crate::action::Action;
use crate::follow::{Pauses, Resume, resume};
use crate::model::{LogFeed, OpenAt, SourceName};
use decode::{Batch, DecodeError, Decoder};
use futures_util::{Stream as Chunks, StreamExt};
use shared::client::{ClientError, LogClient, LogQuery};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

/// For how long records that come one upon the other are gathered before they
/// are handed over: some thirty times a second, however many there are.
const GATHER: Duration = Duration::from_millis(25);
/// What is gathered is handed over once it has so many bytes.
const GATHERED_MAX: usize = 256 << 10;
/// After so long without a record the log is asked whether it is still there.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Follows what is wanted, until nobody wants or listens any more.
pub(super) async fn run(
    client: LogClient,
    feed: LogFeed,
    mut wanted: watch::Receiver<Followed>,
    impatient: Arc<Notify>,
    actions: mpsc::Sender<Action>,
) {
    loop {
        let followed = wanted.borrow_and_update().clone();
        tokio::select! {
            () = follow(&client, feed, followed, &impatient, &actions) => return,
            Ok(()) = wanted.changed() => {}
        }
    }
}

/// Follows one filter for ever; ends only when nobody listens any more.
async fn follow(
    client: &LogClient,
    feed: LogFeed,
    followed: Followed,
    impatient: &Notify,
    actions: &mpsc::Sender<Action>,
) {
    let mut tail = Tail { client, feed, followed, actions, after: None, heard: false };
    let mut pauses = Pauses::default();
    loop {
        let ended = tail.read().await;
        if std::mem::take(&mut tail.heard) {
            pauses.reset();
        }
        let retry_in = pauses.next();
        let away = match ended {
            Ok(()) if actions.is_closed() => return,
            Ok(()) => {
                let cause = "it closed the connection".to_owned();
                Action::Away { source: SourceName::Log, cause, retry_in }
            }
            Err(error) => poll::away(SourceName::Log, &error, retry_in),
        };
        // Both streams lose the same daemon: one of them says so.
        if feed == LogFeed::Lines && actions.send(away).await.is_err() {
            return;
        }
        // Whether the time is up or somebody is impatient: it is the next try.
        let _ = timeout(retry_in, impatient.notified()).await;
    }
}

/// One filter's tail, across connections.
struct Tail<'a> {
    client: &'a LogClient,
    feed: LogFeed,
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
        let newest = self.client.last_seq().await?;
        let listening = match resume(self.after, newest) {
            Resume::Begin => self.open(self.followed.at, newest).await?,
            Resume::Anew => self.open(OpenAt::Newest, newest).await?,
            Resume::After(_) => true,
        };
        if !listening {
            return Ok(());
        }
        let query = LogQuery { after: self.after, ..self.followed.filter.to_query() };
        let mut chunks = pin!(self.client.tail_bytes(&query).await?);
        // An open connection says that the log is there, even if it is quiet.
        if !self.hand_over(Batch::default()).await {
            return Ok(());
        }
        let mut decoder = Decoder::default();
        loop {
            let Ok(chunk) = timeout(SILENCE_MAX, chunks.next()).await else {
                // A quiet log sends nothing; one that hangs does not answer either.
                self.client.last_seq().await?;
                continue;
            };
            let Some(chunk) = chunk else { return Ok(()) };
            let mut batch = Batch::default();
            let gathered = match self.decode(&mut decoder, &chunk?, &mut batch) {
                Ok(()) => self.gather(&mut chunks, &mut decoder, &mut batch).await,
                Err(error) => Err(error),
            };
            if let Some(last) = batch.lines.last() {
                self.after = Some(last.seq);
            }
            let listening = self.hand_over(batch).await;
            gathered?;
            if !listening {
                return Ok(());
            }
        }
    }

    /// Opens the log at a place. False when nobody listens any more.
    async fn open(&mut self, at: OpenAt, newest: u64) -> Result<bool, ClientError> {
        let opened = page::open(self.client, &self.followed.filter, at).await?;
        let last = opened.lines.last().map_or(0, |line| line.seq);
        self.after = Some(if opened.newer { newest } else { last.max(newest) });
        let (feed, generation) = (self.feed, self.followed.generation);
        Ok(self.actions.send(Action::LogOpened { feed, generation, opened }).await.is_ok())
    }

    /// Takes what comes within a short time, so that a busy log is handed over
    /// in few large batches.
    async fn gather(
        &self,
        chunks: &mut (impl Chunks<Item = Result<bytes::Bytes, ClientError>> + Unpin),
        decoder: &mut Decoder,
        batch: &mut Batch,
    ) -> Result<(), ClientError> {
        let until = Instant::now() + GATHER;
        while batch.lines.bytes() < GATHERED_MAX {
            match timeout_at(until, chunks.next()).await {
                Ok(Some(chunk)) => self.decode(decoder, &chunk?, batch)?,
                // The next read says that it has ended.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(())
    }

    fn decode(&self, decoder: &mut Decoder, chunk: &[u8], batch: &mut Batch) -> Result<(), ClientError> {
        decoder.read(chunk, batch).map_err(|error| unexpected(self.client, &error))
    }

    /// False when nobody listens any more.
    async fn hand_over(&mut self, batch: Batch) -> bool {
        self.heard = true;
        let (feed, generation) = (self.feed, self.followed.generation);
        let Batch { lines, missed } = batch;
        self.actions.send(Action::LogArrived { feed, generation, lines, missed }).await.is_ok()
    }
}

fn unexpected(client: &LogClient, error: &DecodeError) -> ClientError {
    ClientError::Unexpected { url: client.base().to_owned(), cause: error.to_string() }
}
