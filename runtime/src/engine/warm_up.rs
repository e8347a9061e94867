//! The thread on which models run for the first time, one after the other. Other loads then do not disturb the measured cost
//! of a pass, and only one thread keeps the thread-local buffers of the kernels.

use std::{io, sync::mpsc, thread};

use tokio::sync::oneshot;

type Task = Box<dyn FnOnce() + Send>;

/// The warm-up thread. It ends when the last clone is dropped.
#[derive(Clone)]
pub struct WarmUpThread(mpsc::Sender<Task>);

impl WarmUpThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// Fails if the system cannot start a thread.
    pub fn new() -> io::Result<Self> {
        let (sender, tasks) = mpsc::channel::<Task>();
        thread::Builder::new()
            .name("marquee-warm-up".to_owned())
            .spawn(move || tasks.into_iter().for_each(|task| task()))?;
        Ok(Self(sender))
    }

    /// Runs `work` on the thread. `None` if it panicked, or if the thread ended.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let task = move || {
            // After a panic there is no answer, but the thread continues.
            if let Ok(done) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                // This fails if the caller no longer waits.
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
    async fn all_work_runs_on_one_thread_which_survives_a_panic() {
        let warm_up = WarmUpThread::new().unwrap();
        let first = warm_up.run(|| thread::current().id()).await;
        assert_eq!(warm_up.run(|| panic!("a bad model")).await, None::<()>);
        assert_eq!(warm_up.run(|| thread::current().id()).await, first);
        assert_ne!(first, Some(thread::current().id()));
    }
}
