//! Progress of artifact loads, for `/status`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

pub use marquee_crds::runtime_status::Loading;
use parking_lot::Mutex;

/// All loads in progress.
#[derive(Clone, Debug, Default)]
pub struct Loads(Arc<Mutex<Vec<Arc<Load>>>>);

/// One load.
#[derive(Debug)]
pub struct Load {
    uri: String,
    began: Instant,
    bytes: AtomicU64,
    total: AtomicU64,
}

/// Ends its load when it is dropped.
#[derive(Debug)]
pub struct LoadGuard {
    loads: Loads,
    /// Records the progress.
    pub load: Arc<Load>,
}

impl Loads {
    /// Begins a load of the artifact at `uri`.
    pub fn begin(&self, uri: &str, now: Instant) -> LoadGuard {
        let load = Arc::new(Load {
            uri: uri.to_owned(),
            began: now,
            bytes: AtomicU64::new(0),
            total: AtomicU64::new(0),
        });
        self.0.lock().push(load.clone());
        LoadGuard { loads: self.clone(), load }
    }

    /// Progress of the load of `uri`. `None` if no such load is in progress.
    pub fn of(&self, uri: &str, now: Instant) -> Option<Loading> {
        let loads = self.0.lock();
        let load = loads.iter().find(|load| load.uri == uri)?;
        Some(Loading {
            bytes: load.bytes.load(Relaxed),
            total_bytes: load.total.load(Relaxed),
            seconds: now.saturating_duration_since(load.began).as_millis() as f64 / 1000.0,
        })
    }
}

impl Load {
    /// Records that this many bytes of `total` have arrived.
    pub fn set_progress(&self, bytes: u64, total: u64) {
        self.bytes.store(bytes, Relaxed);
        self.total.store(total, Relaxed);
    }
}

impl Drop for LoadGuard {
    fn drop(&mut self) {
        self.loads.0.lock().retain(|load| !Arc::ptr_eq(load, &self.load));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_load_is_seen_while_it_lasts() {
        let (loads, now) = (Loads::default(), Instant::now());
        assert_eq!(loads.of("s3://b/a", now), None);
        let guard = loads.begin("s3://b/a", now);
        guard.load.set_progress(7, 9);
        let later = now + Duration::from_millis(1500);
        assert_eq!(loads.of("s3://b/a", later), Some(Loading { bytes: 7, total_bytes: 9, seconds: 1.5 }));
        assert_eq!(loads.of("s3://b/b", later), None, "another artifact");
        drop(guard);
        assert_eq!(loads.of("s3://b/a", later), None);
    }
}
