//! Where no probe may go, and no notice.
//!
//! Whoever registers says what is probed and where notices are posted, and the
//! daemon may stand where they do not: from there a cloud's metadata service gives out credentials to
//! whoever asks. Refused are link-local addresses (RFC 3927, RFC 4291), which
//! hold the metadata services of nearly all clouds, and those that have another:
//! `fd00:ec2::254` (AWS), `100.100.100.200` (Alibaba), `168.63.129.16` (Azure's
//! host); also written as IPv6 that stands for IPv4.

use super::Failure;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use shared::wire::monitor::Phase;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::lookup_host;

/// Why nothing is sent to a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name has no address.
    #[error("{0}")]
    Unresolved(String),
    /// No probe may go there.
    #[error("{0} is link-local or a cloud's metadata address: nothing is sent there")]
    Forbidden(IpAddr),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let phase = match refusal {
            Refusal::Unresolved(_) => Phase::Dns,
            Refusal::Forbidden(_) => Phase::Policy,
        };
        Self::new(phase, refusal)
    }
}

/// Whether no probe may go to an address.
pub fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_forbidden_v4(v4),
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
                || inside(v6).is_some_and(is_forbidden_v4)
        }
    }
}

fn is_forbidden_v4(address: Ipv4Addr) -> bool {
    address.is_link_local()
        || address == Ipv4Addr::new(100, 100, 100, 200)
        || address == Ipv4Addr::new(168, 63, 129, 16)
}

/// The IPv4 address that an IPv6 address stands for: mapped or compatible
/// (RFC 4291), translated (RFC 6052), 6to4 (RFC 3056).
fn inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Refuses a URL whose host is an address where no probe may go. A name is
/// looked at when it is resolved.
pub fn check(url: &Url) -> Result<(), Refusal> {
    let address = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
    match address {
        Some(address) if is_forbidden(address) => Err(Refusal::Forbidden(address)),
        _ => Ok(()),
    }
}

/// The addresses of a host where a probe may go.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
    let found = lookup_host((host, port)).await.map_err(|e| Refusal::Unresolved(e.to_string()))?;
    let (forbidden, allowed): (Vec<_>, Vec<_>) = found.partition(|address| is_forbidden(address.ip()));
    match forbidden.first() {
        _ if !allowed.is_empty() => Ok(allowed),
        Some(address) => Err(Refusal::Forbidden(address.ip())),
        None => Err(Refusal::Unresolved("the name has no address".to_owned())),
    }
}

/// Resolves names for the HTTP client, which connects to what it gets here and
/// nowhere else: a name that has other addresses a moment later changes nothing.
pub struct Guard;

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = resolve(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_and_metadata_addresses_are_refused_however_they_are_written() {
        for host in [
            "169.254.169.254",
            "169.254.0.1",
            "2852039166",
            "0xa9.0xfe.0xa9.0xfe",
            "0251.0376.0251.0376",
            "100.100.100.200",
            "168.63.129.16",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[::169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
        ] {
            let url = Url::parse(&format!("http://{host}/latest/meta-data")).unwrap();
            assert!(matches!(check(&url), Err(Refusal::Forbidden(_))), "{host}");
        }
        for host in ["127.0.0.1", "10.0.0.1", "[::1]", "[fd00::1]", "100.100.100.201", "example.org"] {
            assert_eq!(check(&Url::parse(&format!("http://{host}/")).unwrap()), Ok(()), "{host}");
        }
    }

    #[tokio::test]
    async fn an_address_is_looked_at_after_it_was_resolved() {
        let refusal = resolve("169.254.169.254", 80).await.unwrap_err();
        assert_eq!(Failure::from(refusal).phase, Phase::Policy);
        assert!(!resolve("localhost", 80).await.unwrap().is_empty());
    }
}
