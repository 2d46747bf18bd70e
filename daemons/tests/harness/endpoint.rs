//! An endpoint that a daemon calls: it answers as it is told to, and remembers
//! who called and with what.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// 200 at once.
    Good,
    /// 500 at once.
    Bad,
    /// Not at all.
    Hang,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its path.
    pub path: String,
    /// Its `Idempotency-Key`, empty without one.
    pub key: String,
    /// Its `Authorization`, empty without one.
    pub authorization: String,
    /// Its body.
    pub body: String,
    /// How it was answered.
    pub mood: Mood,
}

#[derive(Debug)]
struct Inner {
    mood: Mood,
    script: VecDeque<Mood>,
    calls: Vec<Call>,
}

/// The endpoint; its task ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where it is.
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Endpoint {
    /// One on a free port.
    pub async fn start(mood: Mood) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let inner = Arc::new(Mutex::new(Inner { mood, script: VecDeque::new(), calls: Vec::new() }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// From now on it answers so.
    pub fn set(&self, mood: Mood) {
        self.inner.lock().unwrap().mood = mood;
    }

    /// Its next answers, before its mood counts again.
    pub fn script(&self, moods: &[Mood]) {
        self.inner.lock().unwrap().script.extend(moods);
    }

    /// Every call, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.lock().unwrap().calls.clone()
    }

    /// Those that it answered with 200.
    pub fn accepted(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.mood == Mood::Good).collect()
    }
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let header = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (key, authorization) = (header("idempotency-key"), header("authorization"));
    let path = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mood = {
        let mut inner = inner.lock().unwrap();
        let mood = inner.script.pop_front().unwrap_or(inner.mood);
        let body = String::from_utf8_lossy(&body).into_owned();
        inner.calls.push(Call { path, key, authorization, body, mood });
        mood
    };
    match mood {
        Mood::Good => StatusCode::OK,
        Mood::Bad => StatusCode::INTERNAL_SERVER_ERROR,
        Mood::Hang => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::OK
        }
    }
}
