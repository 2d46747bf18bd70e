//! Streams, as they come.

use super::DEADLINE;
use reqwest::{RequestBuilder, Response};

/// A stream of lines, read one by one.
pub struct Lines {
    response: Response,
    buffer: Vec<u8>,
}

impl Lines {
    pub async fn open(request: RequestBuilder) -> Self {
        Self::of(request.send().await.unwrap())
    }

    /// Of an answer that has come already.
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        Self { response, buffer: Vec::new() }
    }

    /// The next line; none when the stream has ended.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                return Some(String::from_utf8(line).unwrap().trim_end_matches('\n').to_owned());
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk()).await.expect("a line in time");
            match chunk {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The next event: its name, id and data.
    pub async fn event(&mut self) -> Option<(String, String, String)> {
        let (mut name, mut id, mut data) = ("message".to_owned(), String::new(), None::<String>);
        loop {
            let line = self.next().await?;
            match line.split_once(": ").unwrap_or((&line, "")) {
                ("event", value) => name = value.to_owned(),
                ("id", value) => id = value.to_owned(),
                ("data", value) => data = Some(value.to_owned()),
                ("", _) => {
                    if let Some(data) = data {
                        return Some((name, id, data));
                    }
                }
                _ => {}
            }
        }
    }
}
