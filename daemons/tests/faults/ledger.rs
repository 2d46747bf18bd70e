//! What was acknowledged, and whether it is all there.

use crate::harness::Running;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Texts by sequence, as the log acknowledged them; and those whose answer was
/// lost although their request was repeated under its key.
#[derive(Default)]
pub struct Ledger {
    acknowledged: BTreeMap<u64, String>,
    /// Requests without an answer and without a key: each of their records may
    /// be there or not.
    open: u64,
}

impl Ledger {
    /// Records that were acknowledged from `first` on.
    pub fn acknowledged(&mut self, first: u64, texts: Vec<String>) {
        for (seq, text) in (first..).zip(texts) {
            let before = self.acknowledged.insert(seq, text.clone());
            assert!(before.as_ref().is_none_or(|before| *before == text), "{seq} was {before:?}, now {text}");
        }
    }

    /// Records of a request that nobody will repeat.
    pub fn given_up(&mut self, records: usize) {
        self.open += records as u64;
    }

    pub fn len(&self) -> usize {
        self.acknowledged.len()
    }

    /// Compares it with all that the log has.
    pub async fn check(&self, log: &Running) {
        self.compare(&all(log).await);
    }

    /// Compares it with what the log has of texts that begin with these words.
    pub async fn check_own(&self, log: &Running, words: &[&str]) {
        let mut stored = all(log).await;
        stored.retain(|_, text| words.iter().any(|word| text.starts_with(word)));
        self.compare(&stored);
    }

    fn compare(&self, stored: &BTreeMap<u64, String>) {
        let wrong: Vec<_> =
            self.acknowledged.iter().filter(|(seq, text)| stored.get(seq) != Some(text)).take(3).collect();
        assert!(wrong.is_empty(), "acknowledged and not there: {wrong:?}");
        let mut times: HashMap<&str, u32> = HashMap::new();
        stored.values().for_each(|text| *times.entry(text).or_default() += 1);
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).take(3).collect();
        assert!(twice.is_empty(), "stored twice: {twice:?}");
        let more = stored.len() as u64 - self.acknowledged.len() as u64;
        assert!(more <= self.open, "{more} records that nobody wrote");
    }
}

/// All records by sequence, page by page.
pub async fn all(log: &Running) -> BTreeMap<u64, String> {
    let mut records = BTreeMap::new();
    let mut after = 0;
    loop {
        let path = format!("/log?format=json&order=asc&after={after}&limit=10000");
        let page = log.get("log", &path).await.ok().json();
        assert_ne!(page["partial"], true, "{}", page["next"]);
        for record in page["records"].as_array().unwrap() {
            let seq = record["seq"].as_u64().unwrap();
            assert!(seq > after, "{seq} after {after}");
            after = seq;
            records.insert(seq, record["message"].as_str().unwrap().to_owned());
        }
        if page["next"] == Value::Null {
            return records;
        }
    }
}
