//! A program: the notification as JSON on its standard input, the main parts in
//! its environment. It succeeds with status 0. Whoever takes too long is killed,
//! with all that it started.

use super::SendError;
use crate::settings::channel;
use rustix::process::{Pid, Signal, kill_process_group};
use shared::wire::alert::Notification;
use std::process::Stdio;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::ChildStdin;

/// How much of what it says is kept.
const OUTPUT_MAX: usize = 2_000;

pub struct Command {
    argv: Vec<String>,
}

/// A process group that ends with this.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may be gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Command {
    pub fn new(command: &channel::Command) -> Self {
        Self { argv: command.argv.clone() }
    }

    pub async fn run(&self, notification: &Notification) -> Result<(), SendError> {
        let Some((program, arguments)) = self.argv.split_first() else { return Ok(()) };
        let cannot =
            |what: &str, error: std::io::Error| SendError::Away(format!("{what} {program}: {error}"));
        let (output, said) = std::io::pipe().map_err(|e| cannot("cannot start", e))?;
        let mut output = Receiver::from_owned_fd(output.into()).map_err(|e| cannot("cannot start", e))?;
        let mut command = tokio::process::Command::new(program);
        command
            .args(arguments)
            .env("DISTLOG_KEY", &notification.key)
            .env("DISTLOG_KIND", notification.kind.as_str())
            .env("DISTLOG_CHANNEL", &notification.channel)
            .env("DISTLOG_SERVICE", &notification.service)
            .env("DISTLOG_INCIDENT", notification.incident.id.to_string())
            .env("DISTLOG_TITLE", &notification.title)
            .stdin(Stdio::piped())
            .stdout(said.try_clone().map_err(|e| cannot("cannot start", e))?)
            .stderr(said)
            .process_group(0);
        let mut child = command.spawn().map_err(|e| cannot("cannot start", e))?;
        // It holds the pipe's other end, which must close when the child's does.
        drop(command);
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let mut group = Group(pid);
        let body = serde_json::to_vec(notification).unwrap_or_default();
        let stdin = child.stdin.take();
        let mut text = Vec::new();
        let status = {
            let listen = listen(&mut output, &mut text);
            let talk = async {
                write(stdin, &body).await;
                child.wait().await
            };
            let (mut listen, mut talk) = (std::pin::pin!(listen), std::pin::pin!(talk));
            tokio::select! {
                status = &mut talk => status,
                () = &mut listen => talk.await,
            }
        };
        let status = status.map_err(|e| cannot("cannot wait for", e))?;
        // What it left running in the background it may have meant to.
        group.0 = None;
        rest(&output, &mut text);
        if status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&text);
        Err(SendError::Away(match text.trim() {
            "" => format!("{program} ended with {status}"),
            said => format!("{program} ended with {status}: {said}"),
        }))
    }
}

/// That a program does not read what it is told is its own affair.
async fn write(stdin: Option<ChildStdin>, body: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(body).await;
    }
}

/// Reads until the other side is closed; keeps the beginning.
async fn listen(output: &mut Receiver, text: &mut Vec<u8>) {
    while output.readable().await.is_ok() {
        match take(output, text) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Reads what is there already.
fn rest(output: &Receiver, text: &mut Vec<u8>) {
    while text.len() < OUTPUT_MAX && take(output, text).is_ok_and(|n| n > 0) {}
}

fn take(output: &Receiver, text: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut piece = [0; 1024];
    let n = output.try_read(&mut piece)?;
    let room = OUTPUT_MAX.saturating_sub(text.len());
    text.extend(piece.iter().take(n.min(room)));
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::wire::alert::NotificationKind;
    use std::time::Duration;

    async fn run(script: &str) -> Result<(), SendError> {
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let sample = super::super::super::sample(
            "ops",
            NotificationKind::Opened,
            String::new(),
            chrono::DateTime::UNIX_EPOCH,
        );
        Command { argv }.run(&sample).await
    }

    #[tokio::test]
    async fn a_program_is_given_json_and_an_environment_and_its_status_counts() {
        assert_eq!(run(r#"test "$DISTLOG_KIND" = opened && grep -q '"kind":"opened"'"#).await, Ok(()));
        let error = run("echo it rains; exit 3").await.unwrap_err();
        assert!(error.words().contains("exit status: 3: it rains"), "{error}");
        assert_eq!(run("exec <&-; exit 0").await, Ok(()), "it need not read");
        let error = run("yes | head -c 100000; exit 1").await.unwrap_err().words();
        assert!(error.len() < 1_000);
        let error = Command { argv: vec!["/no/such".to_owned()] };
        let sample = super::super::super::sample(
            "o",
            NotificationKind::Test,
            String::new(),
            chrono::DateTime::UNIX_EPOCH,
        );
        assert!(error.run(&sample).await.unwrap_err().words().contains("cannot start /no/such"));
    }

    #[tokio::test]
    async fn whoever_takes_too_long_is_killed_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {0}.tmp; mv {0}.tmp {0}; wait", path.display());
        let written = async {
            loop {
                if let Ok(pid) = std::fs::read_to_string(&path) {
                    return pid.trim().parse::<i32>().unwrap();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let pid = tokio::select! {
            _ = run(&script) => panic!("it does not end by itself"),
            pid = written => Pid::from_raw(pid).unwrap(),
        };
        while rustix::process::test_kill_process(pid).is_ok() && !is_dead(pid) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Killed, and not yet taken up by whoever adopts orphans here.
    fn is_dead(pid: Pid) -> bool {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
    }
}
