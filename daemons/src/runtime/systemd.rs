//! Signals, and what systemd wants to hear.

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Resolves at the first SIGTERM or Ctrl-C.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Says that everything is served, and from then on that the runtime lives.
pub fn ready(tasks: &TaskTracker, stop: CancellationToken) {
    notify(NotifyState::Ready);
    if let Some(limit) = sd_notify::watchdog_enabled() {
        tasks.spawn(stop.run_until_cancelled_owned(async move {
            let mut ticks = tokio::time::interval(limit / 3);
            loop {
                ticks.tick().await;
                notify(NotifyState::Watchdog);
            }
        }));
    }
}

/// Says that the stop has begun.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

fn notify(state: NotifyState) {
    // Without systemd there is nobody to tell.
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!("systemd was not told: {error}");
    }
}
