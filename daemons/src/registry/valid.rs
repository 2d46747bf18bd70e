//! What a registration may hold. Every bound has its reason: names stand in
//! URLs, tables and log lines; lists are copied to every watcher.

use crate::runtime::probe::Spec;
use reqwest::Url;
use shared::sanitize::is_hazard;
use shared::wire::registry::Register;

const NAME_MAX: usize = 255;
const ID_MAX: usize = 512;
const URL_MAX: usize = 2048;
const LIST_MAX: usize = 64;
const WORD_MAX: usize = 255;
const VALUE_MAX: usize = 4096;
/// Bytes of all lists together: every registration is held in memory, kept in
/// the history and copied to every watcher.
const LISTS_LEN_MAX: usize = 16 * 1024;
const TTL_MAX: u32 = 24 * 60 * 60;

/// Names that are paths of the registry or the provider themselves.
const RESERVED: [&str; 6] = ["tag", "watch", "history", "guard", "graph", "subscriptions"];

/// A field that cannot have the value that it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// Which field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

fn refuse<T>(field: &'static str, reason: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid { field, reason: reason.into() })
}

/// Checks every field.
pub fn check(register: &Register) -> Result<(), Invalid> {
    let strings = register.tags.iter().chain(&register.required_services);
    let pairs = register.metadata.iter().map(|(key, value)| key.len() + value.len());
    let len = strings.map(String::len).sum::<usize>() + pairs.sum::<usize>();
    if len > LISTS_LEN_MAX {
        return refuse(
            "metadata",
            format!("with tags and requirements is longer than {LISTS_LEN_MAX} bytes"),
        );
    }
    let name = register.service_name.as_str();
    word("serviceName", name, NAME_MAX)?;
    if RESERVED.contains(&name) {
        return refuse(
            "serviceName",
            format!("'{name}' is a path of the registry or the provider and cannot be a service"),
        );
    }
    url("serviceUrl", &register.service_url, &["http", "https", "tcp"])?;
    if let Some(id) = &register.instance_id {
        word("instanceId", id, ID_MAX)?;
    }
    if let Some(version) = &register.service_version {
        word("serviceVersion", version, WORD_MAX)?;
    }
    words("tags", &register.tags)?;
    words("requiredServices", &register.required_services)?;
    if register.metadata.len() > LIST_MAX {
        return refuse("metadata", format!("has more than {LIST_MAX} entries"));
    }
    for (key, value) in &register.metadata {
        word("metadata", key, WORD_MAX)?;
        if value.len() > VALUE_MAX {
            return refuse("metadata", format!("a value is longer than {VALUE_MAX} bytes"));
        }
    }
    if let Some(probe) = &register.health_check_url {
        url("healthCheckUrl", probe, &["http", "https", "tcp", "tls", "dns"])?;
    }
    // How it is to be probed is the monitor's business, but whoever registers
    // should hear at once that it makes no sense.
    let probed = register.health_check_url.as_ref().unwrap_or(&register.service_url);
    if let Err(fault) = Spec::parse(probed, &register.metadata) {
        return refuse("metadata", fault.to_string());
    }
    if let Some(update) = &register.service_update_url {
        url("serviceUpdateUrl", update, &["http", "https"])?;
    }
    match register.ttl_seconds {
        Some(ttl) if !(1..=TTL_MAX).contains(&ttl) => {
            refuse("ttlSeconds", format!("must be from 1 to {TTL_MAX}"))
        }
        _ => Ok(()),
    }
}

fn words(field: &'static str, words: &[String]) -> Result<(), Invalid> {
    if words.len() > LIST_MAX {
        return refuse(field, format!("has more than {LIST_MAX} entries"));
    }
    words.iter().try_for_each(|text| word(field, text, WORD_MAX))
}

fn word(field: &'static str, text: &str, max: usize) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        refuse(field, "must not be empty")
    } else if text.len() > max {
        refuse(field, format!("is longer than {max} bytes"))
    } else if matches!(text, "." | "..") {
        refuse(field, "a name of dots has no place in a path")
    } else if text.chars().any(is_hazard) {
        refuse(field, "has a control character or one that is not visible")
    } else {
        Ok(())
    }
}

fn url(field: &'static str, text: &str, schemes: &[&str]) -> Result<(), Invalid> {
    let wanted = || format!("must be a URL such as {}://host:port", schemes.first().unwrap_or(&"http"));
    if text.len() > URL_MAX {
        return refuse(field, format!("is longer than {URL_MAX} bytes"));
    }
    // The parser drops tabs and line feeds; here they are no part of a URL.
    if text.chars().any(|c| is_hazard(c) || c.is_whitespace()) {
        return refuse(field, wanted());
    }
    match Url::parse(text) {
        Ok(url) if !schemes.contains(&url.scheme()) => {
            refuse(field, format!("{}; one of {schemes:?}", wanted()))
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => refuse(field, wanted()),
        Ok(url) if url.port_or_known_default().is_none() => {
            refuse(field, format!("{}: it has no port", wanted()))
        }
        Ok(_) => Ok(()),
        Err(error) => refuse(field, format!("{}: {error}", wanted())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(change: impl FnOnce(&mut Register)) -> Option<&'static str> {
        let mut register = Register {
            service_name: "目录/one two".to_owned(),
            service_url: "http://localhost:1".to_owned(),
            ..Register::default()
        };
        change(&mut register);
        check(&register).err().map(|invalid| invalid.field)
    }

    #[test]
    fn a_name_may_have_slashes_spaces_and_any_script() {
        assert_eq!(fault(|_| {}), None);
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(fault(|r| r.service_name = "x".repeat(10_000)), Some("serviceName"));
        assert_eq!(fault(|r| r.service_name = "a\u{202e}b".to_owned()), Some("serviceName"));
        assert_eq!(fault(|r| r.service_name = "watch".to_owned()), Some("serviceName"));
        assert_eq!(fault(|r| r.service_url = "not a url".to_owned()), Some("serviceUrl"));
        assert_eq!(fault(|r| r.service_url = "ftp://host".to_owned()), Some("serviceUrl"));
        assert_eq!(fault(|r| r.service_url = "tcp://host".to_owned()), Some("serviceUrl"));
        assert_eq!(fault(|r| r.health_check_url = Some("/health".to_owned())), Some("healthCheckUrl"));
        assert_eq!(fault(|r| r.ttl_seconds = Some(0)), Some("ttlSeconds"));
        let probe =
            |key: &str, value: &str| fault(|r| drop(r.metadata.insert(key.to_owned(), value.to_owned())));
        assert_eq!(probe("distlog.probe.status", "200-299"), None);
        assert_eq!(probe("distlog.probe.status", "fine"), Some("metadata"));
        assert_eq!(probe("distlog.prob", "http"), None, "not ours");
        assert_eq!(fault(|r| r.tags = vec![String::new()]), Some("tags"));
        assert_eq!(fault(|r| r.tags = vec!["t".to_owned(); 65]), Some("tags"));
    }
}
