//! When packets are counted: always if the configuration says so, else while somebody looks, for which a view asks
//! again and again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use squirrel_account::Accountant;
use squirrel_keeper::{Keeper, Standing};
use squirrel_model::{Elapsed, Untrusted};

use super::packets;
use crate::keeper::Running;

/// How long packets are counted for one who asks, at most: a view that is closed must not cost its host much longer.
pub(crate) const LONGEST_LEASE: Duration = Duration::from_mins(1);

/// Wait before another attempt, when the process that counts has died or cannot be started.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Longest wait for an answer of the process that counts. It loads its programs when it is first asked: who wants
/// packets counted from the begin waits for that, a daemon whose tables others look at does not.
const PATIENCE: Duration = Duration::from_secs(10);
const HASTE: Duration = Duration::from_secs(1);

/// Said where no process can count.
const NOT_PERMITTED: &str = "packets are counted by a process with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and \
                             CAP_SYS_ADMIN; start squirrel as root, or with these";

/// Until when packets are to be counted. All who look share the longest lease.
#[derive(Debug, Default)]
pub(crate) struct Leases(Mutex<Option<Elapsed>>);

impl Leases {
    /// Counts packets for `time` from now on, and at most [`LONGEST_LEASE`]. Answers how long that is.
    pub(crate) fn renew(&self, time: Duration, now: Elapsed) -> Duration {
        let time = time.min(LONGEST_LEASE);
        let until = Elapsed(now.0.saturating_add(time));
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = last.map_or(until, |last| last.max(until));
        *last = Some(longest);
        longest.0.saturating_sub(now.0)
    }

    fn runs(&self, now: Elapsed) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| now < until)
    }
}

/// The counting of packets: on or off.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    always: bool,
    process: Option<Keeper>,
    /// The next attempt, after one that failed.
    next: Elapsed,
    /// Whether it was wished at the last look.
    wished: bool,
}

impl Counting {
    /// Counts only for who asks, or `always`.
    pub(crate) fn new(always: bool) -> Self {
        Self { always, ..Self::default() }
    }

    /// Begins or ends the counting, as is wished now. To be called between two steps.
    pub(crate) fn tend(
        &mut self,
        leases: &Leases,
        now: Elapsed,
        keeper: Option<&Running>,
        accountant: &mut Accountant,
    ) {
        let wished = self.always || leases.runs(now);
        let before = std::mem::replace(&mut self.wished, wished);
        let Some(keeper) = keeper else {
            match (before, wished) {
                (false, true) => accountant.set_packets_missing(NOT_PERMITTED.to_owned()),
                (true, false) => accountant.clear_packets(),
                _ => {}
            }
            return;
        };
        if self.process.as_ref().is_some_and(|process| process.standing() == Some(Standing::Gone)) {
            let how = keeper.end_frames().unwrap_or_else(|| "nobody knows how".to_owned());
            tracing::error!("accounting: the process that counts packets died ({})", Untrusted(&how));
            self.end(accountant);
            accountant.set_packets_missing(format!("the process that counts packets died ({how})"));
            self.next = Elapsed(now.0 + AGAIN_AFTER);
        }
        match (wished, &self.process) {
            (true, None) if now >= self.next => match keeper.count_frames(if self.always { PATIENCE } else { HASTE }) {
                Ok(process) => {
                    accountant.set_packets(packets::everywhere(&process));
                    self.process = Some(process);
                }
                Err(error) => {
                    accountant.set_packets_missing(error.source.to_string());
                    self.next = Elapsed(now.0 + AGAIN_AFTER);
                }
            },
            (false, Some(_)) => {
                self.end(accountant);
                keeper.end_frames();
            }
            (false, None) if before => accountant.clear_packets(),
            _ => {}
        }
    }

    fn end(&mut self, accountant: &mut Accountant) {
        accountant.clear_packets();
        self.process = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_lease_counts_and_none_is_longer_than_a_minute() {
        let leases = Leases::default();
        let at = |seconds| Elapsed(Duration::from_secs(seconds));
        let seconds = Duration::from_secs;
        assert!(!leases.runs(at(0)));
        assert_eq!(leases.renew(seconds(30), at(10)), seconds(30));
        assert_eq!(leases.renew(seconds(5), at(12)), seconds(28), "another who looks longer is not cut short");
        assert!(leases.runs(at(39)) && !leases.runs(at(40)));
        assert_eq!(leases.renew(seconds(86_400), at(50)), seconds(60));
        assert!(leases.runs(at(109)) && !leases.runs(at(110)));
    }
}
