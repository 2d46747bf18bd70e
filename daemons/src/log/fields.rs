//! A record's own fields, read without building a tree: names are borrowed
//! where they hold no escape, values stay the JSON that was sent, so that a
//! number keeps every digit and `1.50` is not `1.5`.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// The members of a JSON object, in their order.
#[derive(Debug)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    /// Reads an object; none when it is anything else.
    pub fn read(json: &'a [u8]) -> Option<Self> {
        members(std::str::from_utf8(json).ok()?, usize::MAX).map(Self)
    }

    /// A field by its name, as JSON; `a.b` is the field of that name, else the
    /// member `b` of `a`.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.member(name).or_else(|| {
            name.match_indices('.').find_map(|(dot, _)| {
                let (outer, inner) = name.split_at_checked(dot)?;
                Fields::read(self.member(outer)?.as_bytes())?.get(inner.get(1..)?)
            })
        })
    }

    fn member(&self, name: &str) -> Option<&'a str> {
        // Of a name that stands twice the last one counts, as everywhere.
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, value)| *value)
    }
}

/// A field's value as it is matched and counted by: a text without its quotes
/// and escapes, everything else as it was written. So is a text that holds half
/// a character (`\ud800`), which has no other form.
pub fn text(value: &str) -> Cow<'_, str> {
    if !value.starts_with('"') {
        return Cow::Borrowed(value);
    }
    match serde_json::from_str::<Text<'_>>(value) {
        Ok(Text(text)) => text,
        Err(_) => Cow::Borrowed(value),
    }
}

/// The members of a JSON object, their values as the JSON they are; none when it
/// is no object. Of more than `max` it returns one too many.
pub fn members(json: &str, max: usize) -> Option<Vec<(Cow<'_, str>, &str)>> {
    struct Members(usize);
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(Cow<'de, str>, &'de str)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                if members.len() <= self.0 {
                    members.push((name, value.get()));
                }
            }
            Ok(members)
        }
    }
    if !json.trim_start().starts_with('{') {
        return None;
    }
    let mut json = serde_json::Deserializer::from_str(json);
    let members = json.deserialize_map(Members(max)).ok()?;
    json.end().is_ok().then_some(members)
}

/// A name that stands twice.
pub fn repeated(fields: &[(Cow<'_, str>, &str)]) -> Option<String> {
    if fields.len() < 2 {
        return None;
    }
    let mut seen = HashSet::with_capacity(fields.len());
    fields.iter().find(|(name, _)| !seen.insert(name.as_ref())).map(|(name, _)| name.clone().into_owned())
}

/// A text borrowed from its JSON wherever it holds no escape.
#[derive(Debug)]
pub struct Text<'de>(
    /// The text.
    pub Cow<'de, str>,
);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name_or_by_its_way() {
        let json = r#"{"a":1.50,"a.b":{"c":"flat"},"x":{"y":{"z":"\u00fc \"q\""},"y.z":2},"l":[1, 2],
            "\u0062":12345678901234567890123,"half":"\ud800 x","big":1e999,"twice":1,"twice":2,"none":null}"#;
        let fields = Fields::read(json.as_bytes()).unwrap();
        for (name, want) in [
            ("a", Some("1.50")),
            ("a.b", Some(r#"{"c":"flat"}"#)),
            ("a.b.c", Some("flat")),
            ("x.y.z", Some("2")),
            ("x.y", Some(r#"{"z":"\u00fc \"q\""}"#)),
            ("l", Some("[1, 2]")),
            ("l.0", None),
            ("b", Some("12345678901234567890123")),
            ("half", Some("\"\\ud800 x\"")),
            ("big", Some("1e999")),
            ("twice", Some("2")),
            ("none", Some("null")),
            ("A", None),
            ("", None),
            ("x.", None),
            (".", None),
            ("a.b.c.d", None),
        ] {
            assert_eq!(fields.get(name).map(text).as_deref(), want, "{name}");
        }
        let nested = Fields::read(br#"{"x":{"y":{"z":"\u00fc \"q\""}}}"#).unwrap();
        assert_eq!(nested.get("x.y.z").map(text).as_deref(), Some("ü \"q\""));
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        for json in ["", "[]", "1", "{", "{}x", "{\"a\":}", "{\"a\":1}}", "\"{}\""] {
            assert!(Fields::read(json.as_bytes()).is_none(), "{json}");
        }
        assert!(Fields::read(b"{\"a\":\"\xff\"}").is_none());
        assert!(Fields::read(b"{}").unwrap().get("a").is_none());
    }
}
