//! Patterns of names: `*` stands for any text, none too.

use std::fmt;

/// A pattern that a whole name matches or does not. Case counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Every text is a pattern.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// The pattern of every name.
    pub fn all() -> Self {
        Self::new("*")
    }

    /// Whether it is written as the pattern of every name.
    pub fn is_all(&self) -> bool {
        self.0 == "*"
    }

    /// Whether all of `name` is what the pattern says.
    pub fn matches(&self, name: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return self.0 == name };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(mut name) = name.strip_prefix(start).and_then(|name| name.strip_suffix(end)) else {
            return false;
        };
        // The first place of each part leaves the most for those after it.
        middle.split('*').all(|part| match name.split_once(part) {
            Some((_, after)) => {
                name = after;
                true
            }
            None => false,
        })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, names, others) in [
            ("proxy", &["proxy"][..], &["Proxy", "proxy2", "a proxy", ""][..]),
            ("audit*", &["audit", "audit-eu", "audit*"], &["an audit", "Audit"]),
            ("*audit", &["audit", "eu audit"], &["audits"]),
            ("a*a", &["aa", "aba"], &["a", "ab"]),
            ("a*b*c*d", &["abcd", "a b b c c d", "abcdd"], &["acbd", "abd"]),
            ("*书*", &["书", "a书店"], &["a"]),
            ("*", &["", "x"], &[]),
            ("**", &["", "x"], &[]),
            ("", &[""], &["x"]),
        ] {
            let glob = Glob::new(pattern);
            names.iter().for_each(|name| assert!(glob.matches(name), "{pattern} {name}"));
            others.iter().for_each(|name| assert!(!glob.matches(name), "{pattern} {name}"));
        }
    }
}
