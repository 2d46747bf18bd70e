//! What `/metrics` tells: in the text format of Prometheus, or as OpenMetrics to
//! whoever asks for that.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use axum::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A form of the exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Form {
    /// The form for an `Accept` header.
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A daemon's metrics; every name begins with `distlog_`.
pub struct Metrics(Mutex<Registry>);

impl Default for Metrics {
    fn default() -> Self {
        Self(Mutex::new(Registry::with_prefix("distlog")))
    }
}

impl Metrics {
    /// Lets a part register what it measures.
    pub fn register(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// All of them as text.
    pub fn exposition(&self, form: Form) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &self.0.lock().unwrap_or_else(PoisonError::into_inner));
        match form {
            Form::OpenMetrics => text,
            Form::Prometheus => to_prometheus(&text),
        }
    }
}

/// OpenMetrics names a counter without the `_total` of its samples, tells units
/// and ends with a mark; Prometheus' own format does none of that.
fn to_prometheus(text: &str) -> String {
    let counters: HashSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut plain = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let described = line.strip_prefix("# ").and_then(|rest| {
            let (word, rest) = rest.split_once(' ')?;
            let (name, rest) = rest.split_once(' ')?;
            counters.contains(name).then_some((word, name, rest))
        });
        // Writing into a String does not fail.
        let _ = match described {
            Some((word, name, rest)) => writeln!(plain, "# {word} {name}_total {rest}"),
            None => writeln!(plain, "{line}"),
        };
    }
    plain
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Requests and how long they took.
pub struct Http {
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram>,
}

impl Http {
    /// Registers them.
    pub fn register(metrics: &Metrics) -> Self {
        let requests = Family::<Answered, Counter>::default();
        // 100 µs to 52 s, each bucket thrice the one before.
        let seconds = Family::<Route, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.000_1, 3.0, 13))
        });
        metrics.register(|registry| {
            registry.register("http_requests", "Requests answered", requests.clone());
            registry.register(
                "http_request_duration_seconds",
                "Time to the head of the answer",
                seconds.clone(),
            );
        });
        Self { requests, seconds }
    }

    /// Counts one request. The method of a stranger's making is not a label.
    pub fn observe(&self, method: &Method, route: &str, status: u16, elapsed: Duration) {
        let method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            _ => "other",
        };
        let answered = Answered { method, route: route.to_owned(), status };
        self.requests.get_or_create(&answered).inc();
        self.seconds.get_or_create(&Route { route: answered.route }).observe(elapsed.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_tell_the_same() {
        let metrics = Metrics::default();
        let (counter, histogram) = (Counter::<u64>::default(), Histogram::new([1.0]));
        counter.inc();
        metrics.register(|registry| {
            registry.register("doors", "Doors opened", counter.clone());
            registry.register("wait_seconds", "Time at the door", histogram);
        });
        let open =
            metrics.exposition(Form::accepted("application/openmetrics-text;version=1.0.0,text/plain"));
        assert!(open.contains("# TYPE distlog_doors counter\ndistlog_doors_total 1\n"), "{open}");
        assert!(open.ends_with("# EOF\n"));
        let plain = metrics.exposition(Form::accepted("*/*"));
        let counter = "# HELP distlog_doors_total Doors opened.\n# TYPE distlog_doors_total counter\ndistlog_doors_total 1\n";
        assert!(plain.starts_with(counter), "{plain}");
        assert!(
            plain.contains("# TYPE distlog_wait_seconds histogram\n") && !plain.contains("EOF"),
            "{plain}"
        );
    }
}
