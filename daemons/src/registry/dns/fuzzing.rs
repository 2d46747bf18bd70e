//! A client's message, answered from a zone of two instances.

use super::message;
use super::zone::{Asked, Instance, Zone};
use hickory_proto::op::Message;
use hickory_proto::rr::Name;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Answers a message. The answer can be read, and a datagram has at most the
/// size that the client takes.
pub fn answer(bytes: &[u8], is_datagram: bool) {
    let question = match message::read(bytes) {
        Ok(question) => question,
        Err(refusal) => {
            let is_read = refusal.is_none_or(|refusal| Message::from_vec(&refusal).is_ok());
            return assert!(is_read, "the refusal of {bytes:?} cannot be read");
        }
    };
    let zone = Zone::new(Name::from_utf8("distlog").unwrap_or_default());
    let asked = zone.asked(question.name());
    let instances = [
        Instance {
            host: Some(question.name().clone()),
            addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            port: 4000,
            weight: 1,
        },
        Instance {
            host: None,
            addresses: vec![IpAddr::V4(Ipv4Addr::BROADCAST); 60],
            port: 1,
            weight: u16::MAX,
        },
    ];
    let found = matches!(asked, Asked::Service(_)).then_some(instances.as_slice());
    let reply = zone.reply(&asked, &question, found, u64::MAX);
    let max = if is_datagram { question.datagram_max() } else { u16::MAX };
    if let Some(answer) = message::write(&question, reply, max) {
        assert!(answer.len() <= usize::from(max), "{} bytes, {max} at most", answer.len());
        assert!(Message::from_vec(&answer).is_ok(), "the answer to {bytes:?} cannot be read");
    }
}
