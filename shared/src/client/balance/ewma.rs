//! Latency as it is felt: a mean that forgets, and that believes bad news at once.
//!
//! A peak EWMA: a sample above the mean takes its place, one below it draws it
//! down by as much as the time since the last one weighs. So an instance that
//! gets slow is avoided with the first slow answer, and comes back by degrees.
//! (After the load metric of that name in Twitter's Finagle.)

use std::time::Duration;

/// A mean latency in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeakEwma {
    mean_ms: f64,
}

impl PeakEwma {
    /// After the first sample.
    pub fn new(sample_ms: f64) -> Self {
        Self { mean_ms: sample_ms }
    }

    /// One more sample, so long after the last one. In each `decay`, what was
    /// before loses 63% of its weight.
    pub fn observe(&mut self, sample_ms: f64, since: Duration, decay: Duration) {
        self.mean_ms = if sample_ms >= self.mean_ms {
            sample_ms
        } else {
            let kept = kept(since, decay);
            self.mean_ms * kept + sample_ms * (1.0 - kept)
        };
    }

    /// The mean in milliseconds.
    pub const fn mean_ms(&self) -> f64 {
        self.mean_ms
    }

    /// What is left of it so long after the last sample: one of whom nothing is
    /// heard is tried again some time.
    pub fn faded_ms(&self, since: Duration, decay: Duration) -> f64 {
        self.mean_ms * kept(since, decay)
    }
}

fn kept(since: Duration, decay: Duration) -> f64 {
    (-since.as_secs_f64() / decay.as_secs_f64().max(f64::MIN_POSITIVE)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECAY: Duration = Duration::from_secs(10);

    #[test]
    fn bad_news_is_believed_at_once_and_good_news_by_and_by() {
        let mut ewma = PeakEwma::new(10.0);
        ewma.observe(200.0, Duration::from_secs(1), DECAY);
        assert_eq!(ewma.mean_ms(), 200.0);
        ewma.observe(10.0, Duration::from_secs(1), DECAY);
        assert!((180.0..185.0).contains(&ewma.mean_ms()), "{ewma:?}");
        ewma.observe(10.0, Duration::from_secs(100), DECAY);
        assert!((10.0..10.1).contains(&ewma.mean_ms()), "{ewma:?}");
    }

    #[test]
    fn one_of_whom_nothing_is_heard_fades() {
        let ewma = PeakEwma::new(100.0);
        assert_eq!(ewma.faded_ms(Duration::ZERO, DECAY), 100.0);
        let later = ewma.faded_ms(DECAY, DECAY);
        assert!((36.0..37.0).contains(&later), "{later}");
    }
}
