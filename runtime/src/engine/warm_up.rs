//! One thread on which models run for the first time, one after the other. The cost of a pass is then measured undisturbed by
//! another load, and the buffers that the kernels keep by thread are kept once, not by every thread that ever loaded.

use std::{io, sync::mpsc, thread};

use tokio::sync::oneshot;

type Task = Box<dyn FnOnce() + Send>;

/// The thread. It ends when the last clone is dropped.
#[derive(Clone)]
pub struct WarmUpThread(mpsc::Sender<Task>);

impl WarmUpThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system grants none.
    pub fn new() -> io::Result<Self> {
        let (sender, tasks) = mpsc::channel::<Task>();
        thread::Builder::new()
            .name("marquee-warm-up".to_owned())
            .spawn(move || tasks.into_iter().for_each(|task| task()))?;
        Ok(Self(sender))
    }

    /// Runs `work` there. None when it panicked, or the thread is gone.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let task = move || {
            // A panic loses its answer, and the thread goes on.
            if let Ok(done) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                // Nobody waits any more when this fails.
                let _ = answer.send(done);
            }
        };
        self.0.send(Box::new(task)).ok()?;
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_on_one_thread_and_survives_a_panic() {
        let warm_up = WarmUpThread::new().unwrap();
        let first = warm_up.run(|| thread::current().id()).await;
        assert_eq!(warm_up.run(|| panic!("a bad model")).await, None::<()>);
        assert_eq!(warm_up.run(|| thread::current().id()).await, first);
        assert_ne!(first, Some(thread::current().id()));
    }
}
