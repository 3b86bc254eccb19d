//! The kernel that a monitor asks, and what it does when the kernel does not answer.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use squirrel_sys::{Kernel, Linux};

use super::tracker::Tracker;
use super::{SocketStats, TrackedConnection, collect};
use crate::{AlertKind, MonitorError, Result};

/// After failures in a row, at most this many ticks are left out before the next try.
const MOST_SKIPPED: u32 = 63;

/// The sockets of a monitor.
pub(crate) struct SocketWatch {
    /// Opened when sockets are first asked for.
    kernel: Arc<OnceLock<Arc<dyn Kernel>>>,
    /// How many connections are listed; zero when they are not tracked.
    limit: usize,
    state: Mutex<State>,
}

struct State {
    tracker: Tracker,
    /// Failures in a row.
    failures: u32,
    /// Ticks still to be left out.
    skip: u32,
}

impl SocketWatch {
    pub(crate) fn new(limit: usize, interval: Duration) -> Self {
        let state = State { tracker: Tracker::new(interval * 4), failures: 0, skip: 0 };
        Self { kernel: Arc::default(), limit, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks this kernel from now on, unless another was asked before.
    #[cfg(test)]
    pub(crate) fn ask(&self, kernel: Arc<dyn Kernel>) {
        let _ = self.kernel.set(kernel);
    }

    pub(crate) async fn collect(&self) -> Result<SocketStats> {
        let (kernel, limit) = (Arc::clone(&self.kernel), self.limit);
        let collect = move || {
            // A sandbox may refuse netlink; the files of /proc are then what is left.
            let open = || Arc::new(Linux::open().unwrap_or_else(|_| Linux::without_netlink())) as Arc<dyn Kernel>;
            let kernel = kernel.get_or_init(open);
            collect(kernel.as_ref(), limit).map_err(|error| MonitorError::Sockets { reason: error.to_string() })
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                let failed = |error: tokio::task::JoinError| MonitorError::Sockets { reason: error.to_string() };
                runtime.spawn_blocking(collect).await.map_err(failed)?
            }
            Err(_) => collect(),
        }
    }

    /// One tick: follows the connections if they are tracked, and if it is time to ask. Answers with
    /// what is to be told.
    pub(crate) async fn tick(&self, now: impl Fn() -> Duration) -> Option<AlertKind> {
        if self.limit == 0 || !self.is_due() {
            return None;
        }
        let outcome = self.collect().await;
        let mut state = self.state();
        match outcome {
            Ok(stats) => {
                state.tracker.update(now(), stats.connections);
                (std::mem::take(&mut state.failures) > 0).then_some(AlertKind::SocketsReadable)
            }
            Err(error) => {
                // What is no longer true is not shown.
                state.tracker.update(now(), Vec::new());
                state.failures = state.failures.saturating_add(1);
                // 1, 3, 7, … ticks are left out.
                state.skip = (1u32.checked_shl(state.failures).unwrap_or(u32::MAX) - 1).min(MOST_SKIPPED);
                (state.failures == 1).then(|| AlertKind::SocketsUnreadable { reason: error.to_string() })
            }
        }
    }

    fn is_due(&self) -> bool {
        let mut state = self.state();
        let due = state.skip == 0;
        state.skip = state.skip.saturating_sub(1);
        due
    }

    pub(crate) fn connections(&self) -> Vec<TrackedConnection> {
        self.state().tracker.connections()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squirrel_testkit::FakeKernel;

    const SECOND: Duration = Duration::from_secs(1);
    const TABLE: &str = "header\n 0: 0100007F:1F90 0200007F:C350 01 0:0 00:0 0 0 0 7 1\n";

    #[tokio::test]
    async fn a_kernel_that_refuses_is_asked_less_and_less_and_told_once() {
        let kernel = Arc::new(FakeKernel::default().with("/proc/self/fd/3", "socket:[7]"));
        let watch = SocketWatch::new(10, SECOND);
        watch.ask(Arc::new(Shared(Arc::clone(&kernel))));
        let mut told = Vec::new();
        for second in 0..10 {
            told.extend(watch.tick(|| second * SECOND).await);
        }
        // Asked at 0, 2 and 6; the next is 14.
        assert_eq!(watch.state().failures, 3);
        kernel.write("/proc/net/tcp", TABLE);
        for second in 10..20 {
            told.extend(watch.tick(|| second * SECOND).await);
        }
        let [AlertKind::SocketsUnreadable { reason }, AlertKind::SocketsReadable] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert!(reason.contains("netlink dump"), "{reason}");
        let [only] = <[_; 1]>::try_from(watch.connections()).unwrap();
        assert_eq!((only.connection.inode, only.known_for), (7, 5 * SECOND));
        kernel.remove("/proc/net/tcp");
        assert!(watch.tick(|| 20 * SECOND).await.is_some());
        assert_eq!(watch.connections(), [], "what is no longer true is not shown");
    }

    #[tokio::test]
    async fn what_is_not_tracked_is_not_asked_for() {
        let watch = SocketWatch::new(0, SECOND);
        watch.ask(Arc::new(FakeKernel::default()));
        assert_eq!(watch.tick(|| SECOND).await, None);
        assert_eq!(watch.state().failures, 0);
    }

    /// A kernel that the test goes on changing.
    struct Shared(Arc<FakeKernel>);

    impl Kernel for Shared {
        fn read(&self, path: &str, out: &mut Vec<u8>) -> Result<(), squirrel_sys::SysError> {
            self.0.read(path, out)
        }

        fn list(&self, path: &str, each: &mut dyn FnMut(&[u8])) -> Result<(), squirrel_sys::SysError> {
            self.0.list(path, each)
        }

        fn link(&self, path: &str, out: &mut Vec<u8>) -> Result<(), squirrel_sys::SysError> {
            self.0.link(path, out)
        }

        fn dump(
            &self,
            family: squirrel_sys::Netlink,
            message_type: u16,
            payload: &[u8],
            each: &mut dyn FnMut(u16, &[u8]),
        ) -> Result<(), squirrel_sys::SysError> {
            self.0.dump(family, message_type, payload, each)
        }

        fn ethtool(&self, interface: &str, command: &mut [u8]) -> Result<(), squirrel_sys::SysError> {
            self.0.ethtool(interface, command)
        }
    }
}
