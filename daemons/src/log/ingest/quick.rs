//! A record's JSON as nearly every sender writes it, in one pass: an object
//! whose keys hold no escape. Whatever is not of this form is left to
//! [`super::json`], which also says what is wrong with it.

use super::super::batch::{Batch, Defaults};
use super::super::scan;
use super::record::{Draft, Value};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads one record into the batch; none, and the batch as it was, if it has to
/// be read with more care.
pub fn read(line: &[u8], defaults: &Defaults, batch: &mut Batch) -> Option<()> {
    let mut json = Cursor { text: std::str::from_utf8(line).ok()?, at: 0 };
    let mut draft = Draft::default();
    json.expect(b'{')?;
    loop {
        let key = json.plain_text()?;
        json.expect(b':')?;
        let value = json.value()?;
        draft.take(Cow::Borrowed(key), value).ok()?;
        if draft.is_overfull() {
            return None;
        }
        if json.expect(b',').is_none() {
            break;
        }
    }
    json.expect(b'}')?;
    json.skip();
    if json.at == line.len() { draft.finish(defaults, batch).ok() } else { None }
}

/// A place in JSON.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Goes over white space.
    fn skip(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
    }

    /// Goes over a mark, and white space before it.
    fn expect(&mut self, mark: u8) -> Option<()> {
        self.skip();
        (self.text.as_bytes().get(self.at) == Some(&mark)).then(|| self.at += 1)
    }

    /// Goes over a text without an escape.
    fn plain_text(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let begin = self.at;
        let rest = self.text.as_bytes().get(begin..)?;
        let end =
            begin + scan::len_before(rest, |w| scan::is(w, b'"') | scan::is(w, b'\\') | scan::is_control(w));
        self.at = end + 1;
        self.text.get(begin..end).filter(|_| self.text.as_bytes().get(end) == Some(&b'"'))
    }

    /// Goes over a value.
    fn value(&mut self) -> Option<Value<'a>> {
        self.skip();
        let begin = self.at;
        if let Some(text) = self.plain_text() {
            return Some(Value { json: self.text.get(begin..self.at)?, plain: Some(text) });
        }
        self.at = begin;
        let mut reader = serde_json::Deserializer::from_str(self.text.get(begin..)?);
        let json = <&RawValue>::deserialize(&mut reader).ok()?.get();
        self.at += json.len();
        Some(Value { json, plain: None })
    }
}
