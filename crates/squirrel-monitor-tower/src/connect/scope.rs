//! How an inner wrapper tells an outer one what it saw: by a value that is set while the outer one's
//! future is polled, for the inner one's future is polled inside it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

tokio::task_local! {
    static OUTER: Shared;
}

/// What the wrappers inside one attempt to connect told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) dns: Dns,
    /// The time until TCP was connected, when TLS is to follow.
    pub(super) before_tls: Option<Duration>,
}

/// Where the resolution of the name has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Dns {
    /// There was none: an address needs no resolution, and a resolver may be unwrapped.
    #[default]
    None,
    /// It has begun and not succeeded.
    Unfinished,
    /// It succeeded and took so long.
    Took(Duration),
}

/// [`Told`], shared between the wrappers of one attempt. The lock is held for a few instructions, and not
/// on the path of reading or writing.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(Arc<Mutex<Told>>);

impl Shared {
    /// Runs `poll` so that wrappers inside it find this.
    pub(super) fn around<R>(&self, poll: impl FnOnce() -> R) -> R {
        OUTER.sync_scope(self.clone(), poll)
    }

    /// That of the wrapper outside the running one.
    pub(super) fn outer() -> Option<Self> {
        OUTER.try_with(Self::clone).ok()
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
