//! Whether a request may enter, decided from its head alone.
//!
//! | refusal | reason |
//! |---|---|
//! | 400 | no Host header, two, or one that is not `host[:port]` (RFC 9112, 3.2) |
//! | 403 | a page of another origin or site sent it |
//! | 421 | the host is not a name of this daemon: DNS rebinding |
//! | 431 | the head is larger than [`HEAD_MAX`] |
//! | 501 | a transfer coding other than `chunked` (RFC 9112, 6.1) |

use crate::runtime::error::ApiError;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use std::net::{IpAddr, Ipv6Addr};

/// The largest request head in bytes.
pub const HEAD_MAX: usize = 32 * 1024;

/// What pages of other sites may use: everything else refuses them.
#[derive(Debug, Clone, Copy, Default)]
pub struct CrossSite {
    /// Routes that a link of another site may open.
    pub pages: &'static [&'static str],
    /// Routes that a page of another site may show as an image.
    pub images: &'static [&'static str],
}

/// The rules of one daemon.
#[derive(Debug)]
pub struct Admission {
    hosts: Vec<String>,
    cross_site: CrossSite,
}

/// A host with its port, as the `Host` header and an origin name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// In lower case, IPv6 without brackets.
    pub host: String,
    /// None: the default port of the scheme.
    pub port: Option<u16>,
}

impl HostPort {
    /// Parses `host[:port]`; user information, an empty name with a port, and
    /// characters that are not part of a host are errors.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                (address, port)
            }
            None => {
                let (host, port) = text.find(':').map_or((text, ""), |at| text.split_at(at));
                let allowed = |c: u8| c.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&c);
                if !host.bytes().all(allowed) || (host.is_empty() && !port.is_empty()) {
                    return None;
                }
                (host, port)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            None => return None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
        };
        Some(Self { host: host.to_ascii_lowercase(), port })
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Whether an `Origin` header names the host that the request was sent to.
pub fn is_own_origin(origin: &str, host: &HostPort) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    HostPort::parse(authority).is_some_and(|origin| {
        origin.host == host.host && origin.port.unwrap_or(default_port) == host.port.unwrap_or(default_port)
    })
}

impl Admission {
    /// Rules for a daemon that is known under these names beside loopback.
    pub fn new(hosts: impl IntoIterator<Item = String>, cross_site: CrossSite) -> Self {
        let hosts = hosts.into_iter().map(|host| host.trim_matches(['[', ']']).to_ascii_lowercase());
        Self { hosts: hosts.collect(), cross_site }
    }

    /// Whether a browser may embed or cache answers of this route.
    pub fn is_public(&self, route: &str) -> bool {
        self.cross_site.pages.contains(&route) || self.cross_site.images.contains(&route)
    }

    /// Whether this request may enter.
    ///
    /// # Errors
    /// The refusal.
    pub fn check(
        &self,
        method: &Method,
        uri: &Uri,
        route: &str,
        headers: &HeaderMap,
    ) -> Result<(), ApiError> {
        if head_len(method, uri, headers) > HEAD_MAX {
            return Err(ApiError::new(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                format!("the request's head is larger than {HEAD_MAX} bytes"),
            ));
        }
        let host = self.host(uri, headers)?;
        if let Some(origin) = headers.get(header::ORIGIN)
            && !origin.to_str().is_ok_and(|origin| is_own_origin(origin, &host))
        {
            return Err(forbidden("a page of another origin may not call this daemon"));
        }
        self.check_site(method, route, headers)?;
        let codings = headers.get_all(header::TRANSFER_ENCODING);
        if codings.iter().any(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"))
            || codings.iter().nth(1).is_some()
        {
            return Err(ApiError::new(
                StatusCode::NOT_IMPLEMENTED,
                "the only transfer coding that is supported is 'chunked'; send a compressed body with \
                 content-encoding",
            ));
        }
        Ok(())
    }

    /// The host that the request is for, when it is this daemon's.
    fn host(&self, uri: &Uri, headers: &HeaderMap) -> Result<HostPort, ApiError> {
        let malformed = |detail: &str| ApiError::malformed(detail);
        let mut given = headers.get_all(header::HOST).iter();
        let header = given.next();
        if given.next().is_some() {
            return Err(malformed("the request has more than one Host header"));
        }
        // An absolute target has precedence over the header (RFC 9112, 3.2.2).
        let text = match (uri.authority(), header.map(HeaderValue::to_str)) {
            (Some(authority), _) => authority.as_str(),
            (None, Some(Ok(text))) => text,
            (None, Some(Err(_))) => return Err(malformed("the Host header is not ASCII")),
            (None, None) => return Err(malformed("the request has no Host header")),
        };
        let host = HostPort::parse(text).ok_or_else(|| {
            malformed("the Host header is not a host name or address with an optional port")
        })?;
        if host.is_loopback() || self.hosts.contains(&host.host) {
            Ok(host)
        } else {
            Err(ApiError::new(
                StatusCode::MISDIRECTED_REQUEST,
                "this daemon is not known under that host name; add it to general.allow_hosts if it should be",
            ))
        }
    }

    /// Browsers send fetch metadata with every request; other clients send none.
    fn check_site(&self, method: &Method, route: &str, headers: &HeaderMap) -> Result<(), ApiError> {
        let metadata = |name| headers.get(name).map(HeaderValue::as_bytes);
        if !matches!(metadata("sec-fetch-site"), Some(b"cross-site" | b"same-site")) {
            return Ok(());
        }
        let destination = metadata("sec-fetch-dest");
        let is_opened = metadata("sec-fetch-mode") == Some(b"navigate") && destination == Some(b"document");
        let may_open = is_opened && self.is_public(route);
        let may_show = destination == Some(b"image") && self.cross_site.images.contains(&route);
        if (may_open || may_show) && matches!(*method, Method::GET | Method::HEAD) {
            Ok(())
        } else {
            Err(forbidden("a page of another site may not call this daemon"))
        }
    }
}

fn forbidden(detail: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, detail)
}

/// The bytes of a head as HTTP/1.1 writes it.
fn head_len(method: &Method, uri: &Uri, headers: &HeaderMap) -> usize {
    let authority = uri.authority().map_or(0, |authority| "http://".len() + authority.as_str().len());
    let target = authority + uri.path().len() + uri.query().map_or(0, |query| 1 + query.len());
    let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    method.as_str().len() + target + "  HTTP/1.1\r\n\r\n".len() + fields.sum::<usize>()
}

#[cfg(any(test, fuzzing))]
pub mod any_head;
#[cfg(test)]
mod tests;
