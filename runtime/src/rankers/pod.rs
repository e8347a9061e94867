//! One pod: its connection, its requests in flight, its health.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tonic::transport::{Channel, Endpoint};

use super::health::{Candidate, Failure, Health};
use crate::contract::marquee::v1::ranker_client::RankerClient;

/// A pod that does not accept a connection in this time counts as unreachable. Pages wait only a fraction of a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval of keep-alive pings on an idle connection. A node that crashed does not close its connections.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest time between two transfers of slices to one pod, even if it drops them early.
const SLICES_EVERY: Duration = Duration::from_secs(10);
/// HTTP/2 window: large enough for the scores of several requests.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// One pod.
pub struct Pod {
    /// `host:port`.
    pub address: String,
    channel: Channel,
    in_flight: AtomicU32,
    health: Mutex<Health>,
    /// When missing slices were last sent to it.
    slices_sent: Mutex<Option<Instant>>,
}

/// Counts a request to a pod as in flight until it is dropped.
pub struct OnItsWay(Arc<Pod>);

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Pod {
    /// A pod at `host:port`. It connects at the first request, and needs a Tokio runtime for that.
    ///
    /// # Errors
    /// Fails if the address is invalid.
    pub fn new(address: &str) -> Result<Arc<Self>, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE_EVERY)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        Ok(Arc::new(Self {
            address: address.to_owned(),
            channel: endpoint.connect_lazy(),
            in_flight: AtomicU32::new(0),
            health: Mutex::default(),
            slices_sent: Mutex::default(),
        }))
    }

    /// A client for queries. Its message limit allows answers as long as a title table.
    pub fn client(&self) -> RankerClient<Channel> {
        RankerClient::new(self.channel.clone()).max_decoding_message_size(usize::MAX)
    }

    /// Begins a request.
    pub fn begin(self: &Arc<Self>) -> OnItsWay {
        self.in_flight.fetch_add(1, Relaxed);
        OnItsWay(self.clone())
    }

    /// The pod's state, as the choice of a pod needs it.
    pub fn candidate(&self, now: Instant) -> Candidate {
        Candidate { is_ejected: self.health.lock().is_ejected(now), in_flight: self.in_flight.load(Relaxed) }
    }

    /// Whether its last queries failed, as of `now`.
    pub fn is_failing(&self, now: Instant) -> bool {
        self.health.lock().is_failing(now)
    }

    /// Whether slices may be sent to it now. False if the last transfer was too recent.
    pub fn may_send_slices(&self, now: Instant) -> bool {
        let mut sent = self.slices_sent.lock();
        let is_due = sent.is_none_or(|sent| now.saturating_duration_since(sent) >= SLICES_EVERY);
        if is_due {
            *sent = Some(now);
        }
        is_due
    }

    /// Records an answer.
    pub fn succeeded(&self) {
        self.health.lock().succeeded();
    }

    /// Records a failure. Returns true if this failure ejects the pod.
    pub fn failed(&self, failure: Failure, now: Instant, jitter: f64) -> bool {
        self.health.lock().failed(failure, now, jitter)
    }
}
