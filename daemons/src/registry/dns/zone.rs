//! What the zone holds, and what is answered from it: pure.

use super::message::Question;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, AAAA, NS, SOA, SRV};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// For how many seconds an answer may be remembered: as long as it may take
/// until a client hears of a change.
pub const TTL: u32 = 5;
/// The `SOA` record's refresh, retry and expire, in seconds. There are no
/// secondaries; RFC 1912 recommends such values.
const REFRESH: i32 = 1_200;
const RETRY: i32 = 180;
const EXPIRE: i32 = 1_209_600;

/// An instance that may be picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its host, where that is a name.
    pub host: Option<Name>,
    /// The host's addresses.
    pub addresses: Vec<IpAddr>,
    /// Its port.
    pub port: u16,
    /// Its share of the picks beside that of others (RFC 2782).
    pub weight: u16,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The zone itself.
    Apex,
    /// Its name server.
    NameServer,
    /// A name between the zone and what is in it.
    Between,
    /// A service, in lower case.
    Service(String),
    /// The address that its first label writes.
    Address(IpAddr),
    /// Nothing of this zone.
    Nothing,
    /// Another zone's.
    Foreign,
}

/// An answer, but for the form of the message.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it went.
    pub code: ResponseCode,
    /// What was asked for.
    pub answers: Vec<Record>,
    /// The `SOA` record, where there is no answer.
    pub authorities: Vec<Record>,
    /// The addresses of the answers' targets.
    pub additionals: Vec<Record>,
}

impl Reply {
    /// No more than how it went.
    pub const fn bare(code: ResponseCode) -> Self {
        Self { code, answers: Vec::new(), authorities: Vec::new(), additionals: Vec::new() }
    }
}

/// The zone.
#[derive(Debug)]
pub struct Zone {
    domain: Name,
    name_server: Name,
}

impl Zone {
    /// The zone of a domain.
    pub fn new(mut domain: Name) -> Self {
        domain.set_fqdn(true);
        let domain = domain.to_lowercase();
        let name_server = domain.prepend_label("ns").unwrap_or_else(|_| domain.clone());
        Self { domain, name_server }
    }

    /// What a name stands for here.
    pub fn asked(&self, name: &Name) -> Asked {
        if !self.domain.zone_of(name) {
            return Asked::Foreign;
        }
        let own = usize::from(name.num_labels() - self.domain.num_labels());
        let labels: Vec<String> =
            name.iter().take(own).map(|label| String::from_utf8_lossy(label).to_lowercase()).collect();
        match labels.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => Asked::Apex,
            ["ns"] => Asked::NameServer,
            ["service" | "addr"] => Asked::Between,
            [hex, "addr"] => parse_address(hex).map_or(Asked::Nothing, Asked::Address),
            // The name of a service may itself have dots.
            [service @ .., "service"] => Asked::Service(service.join(".")),
            _ => Asked::Nothing,
        }
    }

    /// The answer. `found` are the instances of the service that is asked for,
    /// if there is such a service; `revision` becomes the zone's serial number.
    pub fn reply(
        &self,
        asked: &Asked,
        question: &Question,
        found: Option<&[Instance]>,
        revision: u64,
    ) -> Reply {
        let (name, kind) = (question.name(), question.kind());
        let mut reply = Reply::bare(ResponseCode::NoError);
        match (asked, found) {
            (Asked::Foreign, _) => return Reply::bare(ResponseCode::Refused),
            (Asked::Nothing, _) | (Asked::Service(_), None) => reply.code = ResponseCode::NXDomain,
            (Asked::Service(_), Some(instances)) => self.service(&mut reply, name, kind, instances),
            (Asked::Address(address), _) => reply.answers = records(name, kind, [*address]),
            (Asked::Apex, _) if kind == RecordType::SOA => reply.answers = vec![self.soa(revision)],
            (Asked::Apex, _) if kind == RecordType::NS => {
                let target = RData::NS(NS(self.name_server.clone()));
                reply.answers = vec![Record::from_rdata(name.clone(), TTL, target)];
            }
            (Asked::Apex | Asked::Between | Asked::NameServer, _) => {}
        }
        if reply.answers.is_empty() {
            reply.authorities = vec![self.soa(revision)];
        }
        reply
    }

    fn service(&self, reply: &mut Reply, name: &Name, kind: RecordType, instances: &[Instance]) {
        if kind != RecordType::SRV {
            let addresses = instances.iter().flat_map(|instance| instance.addresses.iter().copied());
            reply.answers = records(name, kind, addresses);
            return;
        }
        let mut told = BTreeSet::new();
        for instance in instances {
            let targets = match &instance.host {
                Some(host) => vec![(host.clone(), instance.addresses.as_slice())],
                None => instance
                    .addresses
                    .iter()
                    .filter_map(|address| Some((self.address_name(*address)?, std::slice::from_ref(address))))
                    .collect(),
            };
            for (target, addresses) in targets {
                let srv = SRV::new(1, instance.weight, instance.port, target.clone());
                reply.answers.push(Record::from_rdata(name.clone(), TTL, RData::SRV(srv)));
                if told.insert(target.clone()) {
                    reply.additionals.extend(records(&target, RecordType::ANY, addresses.iter().copied()));
                }
            }
        }
    }

    /// `7f000001.addr.<domain>` for 127.0.0.1.
    fn address_name(&self, address: IpAddr) -> Option<Name> {
        let hex = match address {
            IpAddr::V4(address) => format!("{:08x}", u32::from(address)),
            IpAddr::V6(address) => format!("{:032x}", u128::from(address)),
        };
        self.domain.prepend_label("addr").ok()?.prepend_label(hex).ok()
    }

    fn soa(&self, revision: u64) -> Record {
        // Serial numbers go round (RFC 1982).
        let serial = u32::try_from(revision % (1 << 32)).unwrap_or(0);
        let owner = self.domain.prepend_label("hostmaster").unwrap_or_else(|_| self.domain.clone());
        let soa = SOA::new(self.name_server.clone(), owner, serial, REFRESH, RETRY, EXPIRE, TTL);
        Record::from_rdata(self.domain.clone(), TTL, RData::SOA(soa))
    }
}

fn parse_address(hex: &str) -> Option<IpAddr> {
    match hex.len() {
        8 => u32::from_str_radix(hex, 16).ok().map(|bits| Ipv4Addr::from(bits).into()),
        32 => u128::from_str_radix(hex, 16).ok().map(|bits| Ipv6Addr::from(bits).into()),
        _ => None,
    }
}

/// The address records of a kind, each once. Whoever asks for any kind gets one
/// (RFC 8482): here both kinds of address.
fn records(name: &Name, kind: RecordType, addresses: impl IntoIterator<Item = IpAddr>) -> Vec<Record> {
    let mut told = BTreeSet::new();
    let wanted = |address: &IpAddr| match kind {
        RecordType::A => address.is_ipv4(),
        RecordType::AAAA => address.is_ipv6(),
        kind => kind == RecordType::ANY,
    };
    let data = |address| match address {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    };
    addresses
        .into_iter()
        .filter(wanted)
        .filter(|address| told.insert(*address))
        .map(|address| Record::from_rdata(name.clone(), TTL, data(address)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        Zone::new(Name::from_ascii("distlog").unwrap())
    }

    fn name(text: &str) -> Name {
        Name::from_utf8(text).unwrap()
    }

    fn instances() -> Vec<Instance> {
        vec![
            Instance { host: None, addresses: vec!["10.0.0.1".parse().unwrap()], port: 80, weight: 1 },
            Instance {
                host: Some(name("b.example.")),
                addresses: vec!["10.0.0.1".parse().unwrap(), "fe00::2".parse().unwrap()],
                port: 81,
                weight: 3,
            },
        ]
    }

    fn reply(text: &str, kind: RecordType, found: Option<&[Instance]>) -> (ResponseCode, Vec<String>) {
        let (zone, question) = (zone(), Question::new(name(text), kind));
        let reply = zone.reply(&zone.asked(question.name()), &question, found, 17);
        assert_eq!(
            reply.answers.is_empty() && reply.code != ResponseCode::Refused,
            !reply.authorities.is_empty()
        );
        (reply.code, reply.answers.iter().map(|record| record.data.to_string()).collect())
    }

    #[test]
    fn a_name_stands_for_one_thing_in_any_case() {
        let zone = zone();
        for (text, want) in [
            ("Web.Service.DISTLOG.", Asked::Service("web".to_owned())),
            ("a.b.service.distlog.", Asked::Service("a.b".to_owned())),
            ("distlog.", Asked::Apex),
            ("service.distlog.", Asked::Between),
            ("ns.distlog.", Asked::NameServer),
            ("0A000001.addr.distlog.", Asked::Address("10.0.0.1".parse().unwrap())),
            ("0a00001.addr.distlog.", Asked::Nothing),
            ("x.distlog.", Asked::Nothing),
            ("web.service.consul.", Asked::Foreign),
            (".", Asked::Foreign),
        ] {
            assert_eq!(zone.asked(&name(text)), want, "{text}");
        }
    }

    #[test]
    fn a_service_has_its_instances_addresses_each_once() {
        let some = instances();
        let ask = |kind| reply("web.service.distlog.", kind, Some(&some));
        assert_eq!(ask(RecordType::A), (ResponseCode::NoError, vec!["10.0.0.1".to_owned()]));
        assert_eq!(ask(RecordType::AAAA), (ResponseCode::NoError, vec!["fe00::2".to_owned()]));
        assert_eq!(
            ask(RecordType::SRV).1,
            ["1 1 80 0a000001.addr.distlog.", "1 3 81 b.example."],
            "priority, weight, port and target"
        );
    }

    #[test]
    fn what_nobody_has_does_not_exist_and_what_is_not_well_is_empty() {
        assert_eq!(reply("web.service.distlog.", RecordType::A, None), (ResponseCode::NXDomain, vec![]));
        assert_eq!(reply("web.service.distlog.", RecordType::A, Some(&[])), (ResponseCode::NoError, vec![]));
        assert_eq!(reply("web.service.distlog.", RecordType::TXT, Some(&instances())).1, [""; 0]);
        assert_eq!(reply("example.com.", RecordType::A, None), (ResponseCode::Refused, vec![]));
    }

    #[test]
    fn the_name_of_an_address_leads_back_to_it() {
        for text in ["10.1.2.3", "::1", "2001:db8::7"] {
            let (zone, address): (Zone, IpAddr) = (zone(), text.parse().unwrap());
            let name = zone.address_name(address).unwrap();
            assert_eq!(zone.asked(&name), Asked::Address(address));
        }
    }
}
