//! All records that match, a page at a time, in the order in which they were
//! stored: up to the one that was the last when this began.

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
#[derive(Debug, Deserialize)]
pub struct Page {
    /// Records as the service writes them.
    pub records: Vec<Box<RawValue>>,
    next: Option<String>,
    /// Whether something could not be searched.
    pub partial: bool,
}

/// The pages that are still to come.
pub struct Pages<'s> {
    service: &'s Service,
    which: Which,
    /// Where the next one begins; none when there is none.
    after: Option<String>,
    /// Records from this sequence on are not wanted.
    end: u64,
}

impl<'s> Pages<'s> {
    /// Of the records that are there now.
    ///
    /// # Errors
    /// When the service does not answer.
    pub async fn new(service: &'s Service, which: Which) -> Result<Self, CallError> {
        #[derive(Deserialize)]
        struct Numbered {
            seq: u64,
        }
        let newest = ask(service, &Which::default(), "desc", "0", u64::MAX, 1).await?;
        let newest = newest.records.first().map(|record| serde_json::from_str::<Numbered>(record.get()));
        let last = newest.transpose().map_err(|e| service.unexpected(&e))?.map_or(0, |newest| newest.seq);
        Ok(Self { service, which, after: Some("0".to_owned()), end: last.saturating_add(1) })
    }

    /// The next one; none at the end.
    ///
    /// # Errors
    /// When the service does not answer, or the query is wrong.
    pub async fn next(&mut self) -> Result<Option<Page>, CallError> {
        let Some(after) = self.after.take() else { return Ok(None) };
        let page = ask(self.service, &self.which, "asc", &after, self.end, RECORDS_MAX).await?;
        self.after.clone_from(&page.next);
        Ok(Some(page))
    }
}

/// Asks for records between two sequences, both not among them.
async fn ask(
    service: &Service,
    which: &Which,
    order: &str,
    after: &str,
    before: u64,
    limit: u64,
) -> Result<Page, CallError> {
    let request = service
        .request(Method::GET)
        .query(which)
        .query(&[("before", before), ("limit", limit)])
        .query(&[("format", "json"), ("order", order), ("after", after)]);
    let body = service.call(request).await?;
    serde_json::from_slice(&body).map_err(|e| service.unexpected(&e))
}
