//! What `daemons/fuzz` tries with any bytes: what enters has a host that is this
//! daemon's and an origin that is the same.

use super::{Admission, CrossSite, HostPort, is_own_origin};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};

/// The first line is the Host header, the second one the Origin, the third one the
/// transfer coding; a line that is missing is no header.
pub fn any_head(bytes: &[u8]) {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in [header::HOST, header::ORIGIN, header::TRANSFER_ENCODING] {
        if let Some(value) = lines.next().and_then(|line| HeaderValue::from_bytes(line).ok()) {
            headers.insert(name, value);
        }
    }
    let admission = Admission::new([], CrossSite::default());
    if admission.check(&Method::GET, &Uri::from_static("/"), "/", &headers).is_err() {
        return;
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST).and_then(HostPort::parse);
    assert!(host.as_ref().is_some_and(HostPort::is_loopback), "{host:?}");
    let is_own = |origin| host.as_ref().is_some_and(|host| is_own_origin(origin, host));
    assert!(!headers.contains_key(header::ORIGIN) || text(header::ORIGIN).is_some_and(is_own));
    assert!(
        text(header::TRANSFER_ENCODING).is_none_or(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
    );
}
