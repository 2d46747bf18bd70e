//! All records that match, a page at a time, in the order of their sequence.
//!
//! A page is a range of sequences, not the first so many of an answer: so it
//! does not matter in which order the service answers, and records that come
//! while this goes on lie behind the last page.

use super::service::{CallError, Service};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Records of one page, the most that the service answers as a whole.
const RECORDS_MAX: u64 = 10_000;

/// Which records are wanted, as parameters of `GET /log`.
#[derive(Debug, Default, Serialize)]
pub struct Which {
    /// The query.
    pub q: Option<String>,
    /// Only this service.
    pub service: Option<String>,
    /// Only this level or graver.
    pub level: Option<String>,
    /// Not before.
    pub since: Option<String>,
    /// Before.
    pub until: Option<String>,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// Records as the service writes them, after their sequence.
    pub records: Vec<(u64, Box<RawValue>)>,
    /// Whether there are more than the answer holds.
    more: bool,
    /// Whether something could not be searched.
    pub partial: bool,
}

/// The pages that are still to come.
pub struct Pages<'s> {
    service: &'s Service,
    which: Which,
    /// All up to this sequence were told.
    after: u64,
    /// The last sequence that is wanted.
    last: u64,
    /// Sequences of the next page: more where few match, fewer where they are large.
    width: u64,
}

impl<'s> Pages<'s> {
    /// Of the records that are there now.
    ///
    /// # Errors
    /// When the service does not answer, or the query is wrong.
    pub async fn new(service: &'s Service, which: Which) -> Result<Self, CallError> {
        // A wrong query is told even where there is nothing to be searched.
        ask(service, &which, "asc", (0, Some(1)), 1).await?;
        let all = Which::default();
        let newest = ask(service, &all, "desc", (0, None), 1).await?;
        let mut last = newest.records.first().map_or(0, |(seq, _)| *seq);
        // The newest need not be the one that was stored last.
        let mut step = 1;
        while !ask(service, &all, "asc", (last, None), 1).await?.records.is_empty() {
            last += step;
            step *= 2;
        }
        Ok(Self { service, which, after: 0, last, width: RECORDS_MAX })
    }

    /// The next one; none at the end.
    ///
    /// # Errors
    /// When the service does not answer, or not what was asked for.
    pub async fn next(&mut self) -> Result<Option<Page>, CallError> {
        while self.after < self.last {
            let end = self.last.min(self.after.saturating_add(self.width));
            let range = (self.after, Some(end + 1));
            let mut page = ask(self.service, &self.which, "asc", range, RECORDS_MAX).await?;
            // Not all of the range: too many, too large, or too slow. What cannot be
            // read at all is not found by asking for less.
            if (page.more && self.width > 1) || (page.partial && self.width > RECORDS_MAX) {
                self.width /= 2;
                continue;
            }
            if (page.records.len() as u64) < RECORDS_MAX / 4 {
                self.width = self.width.saturating_mul(2);
            }
            self.after = end;
            if !page.records.is_empty() || page.partial {
                page.records.sort_by_key(|(seq, _)| *seq);
                return Ok(Some(page));
            }
        }
        Ok(None)
    }
}

/// Asks for the records after one sequence and before another.
async fn ask(
    service: &Service,
    which: &Which,
    order: &str,
    (after, before): (u64, Option<u64>),
    limit: u64,
) -> Result<Page, CallError> {
    #[derive(Deserialize)]
    struct Answer {
        records: Vec<Box<RawValue>>,
        next: Option<u64>,
        partial: bool,
    }
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    let request = service
        .request(Method::GET)
        .query(which)
        .query(&[("after", Some(after)), ("before", before), ("limit", Some(limit))])
        .query(&[("format", "json"), ("order", order)]);
    let body = service.call(request).await?;
    let page = || {
        let answer: Answer = serde_json::from_slice(&body)?;
        let numbered = |record: Box<RawValue>| {
            let Numbered { seq } = serde_json::from_str(record.get())?;
            Ok((seq, record))
        };
        let records = answer.records.into_iter().map(numbered).collect::<Result<_, serde_json::Error>>()?;
        Ok(Page { records, more: answer.next.is_some(), partial: answer.partial })
    };
    page().map_err(|e: serde_json::Error| service.unexpected(&e))
}
