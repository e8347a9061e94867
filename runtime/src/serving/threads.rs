//! The threads of a process: those that answer, and those that load. Loads take long and leave each thread with the memory
//! that its largest one took, so they have few threads of their own, and nobody's answer waits for them.

use std::{io, num::NonZeroUsize};

use tokio::runtime::{Builder, Runtime};

/// Threads for what blocks besides heavy passes, such as a search of the preview's viewer picker.
const BLOCKING: usize = 2;
/// Threads that read manifests and check artifacts.
const LOADING: usize = 2;

/// Answers requests: `workers` threads (one a core when not given), and bounded ones for heavy passes.
///
/// # Errors
/// When the system grants no threads.
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

/// Loads: the thread that waits for it, and two for what blocks.
///
/// # Errors
/// When the system grants no threads.
pub fn loading() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .thread_name("marquee-load")
        .max_blocking_threads(LOADING)
        .enable_all()
        .build()
}
