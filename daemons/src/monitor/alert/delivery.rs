//! One channel's notifications, one after the other.

use super::channel::{SendError, Sender};
use super::measure::Measures;
use super::message::compose;
use super::outbox;
use super::queue::{self, Next, Waiting};
use super::records::Records;
use crate::monitor::core::Core;
use crate::runtime::database::DatabaseError;
use crate::settings::Channel;
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;
use shared::client::LogClient;
use shared::wire::alert::{DeliveryState, Notification};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause after a write or a read that failed.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// The longest time without a look: the clock may have been set.
const LOOK_MAX: Duration = Duration::from_secs(30);
/// How often a receiver that forgets is told again.
const AGAIN: Duration = Duration::from_secs(60);
/// The same when that did not work.
const AGAIN_RETRY: Duration = Duration::from_secs(10);

/// The delivery of one channel.
pub struct Delivery {
    /// Where the outbox is.
    pub core: Arc<Core>,
    /// The channel.
    pub sender: Arc<Sender>,
    /// Who gets what this one could not deliver, and after which time.
    pub fallback: Option<(Channel, Duration)>,
    /// For evidence.
    pub log: LogClient,
    /// What it told, for all channels.
    pub records: Arc<Records>,
    /// What is measured.
    pub measures: Measures,
}

impl Delivery {
    /// Delivers for ever.
    pub async fn run(self) {
        let mut news = self.core.desk().listen();
        let mut again_at = Instant::now();
        loop {
            // Whatever is written after this line wakes it again.
            news.borrow_and_update();
            if self.sender.forgets() && again_at <= Instant::now() {
                again_at = Instant::now() + if self.tell_again().await { AGAIN } else { AGAIN_RETRY };
            }
            let Some(pause) = self.step().await else { continue };
            let again_in = if self.sender.forgets() { again_at - Instant::now() } else { LOOK_MAX };
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(pause.min(again_in)) => {}
            }
        }
    }

    /// Does what is next; how long there is nothing after it.
    async fn step(&self) -> Option<Duration> {
        let (name, now) = (self.sender.name.clone(), Utc::now());
        let waiting = match self.core.database().read(move |c| outbox::waiting(c, &name, now)).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(channel = self.sender.name, "cannot read what is to be sent: {error}");
                return Some(STORE_RETRY);
            }
        };
        let mut look_at = now + LOOK_MAX;
        if let Some((fallback, after)) = &self.fallback {
            let (overdue, next) = queue::overdue(&waiting, *after, now);
            if !overdue.is_empty() {
                self.hand_on(overdue, fallback.clone()).await;
                return None;
            }
            look_at = next.map_or(look_at, |next| look_at.min(next));
        }
        match queue::next(&waiting, now) {
            Next::Send(id) => {
                if let Some(one) = waiting.iter().find(|one| one.id == id) {
                    self.send(one).await;
                }
                None
            }
            Next::GiveUp(id) => {
                self.give_up(id, None).await;
                None
            }
            Next::Wait(until) => {
                let until = until.map_or(look_at, |until| look_at.min(until));
                Some(until_then(now, until))
            }
        }
    }

    async fn hand_on(&self, overdue: Vec<u64>, to: Channel) {
        tracing::warn!(
            channel = self.sender.name,
            "{} notifications could not be delivered in time; {} gets them",
            overdue.len(),
            to.name
        );
        self.write(move |c| outbox::hand_on(c, &overdue, &to, Utc::now())).await;
        self.core.desk().tell();
    }

    /// One attempt, and what follows from it.
    async fn send(&self, one: &Waiting) {
        let (id, due_at) = (one.id, one.due_at);
        let read = self.core.database().read(move |c| outbox::get(c, id)).await;
        let (mut notification, prepared) = match read {
            Ok(Some(found)) => found,
            Ok(None) => return,
            // It must not hold up the others for ever.
            Err(DatabaseError::Operation(error)) => {
                return self.give_up(id, Some(format!("it cannot be read: {error}"))).await;
            }
            Err(error) => {
                tracing::warn!(channel = self.sender.name, "cannot read what is to be sent: {error}");
                return tokio::time::sleep(STORE_RETRY).await;
            }
        };
        if !prepared {
            self.prepare(id, &mut notification).await;
        }
        match self.sender.send(&notification).await {
            Ok(()) => {
                self.measures.attempted(&self.sender.name, "delivered");
                let now = Utc::now();
                self.measures.delivered(now - due_at);
                tracing::info!(channel = self.sender.name, key = notification.key, "{}", notification.title);
                self.write(move |c| outbox::delivered(c, id, now)).await;
            }
            Err(error) => self.note_failure(id, one.attempts, &error).await,
        }
    }

    async fn give_up(&self, id: u64, why: Option<String>) {
        let said = why.as_deref().unwrap_or("it was tried for a day");
        tracing::error!(channel = self.sender.name, "a notification is given up: {said}");
        self.measures.attempted(&self.sender.name, "given_up");
        let settle =
            move |c: &Connection| outbox::settle(c, id, DeliveryState::GivenUp, why.as_deref(), Utc::now());
        self.write(settle).await;
    }

    /// Completes the evidence and writes it down, so that every attempt says the
    /// same. If it cannot be written a page is sent all the same.
    async fn prepare(&self, id: u64, notification: &mut Notification) {
        self.records.add(notification, &self.log).await;
        compose(notification);
        let written = notification.clone();
        let write = move |c: &Connection| outbox::prepare(c, id, &written);
        if let Err(error) = self.core.database().write(write).await {
            tracing::warn!(channel = self.sender.name, "cannot write down the evidence: {error}");
        }
    }

    async fn note_failure(&self, id: u64, attempts: u32, error: &SendError) {
        let refused = error.is_refusal();
        self.measures.attempted(&self.sender.name, if refused { "refused" } else { "failed" });
        let words = error.words();
        if attempts == 0 {
            tracing::warn!(channel = self.sender.name, "notification not accepted, retrying: {words}");
        }
        let now = Utc::now();
        let pause = queue::pause(attempts.saturating_add(1), fastrand::f64());
        let next_at = now + TimeDelta::from_std(pause).unwrap_or_default();
        self.write(move |c| outbox::failed(c, id, &words, refused, (now, next_at))).await;
    }

    /// Tells a receiver that forgets of what is open; whether it was told.
    async fn tell_again(&self) -> bool {
        let name = self.sender.name.clone();
        let open = match self.core.database().read(move |c| outbox::open_alerts(c, &name)).await {
            Ok(open) => open,
            Err(error) => {
                tracing::warn!(channel = self.sender.name, "cannot read what is open: {error}");
                return false;
            }
        };
        if open.is_empty() {
            return true;
        }
        let told = self.sender.tell_again(&open).await;
        if let Err(error) = &told {
            tracing::warn!(channel = self.sender.name, "cannot tell again what is open: {}", error.words());
        }
        told.is_ok()
    }

    /// Writes, trying until it is on disk: what follows must not come before it.
    async fn write(&self, operation: impl Fn(&Connection) -> rusqlite::Result<()> + Clone + Send + 'static) {
        while let Err(error) = self.core.database().write(operation.clone()).await {
            tracing::warn!(
                channel = self.sender.name,
                "cannot write how a delivery stands, retrying: {error}"
            );
            tokio::time::sleep(STORE_RETRY).await;
        }
    }
}

fn until_then(now: DateTime<Utc>, then: DateTime<Utc>) -> Duration {
    // A moment more, for the clock that is read then has milliseconds.
    (then - now).to_std().unwrap_or_default() + Duration::from_millis(1)
}
