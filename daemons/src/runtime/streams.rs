//! The threads that write to the readers of streams.
//!
//! They are few and have a low priority: however many readers there are, the
//! threads that answer requests get the processor first.

use std::io;
use std::num::NonZero;
use std::thread;
use tokio::runtime::{Builder, Handle, Runtime};

/// The niceness of the threads: a tenth of what other threads get, when there is not enough for all.
const NICENESS: i32 = 10;
/// More threads do not write faster: the kernel's part is the largest.
const THREADS_MAX: usize = 4;
/// Threads that read older lines for followers.
const READING_THREADS_MAX: usize = 4;

/// The runtime for streams. Dropping it ends the streams that are left.
pub struct Streams {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Streams {
    /// Starts the threads.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads((cores / 2).clamp(1, THREADS_MAX))
            .max_blocking_threads(READING_THREADS_MAX)
            .thread_name("streams")
            .on_thread_start(lower_priority)
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Where to spawn.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Streams {
    /// A runtime must not be dropped where it would block another.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn lower_priority() {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!("the threads for streams keep their priority: {error}");
    }
}
