//! Samples that came to the store with times that the cursor has passed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use squirrel_model::{Labels, Timestamp};

/// Most samples that wait. They are few: a target that is behind has not passed them.
const MOST: usize = 200_000;

/// Late samples that wait to be sent.
#[derive(Debug)]
pub(super) struct Late {
    horizon: AtomicI64,
    waiting: Mutex<Vec<(Labels, Timestamp, f64)>>,
}

impl Late {
    pub(super) fn new(sent: i64) -> Self {
        Self { horizon: AtomicI64::new(sent), waiting: Mutex::default() }
    }

    /// From now on, what is not after `end` is late: a snapshot is about to be taken up to it.
    pub(super) fn horizon(&self, end: Timestamp) {
        self.horizon.store(end.millis(), Ordering::SeqCst);
    }

    /// Keeps those that are late; answers how many had no room.
    pub(super) fn put(&self, samples: &[(Labels, Timestamp, f64)]) -> usize {
        let horizon = self.horizon.load(Ordering::SeqCst);
        let late = samples.iter().filter(|(_, at, _)| at.millis() <= horizon);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (room, mut lost) = (MOST.saturating_sub(waiting.len()), 0);
        for (index, sample) in late.enumerate() {
            if index < room {
                waiting.push(sample.clone());
            } else {
                lost += 1;
            }
        }
        lost
    }

    pub(super) fn take(&self) -> Vec<(Labels, Timestamp, f64)> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
