//! The threads that move octets: one for each stream.

mod tcp;
mod udp;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use squirrel_sys::clock::Monotonic;

pub(crate) use tcp::{receive as receive_tcp, send as send_tcp};
pub(crate) use udp::{receive as receive_udp, send as send_udp};

/// Ends something that goes on in other threads.
#[derive(Debug, Default)]
pub struct Stop {
    set: AtomicBool,
    lock: Mutex<()>,
    woken: Condvar,
}

impl Stop {
    /// Asks to end.
    pub fn set(&self) {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.set.store(true, Relaxed);
        drop(guard);
        self.woken.notify_all();
    }

    /// Whether to end.
    pub fn is_set(&self) -> bool {
        self.set.load(Relaxed)
    }

    /// Waits so long, or until it is set; says whether it is.
    pub fn wait(&self, span: Duration) -> bool {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_set() {
            drop(self.woken.wait_timeout(guard, span));
        }
        self.is_set()
    }
}

/// What a stream has done so far. One thread writes, another looks.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) octets: AtomicU64,
    pub(crate) datagrams: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) out_of_order: AtomicU64,
    pub(crate) strange: AtomicU64,
    /// Datagrams that came, and the messages in which the kernel handed them over.
    pub(crate) handed: [AtomicU64; 2],
    /// The bits of a float: seconds.
    jitter: AtomicU64,
    /// Microseconds in which the thread waited because of its bitrate.
    pub(crate) paced_us: AtomicU64,
    /// Whether the other side closed the stream, or it broke.
    pub(crate) broken: AtomicBool,
}

/// A look at a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// Octets sent or received.
    pub octets: u64,
    /// Datagrams: sent, or the highest number that came.
    pub datagrams: u64,
    /// Datagrams that did not come.
    pub lost: u64,
    /// Datagrams that came later than one with a higher number.
    pub out_of_order: u64,
    /// Seconds of jitter: no counter, but how it is now.
    pub jitter: f64,
}

impl Counters {
    /// What was added since. Jitter stays what it is.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            octets: self.octets.saturating_sub(earlier.octets),
            datagrams: self.datagrams.saturating_sub(earlier.datagrams),
            lost: self.lost.saturating_sub(earlier.lost),
            out_of_order: self.out_of_order.saturating_sub(earlier.out_of_order),
            jitter: self.jitter,
        }
    }
}

impl Meter {
    pub(crate) fn read(&self) -> Counters {
        Counters {
            octets: self.octets.load(Relaxed),
            datagrams: self.datagrams.load(Relaxed),
            lost: self.lost.load(Relaxed),
            out_of_order: self.out_of_order.load(Relaxed),
            jitter: f64::from_bits(self.jitter.load(Relaxed)),
        }
    }

    /// Of one writer: a plain store is enough, and costs less than an addition that others could make too.
    fn add(counter: &AtomicU64, more: u64) {
        counter.store(counter.load(Relaxed) + more, Relaxed);
    }
}

/// What all streams of one direction may send together.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU64);

impl Budget {
    pub(crate) fn new(octets: u64) -> Self {
        Self(AtomicU64::new(octets))
    }

    /// Takes up to so many octets; gives how many there were.
    fn take(&self, wanted: usize) -> usize {
        let wanted = wanted as u64;
        let before = self.0.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(wanted)));
        before.unwrap_or(0).min(wanted) as usize
    }

    /// Puts back what was not sent.
    fn put_back(&self, octets: usize) {
        self.0.fetch_add(octets as u64, Relaxed);
    }
}

/// What a thread needs beside its socket.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) meter: Arc<Meter>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) clock: Monotonic,
    /// Octets of a block or a datagram.
    pub(crate) block: usize,
    /// Bits a second; none if 0.
    pub(crate) rate: u64,
    pub(crate) budget: Option<Arc<Budget>>,
    /// Numbers of datagrams have 64 bits.
    pub(crate) wide: bool,
    /// Octets are sent without a copy.
    pub(crate) zero_copy: bool,
}

impl Work {
    fn now(&self) -> Duration {
        self.clock.elapsed().0
    }

    fn pacer(&self) -> Option<crate::pacing::Pacer> {
        (self.rate > 0).then(|| crate::pacing::Pacer::new(self.rate, self.now()))
    }

    /// Waits until the bitrate allows to go on. Says whether to.
    fn paced(&self, pacer: &crate::pacing::Pacer) -> bool {
        let now = self.now();
        let wait = pacer.wait(now);
        if wait.is_zero() {
            return !self.stop.is_set();
        }
        let stopped = self.stop.wait(wait);
        Meter::add(&self.meter.paced_us, u64::try_from(self.now().saturating_sub(now).as_micros()).unwrap_or(0));
        !stopped
    }
}

/// Octets that look like nothing, so that no device on the way gains by compressing them.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_once() {
        let budget = Budget::new(1000);
        assert_eq!((budget.take(700), budget.take(700), budget.take(700)), (700, 300, 0));
        budget.put_back(5);
        assert_eq!(budget.take(700), 5);
    }

    #[test]
    fn a_stop_wakes_who_waits() {
        let stop = Arc::new(Stop::default());
        assert!(!stop.wait(Duration::from_millis(1)));
        let waiting = stop.clone();
        let thread = std::thread::spawn(move || waiting.wait(Duration::from_mins(1)));
        stop.set();
        assert!(thread.join().unwrap() && stop.wait(Duration::from_mins(1)));
    }
}
