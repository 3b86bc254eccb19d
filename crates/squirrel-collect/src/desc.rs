//! What a collector is, and what the table says about it.

use squirrel_model::{Batch, Elapsed, Metric};
use squirrel_sys::{Kernel, SysError};

/// Reads one part of the kernel's state.
pub trait Collector: Send {
    /// Adds what the kernel says now to `out`. It cannot fail: what could not be read is a fault in
    /// the batch, beside the rows that could.
    ///
    /// In the steady state it allocates nothing: labels and names made at run time are kept from
    /// tick to tick, and forgotten when what they name is gone. Rows come in the same order each tick.
    fn collect(&mut self, kernel: &dyn Kernel, now: Elapsed, out: &mut Batch);
}

/// One row of the table of collectors.
pub struct CollectorDesc {
    /// The name in the configuration, in the label `collector` and on screens.
    pub name: &'static str,
    /// One sentence: what it reads.
    pub about: &'static str,
    /// Every metric, or family of metrics, that it may emit.
    pub metrics: &'static [&'static Metric],
    /// Makes a collector. Having one proves that its source could be read once.
    pub open: fn(&dyn Kernel) -> Opened,
}

/// Puts lists of declarations together, for the tables of collectors that are made of several files. `LEN` is
/// the sum of their lengths.
pub(crate) const fn join<const LEN: usize>(lists: &[&[&'static Metric]]) -> [&'static Metric; LEN] {
    let mut joined: [&'static Metric; LEN] = [lists[0][0]; LEN];
    let (mut list, mut filled) = (0, 0);
    while list < lists.len() {
        let mut i = 0;
        while i < lists[list].len() {
            joined[filled] = lists[list][i];
            (i, filled) = (i + 1, filled + 1);
        }
        list += 1;
    }
    assert!(filled == LEN, "LEN is the sum of the lengths");
    joined
}

/// A collector, or why there is none.
pub type Opened = Result<Box<dyn Collector>, Unavailable>;

/// Why a collector cannot run here: a sentence for a person that says what is missing and what
/// would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(String);

impl Unavailable {
    /// From a whole sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// From the call that failed. `when_absent` says what it means that this kernel has no such
    /// thing and what would bring it; it is a sentence of its own.
    pub fn because(error: &SysError, when_absent: &str) -> Self {
        Self(if error.is_absent() {
            format!("{} does not exist on this kernel. {when_absent}", error.subject)
        } else {
            sentence(error)
        })
    }
}

/// A failed call as a sentence for a person.
fn sentence(error: &SysError) -> String {
    if error.is_forbidden() {
        format!(
            "Reading {} is not permitted for this user. Run squirrel as root, or grant the capability with \
             `setcap cap_net_admin,cap_dac_read_search+ep squirrel`.",
            error.subject
        )
    } else {
        format!("{} of {} failed: {}.", error.call, error.subject, error.source)
    }
}

/// Adds a failed call to the batch as a fault.
pub(crate) fn report(out: &mut Batch, error: &SysError) {
    let reason = if error.is_absent() {
        format!("{} does not exist on this kernel at the moment.", error.subject)
    } else {
        sentence(error)
    };
    out.fault(error.subject.clone(), reason);
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_sentence_tells_absent_forbidden_and_broken_apart() {
        let because = |errno| {
            let error = SysError::new("read", "/proc/net/x", io::Error::from_raw_os_error(errno));
            Unavailable::because(&error, "Load module x.").to_string()
        };
        assert_eq!(because(2), "/proc/net/x does not exist on this kernel. Load module x.");
        assert!(because(13).contains("not permitted") && because(13).contains("setcap"));
        assert!(because(5).starts_with("read of /proc/net/x failed: "));
    }
}
