//! One thread on which models prove themselves, one after the other: what a pass takes is measured undisturbed by another
//! load, and the buffers that the kernels keep by thread are kept once, not by every thread that ever loaded.

use std::{io, sync::mpsc, thread};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The thread. It ends when the last clone is dropped.
#[derive(Clone)]
pub struct ProvingGround(mpsc::Sender<Job>);

impl ProvingGround {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system grants none.
    pub fn new() -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("marquee-proving".to_owned())
            .spawn(move || jobs.into_iter().for_each(|job| job()))?;
        Ok(Self(sender))
    }

    /// Runs `work` there. None when it panicked, or the thread is gone.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job = move || {
            // A panic loses its answer, and the thread goes on.
            if let Ok(done) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                // Nobody waits any more when this fails.
                let _ = answer.send(done);
            }
        };
        self.0.send(Box::new(job)).ok()?;
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_on_one_thread_and_survives_a_panic() {
        let ground = ProvingGround::new().unwrap();
        let first = ground.run(|| thread::current().id()).await;
        assert_eq!(ground.run(|| panic!("a bad model")).await, None::<()>);
        assert_eq!(ground.run(|| thread::current().id()).await, first);
        assert_ne!(first, Some(thread::current().id()));
    }
}
