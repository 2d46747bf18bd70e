//! A log that misbehaves as it is told to.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

/// How it takes what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As a log should.
    Well,
    /// It stores what comes, and then has no answer for it.
    Mute,
    /// It has no time.
    Busy,
    /// It will not take records whose message has this word.
    Dislikes(&'static str),
    /// It knows no such path.
    Elsewhere,
}

/// What it holds, and how it is disposed.
#[derive(Debug)]
pub struct Inner {
    pub mood: Mood,
    /// The messages stored, in order.
    pub messages: Vec<String>,
    /// Each key, and the messages that came under it first.
    seen: HashMap<String, Vec<String>>,
    /// How many requests came.
    pub requests: usize,
}

#[derive(Debug, Clone)]
pub struct FakeLog(Arc<Mutex<Inner>>, u16);

impl FakeLog {
    pub async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Inner { mood, messages: Vec::new(), seen: HashMap::new(), requests: 0 };
        let log = Self(Arc::new(Mutex::new(inner)), port);
        let router = Router::new().route("/log", post(append)).with_state(log.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        log
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.1)
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

async fn append(State(log): State<FakeLog>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let records: Vec<Value> = serde_json::from_str(&body).unwrap();
    let messages: Vec<String> =
        records.iter().map(|record| record["message"].as_str().unwrap().to_owned()).collect();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let mut inner = log.lock();
    inner.requests += 1;
    match inner.mood {
        Mood::Busy => return (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        Mood::Elsewhere => return (StatusCode::NOT_FOUND, String::new()),
        Mood::Dislikes(word) if messages.iter().any(|message| message.contains(word)) => {
            return (StatusCode::UNPROCESSABLE_ENTITY, format!("no {word} here"));
        }
        Mood::Well | Mood::Mute | Mood::Dislikes(_) => {}
    }
    match inner.seen.get(&key) {
        Some(first) => assert_eq!(*first, messages, "one key, two sets of records"),
        None => {
            inner.messages.extend(messages.clone());
            inner.seen.insert(key, messages);
        }
    }
    if inner.mood == Mood::Mute {
        return (StatusCode::INTERNAL_SERVER_ERROR, String::new());
    }
    let count = inner.messages.len();
    (StatusCode::OK, format!("{{\"accepted\":{},\"first\":1,\"last\":{count}}}", records.len()))
}
