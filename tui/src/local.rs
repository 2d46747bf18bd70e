//! `--local`: the daemons of one's own, started when there are none and
//! stopped on the way out.

use crate::action::{Action, Local};
use crate::cli::{Endpoint, Endpoints};
use rustix::process::{Pid, Signal, kill_process};
use shared::client::{ClientError, RegistryClient};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// For how long a registry may take to show that it is there.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// For how long the daemons may take to stop: their own promise is 10 s.
const STOP_MAX: Duration = Duration::from_secs(12);
/// How much of what the daemons say last is kept, to explain their end.
const SAID_BYTES_MAX: usize = 4 * 1024;

/// The daemons of `--local`.
pub(crate) struct Daemons {
    task: JoinHandle<()>,
    again: Arc<Notify>,
    stop: CancellationToken,
}

impl Daemons {
    /// Starts them unless a registry answers, and says how they do.
    pub(crate) fn start(
        endpoints: Endpoints,
        registry: RegistryClient,
        actions: mpsc::Sender<Action>,
    ) -> Self {
        let (again, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let task = tokio::spawn(run(endpoints, registry, actions, again.clone(), stop.clone()));
        Self { task, again, stop }
    }

    /// Starts them again, where they have ended.
    pub(crate) fn again(&self) {
        // Nobody waits for it while they run.
        self.again.notify_waiters();
    }

    /// Stops them. True where that takes a while; [`Self::stopped`] waits for it.
    pub(crate) fn stop(&self) -> bool {
        // First of all: the terminal may be gone, but the daemons are to end in order.
        self.stop.cancel();
        !self.task.is_finished()
    }

    /// Waits until they are stopped.
    pub(crate) async fn stopped(self) {
        let _ = self.task.await;
    }
}

/// Keeps the daemons until told to stop; those that have ended are started again
/// when somebody asks for it.
async fn run(
    endpoints: Endpoints,
    registry: RegistryClient,
    actions: mpsc::Sender<Action>,
    again: Arc<Notify>,
    stop: CancellationToken,
) {
    loop {
        let answer = tokio::time::timeout(ANSWER_MAX, registry.services()).await;
        if matches!(answer, Ok(Ok(_) | Err(ClientError::Refused(_) | ClientError::Unexpected { .. }))) {
            tell(&actions, Local::NotNeeded).await;
            return;
        }
        let ended = match start(&endpoints) {
            Ok(child) => {
                tell(&actions, Local::Starting).await;
                end(child, &stop).await
            }
            Err(cause) => Some(Local::Failed(cause)),
        };
        let Some(ended) = ended else { return };
        tell(&actions, ended).await;
        tokio::select! {
            () = again.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn tell(actions: &mpsc::Sender<Action>, local: Local) {
    // The receiver is gone only when the program ends.
    let _ = actions.send(Action::Local(local)).await;
}

/// Waits for the daemons to end, and says how they did; none where they were
/// stopped.
async fn end(mut child: Child, stop: &CancellationToken) -> Option<Local> {
    let said = tokio::spawn(last_said(child.stderr.take()));
    tokio::select! {
        status = child.wait() => {
            let said = said.await.unwrap_or_default();
            let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            Some(Local::Ended { status, said })
        }
        () = stop.cancelled() => {
            terminate(child).await;
            None
        }
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
