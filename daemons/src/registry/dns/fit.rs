//! Which service names the DNS interface cannot serve.

/// The longest label, in bytes (RFC 1035).
const LABEL_MAX: usize = 63;
/// The longest name, in bytes as text without the final dot.
const NAME_MAX: usize = 253;

/// Why ordinary resolvers cannot look up `<service>.service.<domain>`; none when
/// they can. Labels are letters, digits and hyphens (RFC 1123).
pub fn unfit(service: &str, domain: &str) -> Option<String> {
    let fault = service.split('.').find_map(|label| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if label.is_empty() {
            Some("an empty label between dots".to_owned())
        } else if let Some(other) = label.chars().find(|c| !is_letter(*c)) {
            Some(format!("the character '{other}'"))
        } else if label.len() > LABEL_MAX {
            Some(format!("a label of {} bytes (at most {LABEL_MAX})", label.len()))
        } else if label.starts_with('-') || label.ends_with('-') {
            Some("a hyphen at the edge of a label".to_owned())
        } else {
            None
        }
    });
    let len = service.len() + ".service.".len() + domain.trim_end_matches('.').len();
    let fault = fault.or_else(|| (len > NAME_MAX).then(|| format!("{len} bytes (at most {NAME_MAX})")))?;
    Some(format!("serviceName: DNS cannot look it up as {service}.service.{domain}: it has {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_resolvers_take_are_fit_and_others_are_named_with_the_fault() {
        for name in ["LogService", "a.b", "x1-y", &"a".repeat(63)] {
            assert_eq!(unfit(name, "distlog"), None, "{name}");
        }
        for (name, fault) in [
            ("two words", "the character ' '"),
            ("under_score", "the character '_'"),
            ("目录", "the character '目'"),
            ("-a", "a hyphen at the edge"),
            ("a..b", "an empty label"),
            (&"a".repeat(64), "64 bytes (at most 63)"),
            (&["a".repeat(60).as_str(); 4].join("."), "at most 253"),
        ] {
            let told = unfit(name, "distlog").unwrap_or_default();
            assert!(told.contains(fault), "{name}: {told}");
        }
    }
}
