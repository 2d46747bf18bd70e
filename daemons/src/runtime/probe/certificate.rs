//! When a certificate ends.

use super::{Failure, Passed};
use shared::span::age;
use shared::wire::monitor::Phase;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// What a certificate's end says: it has ended, it is worth a warning, or it is
/// far away.
pub fn judge(der: &[u8], warn: Duration, now: SystemTime) -> Passed {
    let certificate = Certificate::from_der(der)
        .map_err(|e| Failure::new(Phase::Tls, format!("its certificate cannot be read: {e}")))?;
    let validity = certificate.tbs_certificate.validity;
    let end = validity.not_after.to_date_time();
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let Some(left) = validity.not_after.to_unix_duration().checked_sub(now) else {
        return Err(Failure::new(Phase::Tls, format!("its certificate ended at {end}")));
    };
    if validity.not_before.to_unix_duration() > now {
        let begin = validity.not_before.to_date_time();
        return Err(Failure::new(Phase::Tls, format!("its certificate begins at {begin}")));
    }
    Ok((left <= warn).then(|| format!("its certificate ends in {}, at {end}", age(left))))
}
