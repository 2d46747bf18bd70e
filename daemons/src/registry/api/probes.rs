//! Probes on request: at most one a second for each registration, however many
//! clients ask; later callers share the result of the first.

use crate::runtime::probe::{Outcome, Prober, SetupError, Spec};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a probe on request may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long the result of a probe is shared, from its start.
const FRESH: Duration = Duration::from_secs(1);
/// Probes at a time for all requests.
const CONCURRENT_MAX: usize = 128;

/// A probe under way, or its outcome.
pub type Probing = Shared<BoxFuture<'static, Outcome>>;

/// The probes of the last second.
#[derive(Clone)]
pub struct Probes {
    prober: Prober,
    permits: Arc<Semaphore>,
    recent: Arc<Mutex<Recent>>,
}

/// By the registration's revision, which no other registration has.
struct Recent {
    probes: HashMap<u64, (Instant, Probing)>,
    pruned_at: Instant,
}

impl Probes {
    /// # Errors
    /// When a client cannot be set up.
    pub fn new() -> Result<Self, SetupError> {
        let recent = Recent { probes: HashMap::new(), pruned_at: Instant::now() };
        Ok(Self {
            prober: Prober::new()?,
            permits: Arc::new(Semaphore::new(CONCURRENT_MAX)),
            recent: Arc::new(Mutex::new(recent)),
        })
    }

    /// Probes the registration of `revision`, or joins the probe of the last second.
    pub fn probe(&self, revision: u64, spec: Spec) -> Probing {
        let now = Instant::now();
        let is_fresh = |began: Instant| now.duration_since(began) < FRESH;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_fresh(recent.pruned_at) {
            recent.probes.retain(|_, (began, _)| is_fresh(*began));
            recent.pruned_at = now;
        }
        if let Some((_, probing)) = recent.probes.get(&revision).filter(|(began, _)| is_fresh(*began)) {
            return probing.clone();
        }
        let (prober, permits) = (self.prober.clone(), Arc::clone(&self.permits));
        let probe = async move {
            // The semaphore is never closed: without a permit the daemon is stopping.
            let _permit = permits.acquire_owned().await;
            prober.probe(&spec, TIMEOUT).await
        };
        let probing = probe.boxed().shared();
        recent.probes.insert(revision, (now, probing.clone()));
        probing
    }
}
