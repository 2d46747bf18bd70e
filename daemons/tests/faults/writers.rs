//! Clients that write every kind of body until the log is gone.

use crate::harness::client;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::Client;
use serde_json::{Value, json};
use std::io::Write;
use tokio::sync::mpsc::UnboundedSender;

/// Ways to write a body.
const KINDS: u64 = 6;
const RECORDS_MAX: u64 = 40;

/// A request of some records.
#[derive(Clone)]
pub struct Request {
    pub texts: Vec<String>,
    key: Option<String>,
    media_type: &'static str,
    encoding: Option<&'static str>,
    body: Vec<u8>,
}

/// What became of a request.
pub enum Outcome {
    Acknowledged(u64, Vec<String>),
    /// The answer was lost.
    Unknown(Request),
}

impl Request {
    /// The n-th of a writer, whose texts are like no other's.
    pub fn new(name: &str, n: u64, rng: &mut fastrand::Rng) -> Self {
        let kind = rng.u64(..KINDS);
        let count = if kind == 0 { 1 } else { rng.u64(1..=RECORDS_MAX) };
        let texts: Vec<String> =
            (0..count).map(|at| format!("{name} {n}.{at} {}", "x".repeat(rng.usize(..200)))).collect();
        let level = || if n.is_multiple_of(3) { "debug" } else { "info" };
        let records: Vec<Value> = texts
            .iter()
            .map(|text| json!({"message": text, "service": name, "level": level(), "n": n}))
            .collect();
        let ndjson = || records.iter().map(|record| format!("{record}\n")).collect::<String>().into_bytes();
        let (media_type, encoding, body) = match kind {
            0 => ("text/plain", None, texts[0].clone().into_bytes()),
            1 => ("application/json", None, Value::from(records.clone()).to_string().into_bytes()),
            2 => ("application/x-ndjson", None, ndjson()),
            3 => ("application/x-ndjson", Some("gzip"), gzip(&ndjson())),
            4 => ("application/x-ndjson", Some("deflate"), deflate(&ndjson())),
            _ => ("application/x-ndjson", Some("zstd"), zstd::encode_all(ndjson().as_slice(), 1).unwrap()),
        };
        let key = rng.bool().then(|| format!("{name}-{n}"));
        Self { texts, key, media_type, encoding, body }
    }

    pub const fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Sends it: the first sequence, or none when there is no answer.
    pub async fn send(&self, client: &Client, url: &str) -> Option<u64> {
        let mut request = client.post(format!("{url}/log")).header("content-type", self.media_type);
        if let Some(encoding) = self.encoding {
            request = request.header("content-encoding", encoding);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.body(self.body.clone()).send().await.ok()?;
        let (status, body) = (answer.status(), answer.text().await.ok()?);
        assert!(status.is_success() || status.as_u16() == 503, "{status} {body}");
        serde_json::from_str::<Value>(&body).ok()?["first"].as_u64()
    }
}

/// Writes until the first request without an answer; `progress` hears of each.
pub async fn write(
    url: String,
    name: String,
    mut rng: fastrand::Rng,
    progress: UnboundedSender<()>,
) -> Vec<Outcome> {
    let client = client();
    let mut outcomes = Vec::new();
    for n in 0.. {
        let request = Request::new(&name, n, &mut rng);
        match request.send(&client, &url).await {
            Some(first) => outcomes.push(Outcome::Acknowledged(first, request.texts)),
            None => {
                outcomes.push(Outcome::Unknown(request));
                break;
            }
        }
        let _ = progress.send(());
    }
    outcomes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
