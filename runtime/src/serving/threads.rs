//! The thread pools of a process: one answers requests, the other loads artifacts. A load takes long, and its thread keeps the
//! memory of its largest load, so loads have a few threads of their own and requests never wait for them.

use std::{io, num::NonZeroUsize};

use tokio::runtime::{Builder, Runtime};

/// Threads for blocking work other than heavy passes, e.g. a search in the preview's viewer picker.
const BLOCKING: usize = 2;
/// Threads that read manifests and check artifacts.
const LOADING: usize = 2;

/// The runtime that answers requests: `workers` threads (default: one for each core), and a bounded pool for heavy passes.
///
/// # Errors
/// Fails if the system cannot start threads.
pub fn answering(workers: Option<NonZeroUsize>, heavy_passes: NonZeroUsize) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers.get());
    }
    builder
        .thread_name("marquee-answer")
        .max_blocking_threads(heavy_passes.get() + BLOCKING)
        .enable_all()
        .build()
}

/// The runtime that loads artifacts: one thread that waits, and two for blocking work.
///
/// # Errors
/// Fails if the system cannot start threads.
pub fn loading() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .thread_name("marquee-load")
        .max_blocking_threads(LOADING)
        .enable_all()
        .build()
}
