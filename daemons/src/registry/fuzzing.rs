//! DNS messages and registrations for `daemons/fuzz`: no bytes make them panic,
//! and what is accepted keeps its bounds.

use super::dns;
use super::valid;
use crate::runtime::extract::parse_json;
use crate::runtime::probe::Spec;
use shared::wire::registry::Register;

/// A DNS message of a client. Its first byte says over which transport it came.
pub fn dns(bytes: &[u8]) {
    let Some((kind, message)) = bytes.split_first() else { return };
    dns::fuzzing::answer(message, kind & 1 == 0);
}

/// A registration as JSON.
pub fn registration(bytes: &[u8]) {
    let Ok(register) = parse_json::<Register>(bytes) else { return };
    if valid::check(&register).is_err() {
        return;
    }
    let probed = register.health_check_url.as_ref().unwrap_or(&register.service_url);
    assert!(Spec::parse(probed, &register.metadata).is_ok(), "accepted, and cannot be probed: {probed}");
    let json = serde_json::to_vec(&register).unwrap_or_default();
    assert!(parse_json::<Register>(&json).is_ok_and(|again| again == register), "changed on the way");
}

/// A probe: its URL in the first line, then `key=value` pairs of metadata.
pub fn probe(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let url = lines.next().unwrap_or_default();
    let pairs = lines.filter_map(|line| line.split_once('='));
    let metadata = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if let Err(fault) = Spec::parse(url, &metadata) {
        assert!(!fault.to_string().is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_to_some_end(bytes in any::<Vec<u8>>()) {
            dns(&bytes);
            registration(&bytes);
            probe(&bytes);
        }

        #[test]
        fn registrations_that_are_nearly_right_are_read_to_some_end(
            name in "\\PC{0,12}", url in "(http|HTTP|tcp|ftp)://[a-z0-9:.\\[\\]@]{0,12}",
            key in "distlog\\.(probe(\\.status|\\.body|\\.query)?|failures)", value in "\\PC{0,12}",
        ) {
            let mut register = Register { service_name: name, service_url: url.clone(), ..Register::default() };
            register.metadata.insert(key.clone(), value.clone());
            registration(&serde_json::to_vec(&register).unwrap());
            probe(format!("{url}\n{key}={value}").as_bytes());
        }
    }
}
