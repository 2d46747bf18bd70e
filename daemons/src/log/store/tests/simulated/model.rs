//! What the log has promised.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A request that was sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub texts: Vec<String>,
    pub key: Option<String>,
}

/// What became of the requests so far.
#[derive(Debug, Default)]
pub struct Model {
    /// Records that were acknowledged or shown to a reader.
    records: BTreeMap<u64, String>,
    /// The answers to acknowledged keys.
    keys: HashMap<String, (u64, Request)>,
    /// Requests that may have been stored, as a whole or, without a key, in part.
    open: Vec<Request>,
    /// Texts of requests that were refused: nothing of them is stored.
    refused: BTreeSet<String>,
    /// Sequences below this one are taken.
    next_seq: u64,
}

pub type Check = Result<(), String>;

impl Model {
    pub fn acknowledged(&mut self, first: u64, request: &Request) -> Check {
        if let Some(key) = &request.key {
            if let Some((known, _)) = self.keys.get(key) {
                return same(*known, first, || format!("the answer to key {key}"));
            }
            self.keys.insert(key.clone(), (first, request.clone()));
            // A retry of a request whose answer was lost.
            self.open.retain(|open| open.key.as_ref() != Some(key));
        }
        for (seq, text) in (first..).zip(&request.texts) {
            self.shown(seq, text)?;
        }
        Ok(())
    }

    /// A record that a reader has seen stays what it is.
    fn shown(&mut self, seq: u64, text: &str) -> Check {
        self.next_seq = self.next_seq.max(seq + 1);
        match self.records.insert(seq, text.to_owned()) {
            Some(before) if before != text => Err(format!("record {seq} was {before:?} and is now {text:?}")),
            _ => Ok(()),
        }
    }

    /// Nothing of it was stored, unless it was sent before.
    pub fn refused(&mut self, request: &Request) {
        if self.open.iter().any(|open| open.texts == request.texts) {
            return;
        }
        self.refused.extend(request.texts.iter().cloned());
    }

    pub fn unknown(&mut self, request: Request) {
        self.open.push(request);
    }

    /// A key that was acknowledged, and a request whose answer was lost: to be sent again.
    pub fn to_repeat(&self, rng: &mut fastrand::Rng) -> Option<Request> {
        let known: Vec<&Request> = self.keys.values().map(|(_, request)| request).collect();
        let open: Vec<&Request> = self.open.iter().filter(|open| open.key.is_some()).collect();
        let from = if open.is_empty() || rng.bool() { known } else { open };
        let mut from: Vec<&Request> = from;
        from.sort_by(|a, b| a.key.cmp(&b.key));
        rng.choice(from).cloned()
    }

    /// Compares the model with all records that the log shows.
    pub fn check(&mut self, stored: &[(u64, String)], next_seq: u64) -> Check {
        if next_seq < self.next_seq {
            return Err(format!("the next sequence is {next_seq}, and {} is taken", self.next_seq - 1));
        }
        let there: BTreeMap<u64, &str> = stored.iter().map(|(seq, text)| (*seq, text.as_str())).collect();
        for (seq, text) in &self.records {
            if there.get(seq) != Some(&text.as_str()) {
                return Err(format!("record {seq} is {:?}, and should be {text:?}", there.get(seq)));
            }
        }
        let mut texts = BTreeSet::new();
        for (seq, text) in &there {
            if !texts.insert(*text) {
                return Err(format!("{text:?} is stored twice, again as {seq}"));
            }
            if self.refused.contains(*text) {
                return Err(format!("{text:?} was refused and is stored as {seq}"));
            }
        }
        for open in self.open.iter().filter(|open| open.key.is_some()) {
            let found = open.texts.iter().filter(|text| texts.contains(text.as_str())).count();
            if found != 0 && found != open.texts.len() {
                return Err(format!("{found} of {} records of {open:?} are stored", open.texts.len()));
            }
        }
        for (seq, text) in there {
            self.shown(seq, text)?;
        }
        Ok(())
    }
}

fn same(known: u64, first: u64, what: impl Fn() -> String) -> Check {
    if known == first { Ok(()) } else { Err(format!("{} was {known} and is now {first}", what())) }
}
