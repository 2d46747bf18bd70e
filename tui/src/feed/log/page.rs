//! Pages of the log: where it is opened, and what lies beyond what is held.

use super::decode;
use crate::model::{Filter, Lines, LogSide, OpenAt, Opened};
use chrono::{DateTime, SecondsFormat, Utc};
use shared::client::{ClientError, LogClient, LogQuery, Order};

/// How many records are fetched at once.
const PAGE: u32 = 1_000;
/// How many of the newest records are shown at first.
const NEWEST: u32 = 500;
/// Records beyond an end of what is held, and whether there are more.
pub(in crate::feed) async fn beyond(
    client: &LogClient,
    filter: &Filter,
    side: LogSide,
    from: u64,
    limit: u32,
) -> Result<(Lines, bool), ClientError> {
    let query = LogQuery { limit: Some(limit), ..filter.to_query() };
    let query = match side {
        LogSide::Older => LogQuery { before: Some(from), ..query },
        LogSide::Newer => LogQuery { after: Some(from), order: Some(Order::Asc), ..query },
    };
    search(client, &query).await
}

/// As [`beyond`], as many as one page has.
pub(in crate::feed) async fn next(
    client: &LogClient,
    filter: &Filter,
    side: LogSide,
    from: u64,
) -> Result<(Lines, bool), ClientError> {
    beyond(client, filter, side, from, PAGE).await
}

/// Opens the log at a place.
pub(super) async fn open(client: &LogClient, filter: &Filter, at: OpenAt) -> Result<Opened, ClientError> {
    let at = match at {
        OpenAt::Time(at) => match first_since(client, filter, at).await? {
            Some(seq) => OpenAt::Seq(seq),
            None => OpenAt::Newest,
        },
        at => at,
    };
    match at {
        OpenAt::Oldest => {
            // The first record has the sequence 1.
            let (lines, newer) = beyond(client, filter, LogSide::Newer, 0, PAGE).await?;
            Ok(Opened { at: lines.first().map(|line| line.seq), lines, older: false, newer })
        }
        OpenAt::Seq(seq) => {
            let (mut lines, older) =
                beyond(client, filter, LogSide::Older, seq.saturating_add(1), NEWEST).await?;
            let (after, newer) = beyond(client, filter, LogSide::Newer, seq, NEWEST).await?;
            after.iter().for_each(|line| lines.push(&line));
            Ok(Opened { lines, at: Some(seq), older, newer })
        }
        OpenAt::Newest | OpenAt::Time(_) => {
            let (lines, older) = beyond(client, filter, LogSide::Older, LogQuery::END, NEWEST).await?;
            Ok(Opened { lines, at: None, older, newer: false })
        }
    }
}

/// The first record from a moment on.
async fn first_since(
    client: &LogClient,
    filter: &Filter,
    at: DateTime<Utc>,
) -> Result<Option<u64>, ClientError> {
    let since = Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    let query = LogQuery { since, limit: Some(1), order: Some(Order::Asc), ..filter.to_query() };
    let (lines, _) = search(client, &query).await?;
    Ok(lines.first().map(|line| line.seq))
}

async fn search(client: &LogClient, query: &LogQuery) -> Result<(Lines, bool), ClientError> {
    let json = client.search_bytes(query).await?;
    decode::page(&json, query.order != Some(Order::Asc)).map_err(|error| super::unexpected(client, &error))
}
