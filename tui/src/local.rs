//! `--local`: the daemons of one's own, started when there are none and
//! stopped on the way out.

use crate::action::{Action, Local};
use crate::cli::{Endpoint, Endpoints};
use rustix::process::{Pid, Signal, kill_process};
use shared::client::{ClientError, RegistryClient};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// For how long a registry may take to show that it is there.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// For how long the daemons may take to stop: their own promise is 10 s.
const STOP_MAX: Duration = Duration::from_secs(12);
/// How much of what the daemons say last is kept, to explain their end.
const SAID_BYTES_MAX: usize = 4 * 1024;

/// Starts the daemons unless a registry answers, says how they do, and stops
/// them when told to.
pub(crate) async fn run(
    endpoints: Endpoints,
    registry: RegistryClient,
    actions: mpsc::Sender<Action>,
    stop: CancellationToken,
) {
    let tell = async |local| {
        // The receiver is gone only when the program ends.
        let _ = actions.send(Action::Local(local)).await;
    };
    let answer = tokio::time::timeout(ANSWER_MAX, registry.services()).await;
    if matches!(answer, Ok(Ok(_) | Err(ClientError::Refused(_) | ClientError::Unexpected { .. }))) {
        tell(Local::NotNeeded).await;
        return;
    }
    let mut child = match start(&endpoints) {
        Ok(child) => child,
        Err(cause) => {
            tell(Local::Failed(cause)).await;
            return;
        }
    };
    tell(Local::Starting).await;
    let said = tokio::spawn(last_said(child.stderr.take()));
    tokio::select! {
        status = child.wait() => {
            let said = said.await.unwrap_or_default();
            let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            tell(Local::Failed(format!("distlogd all ended ({status}): {said}"))).await;
        }
        () = stop.cancelled() => terminate(child).await,
    }
}

/// Starts `distlogd all` on the ports where the console looks for it.
fn start(endpoints: &Endpoints) -> Result<Child, String> {
    let program = beside("distlogd")?;
    let mut command = Command::new(&program);
    command.arg("all");
    for (flag, endpoint) in [
        ("--registry-port", &endpoints.registry),
        ("--log-port", &endpoints.log),
        ("--library-port", &endpoints.library),
        ("--monitor-port", &endpoints.monitor),
    ] {
        if let Some(port) = Endpoint::port(endpoint) {
            command.arg(flag).arg(port.to_string());
        }
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // A key that the terminal turns into a signal is meant for the console.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{} cannot be started: {error}", program.display()))
}

/// A program in the directory of this one.
fn beside(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("where distlog-tui is: {error}"))?;
    let program = own.with_file_name(name);
    if program.is_file() {
        Ok(program)
    } else {
        Err(format!("{} is not there: --local needs distlogd beside distlog-tui", program.display()))
    }
}

/// Reads everything, and answers the last line of it.
async fn last_said(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut said = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        said.extend(chunk.iter().take(read));
        let over = said.len().saturating_sub(SAID_BYTES_MAX);
        said.drain(..over);
    }
    let said = String::from_utf8_lossy(&said);
    said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim().to_owned()
}

/// Asks the daemons to stop, and waits; insists when they do not.
async fn terminate(mut child: Child) {
    // One that has ended needs no asking.
    if let Some(process) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        let _ = kill_process(process, Signal::TERM);
    }
    if tokio::time::timeout(STOP_MAX, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}
