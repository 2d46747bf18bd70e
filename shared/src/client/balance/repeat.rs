//! Whether a call that failed may be made again: pure.

use reqwest::{Method, StatusCode};

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There was no connection, so that nothing was sent.
    NotSent,
    /// The connection broke, or the answer did not come in time: it may have
    /// been done or not.
    Unknown,
    /// It was answered that the instance failed at it, as another one would.
    Told,
}

/// The failure of the instance that an answer tells of, if it does.
pub fn failure(status: StatusCode) -> Option<Failure> {
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Some(Failure::Unknown)
        }
        status => status.is_server_error().then_some(Failure::Told),
    }
}

/// Whether doing it twice is as good as once: the method says so (RFC 9110,
/// 9.2.2), or the caller does by an `Idempotency-Key`.
pub fn is_safe(method: &Method, has_key: bool) -> bool {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PUT, Method::DELETE];
    has_key || safe.contains(method)
}

/// Whether a call that failed so may be made again.
pub fn may_repeat(failure: Failure, safe: bool) -> bool {
    match failure {
        Failure::NotSent => true,
        Failure::Unknown => safe,
        Failure::Told => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_done_is_repeated_only_where_twice_is_as_good_as_once() {
        for (method, safe) in [(Method::GET, true), (Method::DELETE, true), (Method::POST, false)] {
            assert!(may_repeat(Failure::NotSent, is_safe(&method, false)));
            assert_eq!(may_repeat(Failure::Unknown, is_safe(&method, false)), safe, "{method}");
            assert!(may_repeat(Failure::Unknown, is_safe(&method, true)));
            assert!(!may_repeat(Failure::Told, true));
        }
    }

    #[test]
    fn an_answer_tells_of_a_failure_of_the_instance_and_not_of_the_caller() {
        let failures = |codes: &[u16]| -> Vec<_> {
            codes.iter().map(|code| failure(StatusCode::from_u16(*code).unwrap())).collect()
        };
        assert_eq!(failures(&[502, 503, 504]), [Some(Failure::Unknown); 3]);
        assert_eq!(failures(&[500, 507]), [Some(Failure::Told); 2]);
        assert_eq!(failures(&[200, 304, 404, 429]), [None; 4]);
    }
}
