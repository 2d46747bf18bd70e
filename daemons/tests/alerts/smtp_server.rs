//! As much of a mail server as a mail needs.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it came.
#[derive(Debug, Clone)]
pub struct Mail {
    pub recipients: usize,
    pub text: String,
    pub accepted: bool,
}

impl Mail {
    /// A header; empty where it is not there.
    pub fn header(&self, name: &str) -> String {
        let mut headers = self.text.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value).to_owned()
    }
}

#[derive(Default)]
struct Inner {
    mails: Vec<Mail>,
    turn_away: usize,
}

pub struct SmtpServer {
    pub port: u16,
    inner: Arc<Mutex<Inner>>,
}

impl SmtpServer {
    /// One on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::<Mutex<Inner>>::default();
        let serving = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { port, inner }
    }

    /// Has no room for the next mails.
    pub fn turn_away(&self, count: usize) {
        self.inner.lock().unwrap().turn_away = count;
    }

    pub fn tried(&self) -> Vec<Mail> {
        self.inner.lock().unwrap().mails.clone()
    }

    pub fn accepted(&self) -> Vec<Mail> {
        self.tried().into_iter().filter(|mail| mail.accepted).collect()
    }
}

async fn serve(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) -> Option<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 here\r\n").await.ok()?;
    let mut recipients = 0;
    while let Some(line) = lines.next_line().await.ok()? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "RCPT" => {
                recipients += 1;
                "250 ok"
            }
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                    text.push_str(&line);
                    text.push('\n');
                }
                let mut inner = inner.lock().unwrap();
                let accepted = inner.turn_away == 0;
                inner.turn_away = inner.turn_away.saturating_sub(1);
                inner.mails.push(Mail { recipients, text, accepted });
                if accepted { "250 taken" } else { "452 no room" }
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    Some(())
}
