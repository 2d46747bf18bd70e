//! URLs as they are shown: without the password that they may carry.
//!
//! A service may be registered as `http://user:password@host`, and whoever calls
//! it needs the URL as it is. Whoever only shows it does not: lists for people,
//! diagnostics, notifications and pages show it through [`without_password`].

use std::borrow::Cow;

/// What stands in the place of a password.
const MASK: &str = "***";

/// A URL with its password, if it has one, masked: `http://ann:***@host/path`.
///
/// It need not be a valid URL: what is refused is shown as well. Sooner too much
/// is masked than too little.
pub fn without_password(url: &str) -> Cow<'_, str> {
    let after_scheme = url.find(':').map_or(0, |colon| colon + 1);
    let (scheme, rest) = url.split_at(after_scheme);
    // A browser takes backslashes, and more or fewer of them, for the two slashes.
    let slashes = rest.len() - rest.trim_start_matches(['/', '\\']).len();
    let (slashes, rest) = rest.split_at(slashes);
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let Some((user_info, host)) = authority.rsplit_once('@') else { return Cow::Borrowed(url) };
    let Some((user, _)) = user_info.split_once(':') else { return Cow::Borrowed(url) };
    Cow::Owned(format!("{scheme}{slashes}{user}:{MASK}@{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_masked_and_nothing_else() {
        for (url, shown) in [
            ("http://ann:secret@host:80/a?b=c:d@e#f", "http://ann:***@host:80/a?b=c:d@e#f"),
            ("http://:secret@host", "http://:***@host"),
            ("tcp://ann:se:c@ret@[::1]:1", "tcp://ann:***@[::1]:1"),
            ("http:ann:secret@host", "http:ann:***@host"),
            ("http:\\\\ann:secret@host", "http:\\\\ann:***@host"),
            ("http://书:密@host", "http://书:***@host"),
        ] {
            assert_eq!(without_password(url), shown);
        }
        for url in ["http://host:80/a:b@c", "http://ann@host", "http://host?a:b@c", "nonsense", "", ":", "@"]
        {
            assert_eq!(without_password(url), url);
        }
    }
}
