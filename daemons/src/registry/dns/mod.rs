//! The registry as DNS, for programs that know nothing of it.
//!
//! * `<service>.service.<domain>` has an `A` or `AAAA` record for each address
//!   of an instance that may be picked, and an `SRV` record for each instance,
//!   whose target is its host, or `<address in hexadecimal>.addr.<domain>` where
//!   its URL names none. Names match in any case, as DNS names do.
//! * What may be picked is the monitor's word ([`KeptBook`]): neither unhealthy
//!   nor taken out of use by its operator. While the monitor has never been
//!   heard, everything that is registered. Whoever weighs nothing (`weight` in
//!   its metadata) is not told of.
//! * Answers are authoritative, shuffled, and live for [`zone::TTL`] seconds. A
//!   name that nobody has is `NXDOMAIN`, one that has no such record is empty;
//!   both carry the `SOA` record, so that they are not remembered for longer.
//!   Anything outside the domain is refused: this is no resolver.
//! * An answer that does not fit into a datagram is cut and marked, and the
//!   client asks again over TCP (RFC 1035, 4.2; RFC 6891 for larger ones).
//!
//! [`listen`] takes bytes from sockets → [`message`] makes them a question →
//! [`hosts`] finds the addresses of host names → [`zone`] answers, purely.

mod fit;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hosts;
mod listen;
mod message;
mod zone;

pub use fit::unfit;

use super::core::Core;
use super::state::Entry;
use crate::runtime::book;
use crate::runtime::{Context, StartError};
use hickory_proto::rr::Name;
use hosts::Hosts;
use shared::client::KeptBook;
use shared::client::balance::weight;
use std::sync::Arc;
use zone::{Asked, Instance, Zone};

/// Instances that one answer tells of: with their addresses they fit into 64 KiB.
const INSTANCES_MAX: usize = 500;

/// What a question came by.
#[derive(Debug, Clone, Copy)]
enum Transport {
    /// UDP: an answer is one datagram.
    Datagram,
    /// TCP.
    Connection,
}

/// What answers.
struct Responder {
    zone: Zone,
    core: Arc<Core>,
    health: Arc<KeptBook>,
    hosts: Hosts,
}

/// Answers DNS at the configured addresses, if there are any.
///
/// # Errors
/// When an address cannot be used.
pub fn spawn(context: &Context, core: &Arc<Core>) -> Result<(), StartError> {
    let settings = &context.settings.registry;
    if settings.dns.0.is_empty() {
        return Ok(());
    }
    let domain = Name::from_utf8(&settings.dns_domain)
        .map_err(|e| StartError::Other(format!("registry.dns_domain: '{}': {e}", settings.dns_domain)))?;
    let responder = Arc::new(Responder {
        zone: Zone::new(domain),
        core: Arc::clone(core),
        health: book::keep(context),
        hosts: Hosts::default(),
    });
    listen::spawn(context, &responder)
}

/// Whether a service has this name, which is in lower case.
fn is_named(service: &str, name: &str) -> bool {
    service.chars().flat_map(char::to_lowercase).eq(name.chars())
}

impl Responder {
    /// The answer to a message; none to what does not even have a header, or is
    /// itself an answer.
    async fn answer(&self, bytes: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let question = match message::read(bytes) {
            Ok(question) => question,
            Err(refusal) => return refusal,
        };
        let asked = self.zone.asked(question.name());
        let found = match &asked {
            Asked::Service(name) => self.find(name).await,
            _ => None,
        };
        let revision = self.core.view().state.revision;
        let reply = self.zone.reply(&asked, &question, found.as_deref(), revision);
        let max = match transport {
            Transport::Datagram => question.datagram_max(),
            Transport::Connection => u16::MAX,
        };
        message::write(&question, reply, max)
    }

    /// The instances of a service that may be picked; none when there is no such
    /// service.
    async fn find(&self, name: &str) -> Option<Vec<Instance>> {
        let mut entries: Vec<Arc<Entry>> = {
            let view = self.core.view();
            let named = view.state.services().filter(|(service, _)| is_named(service, name));
            named.flat_map(|(_, entries)| entries.values()).cloned().collect()
        };
        if entries.is_empty() {
            return None;
        }
        let book = self.health.book();
        entries.retain(|entry| {
            let r = &entry.registration;
            book.is_healthy(&r.service_name, &r.instance_id) && weight(r) > 0.0
        });
        fastrand::shuffle(&mut entries);
        entries.truncate(INSTANCES_MAX);
        Some(self.hosts.locate(entries.iter().map(|entry| &entry.registration)).await)
    }
}
