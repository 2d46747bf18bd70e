//! The body of an answer, as far as a probe reads it.

use super::Failure;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use reqwest::{Response, header};
use shared::client::root_cause;
use shared::wire::monitor::Phase;
use std::io::Read;

/// How much of a body is read, before and after it is decoded.
pub const MAX: usize = 64 * 1024;

/// The body, decoded, and whether that is all of it.
pub async fn read(response: &mut Response) -> Result<(Vec<u8>, bool), Failure> {
    let encoding = response.headers().get(header::CONTENT_ENCODING);
    let encoding =
        encoding.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase());
    let mut body = Vec::new();
    let mut complete = true;
    while let Some(chunk) = response.chunk().await.map_err(|e| Failure::new(Phase::Body, root_cause(&e)))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX {
            body.truncate(MAX);
            complete = false;
            break;
        }
    }
    match encoding.as_deref() {
        None | Some("" | "identity") => Ok((body, complete)),
        Some("gzip" | "x-gzip") => decode(MultiGzDecoder::new(body.as_slice()), "gzip", complete),
        Some("deflate") => decode(ZlibDecoder::new(body.as_slice()), "deflate", complete),
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            Err(Failure::new(
                Phase::Body,
                format!("the body is encoded as '{shown}', which no probe decodes"),
            ))
        }
    }
}

/// What comes out of a decoder, at most [`MAX`]. Where the input was cut, the
/// decoder's error at the cut is none.
fn decode(decoder: impl Read, encoding: &str, complete: bool) -> Result<(Vec<u8>, bool), Failure> {
    let mut decoded = Vec::new();
    let limit = u64::try_from(MAX).unwrap_or(u64::MAX).saturating_add(1);
    match decoder.take(limit).read_to_end(&mut decoded) {
        Err(error) if complete => Err(Failure::new(
            Phase::Body,
            format!("the body says that it is {encoding}, and is not: {error}"),
        )),
        _ => {
            let all = complete && decoded.len() <= MAX;
            decoded.truncate(MAX);
            Ok((decoded, all))
        }
    }
}
