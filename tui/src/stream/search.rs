//! `search`: what is stored, oldest first.

use super::StreamError;
use super::print::Printer;
use shared::client::{LogClient, LogQuery};
use shared::wire::log::Page;
use std::io::Write;

/// How many records are asked for at once.
const PAGE: u32 = 2_000;

/// Prints everything that matches, a page at a time; with a limit, only the
/// newest so many, which are held until the oldest of them is known.
pub(super) async fn run<W: Write>(
    client: &LogClient,
    query: &LogQuery,
    limit: Option<u32>,
    printer: &mut Printer<W>,
) -> Result<(), StreamError> {
    match limit {
        Some(limit) => newest(client, query, limit, printer).await,
        None => all(client, query, printer).await,
    }
}

async fn all<W: Write>(
    client: &LogClient,
    query: &LogQuery,
    printer: &mut Printer<W>,
) -> Result<(), StreamError> {
    let query = LogQuery { limit: Some(PAGE), ..query.clone() };
    let mut next = None;
    let mut is_partial = false;
    loop {
        let page = client.oldest(&query, next.as_deref()).await?;
        for record in &page.records {
            printer.print(record)?;
        }
        printer.flush()?;
        is_partial |= leaves_out(&page, PAGE);
        next = page.next;
        if next.is_none() {
            return if is_partial { Err(StreamError::Partial) } else { Ok(()) };
        }
    }
}

async fn newest<W: Write>(
    client: &LogClient,
    query: &LogQuery,
    limit: u32,
    printer: &mut Printer<W>,
) -> Result<(), StreamError> {
    let mut found = Vec::new();
    let mut is_partial = false;
    let mut next = None;
    loop {
        let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let asked = left.min(PAGE);
        let query = LogQuery { limit: Some(asked), ..query.clone() };
        let page = client.newest(&query, next.as_deref()).await?;
        is_partial |= leaves_out(&page, asked);
        found.extend(page.records);
        next = page.next;
        if next.is_none() || found.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            break;
        }
    }
    for record in found.iter().rev() {
        printer.print(record)?;
    }
    printer.flush()?;
    if is_partial { Err(StreamError::Partial) } else { Ok(()) }
}

/// Whether a page lacks something that the next will not bring: one that only
/// ran out of time goes on where it ended.
fn leaves_out(page: &Page, asked: u32) -> bool {
    let is_full = u32::try_from(page.records.len()).is_ok_and(|found| found >= asked);
    page.partial && (is_full || page.next.is_none())
}
