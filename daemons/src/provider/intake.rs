//! Takes in what changes: each step of the mirror becomes a commit, and what
//! waits meanwhile goes into the next one together.

use super::copy::{Taken, take};
use super::desk::{Desk, STORE_RETRY};
use chrono::Utc;
use shared::client::{Mirror, Step, Steps};
use std::sync::Arc;

/// Steps in one commit.
const STEPS_MAX: usize = 256;

/// Takes in steps for as long as there is a mirror.
pub async fn run(desk: Arc<Desk>, mirror: Arc<Mirror>, mut steps: Steps) {
    let as_taken = |step| match step {
        Step::Change(place, change) => Taken::Change(place, change),
        // The fleet may be further than the step: what follows up to there is
        // known by its place.
        Step::Jump => Taken::Fleet(mirror.fleet()),
    };
    while let Some(step) = steps.next().await {
        let mut batch = vec![as_taken(step)];
        while batch.len() < STEPS_MAX
            && let Some(step) = steps.ready()
        {
            batch.push(as_taken(step));
        }
        let batch = Arc::new(batch);
        loop {
            let writing = Arc::clone(&batch);
            let write = desk.change(move |connection| {
                let effects = take(connection, &writing, Utc::now())?;
                Ok::<_, rusqlite::Error>(((), effects))
            });
            match write.await {
                Ok(()) => break,
                // Nothing is skipped: it is tried again, and the steps wait.
                Err(error) => tracing::warn!("cannot write down what changed, retrying: {error}"),
            }
            tokio::time::sleep(STORE_RETRY).await;
        }
    }
}
