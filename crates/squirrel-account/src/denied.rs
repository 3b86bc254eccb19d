//! Processes that may not be looked at: which, and what is missing.

use squirrel_model::Untrusted;
use squirrel_sys::Kernel;
use squirrel_sys::privilege::Capabilities;

/// Named in a sentence.
const EXAMPLES: usize = 3;
/// The parent of the kernel's own threads, which have no descriptors and live in the first namespace.
const KTHREADD: u32 = 2;

/// Processes that may not be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denied {
    count: usize,
    examples: Vec<String>,
}

impl Denied {
    /// Notes a process, unless it is a thread of the kernel or gone by now.
    pub fn note(&mut self, kernel: &dyn Kernel, pid: u32) {
        let mut buffer = Vec::new();
        let Some(stat) = crate::identity::stat(kernel, pid, &mut buffer) else { return };
        if pid == KTHREADD || stat.parent == KTHREADD {
            return;
        }
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(format!("{} ({pid})", Untrusted(&stat.name)));
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What is not seen of whom, and why, such as `the descriptors of 2 processes may not be seen: …`. `may_trace` says
    /// whether whoever looked has `CAP_SYS_PTRACE`; `one` and `many` are what is not seen of one process and of several.
    pub fn sentence(&self, may_trace: bool, one: &str, many: &str) -> String {
        let Self { count, examples } = self;
        let (what, processes) =
            if *count == 1 { (one, "1 process".to_owned()) } else { (many, format!("{count} processes")) };
        let more = if *count > examples.len() { ", …" } else { "" };
        let why = if may_trace {
            "the kernel refuses it although CAP_SYS_PTRACE is there, as it does for a process with more privileges"
        } else {
            "CAP_SYS_PTRACE is missing"
        };
        format!("{what} of {processes} may not be seen ({}{more}): {why}", examples.join(", "))
    }
}

/// Whether this process has the privilege to look at others.
pub(crate) fn may_trace() -> bool {
    Capabilities::read().is_ok_and(|held| held.effective.contains("CAP_SYS_PTRACE"))
}

/// The processes whose network namespace may not be asked for.
pub(crate) fn of_namespaces(kernel: &dyn Kernel) -> Denied {
    let (mut denied, mut pids, mut leads_to) = (Denied::default(), Vec::new(), Vec::new());
    let listed = kernel.list("/proc", &mut |name| {
        pids.extend(std::str::from_utf8(name).ok().and_then(|name| name.parse::<u32>().ok()));
    });
    if listed.is_ok() {
        pids.sort_unstable();
        for pid in pids {
            if kernel.link(&format!("/proc/{pid}/ns/net"), &mut leads_to).is_err_and(|error| error.is_forbidden()) {
                denied.note(kernel, pid);
            }
        }
    }
    denied
}

#[cfg(test)]
mod tests {
    use squirrel_testkit::FakeKernel;

    use super::*;

    #[test]
    fn those_that_are_not_seen_are_named_and_counted_rightly() {
        let kernel = FakeKernel::default();
        for (pid, name, parent) in
            [(1, "init", 0), (2, "kthreadd", 0), (9, "kworker", 2), (50, "evil\x1b[2J", 1), (51, "b", 1), (52, "c", 1)]
        {
            kernel.write(
                &format!("/proc/{pid}/stat"),
                format!("{pid} ({name}) S {parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 7 0 0\n"),
            );
        }
        let mut denied = Denied::default();
        for pid in [2, 9, 77] {
            denied.note(&kernel, pid);
        }
        assert!(denied.is_empty(), "threads of the kernel have nothing to see, and 77 is gone");
        denied.note(&kernel, 50);
        let text = denied.sentence(false, "the network namespace", "the network namespaces");
        assert!(text.starts_with("the network namespace of 1 process may not be seen (evil"), "{text}");
        assert!(
            text.contains("(50)): ") && text.contains("CAP_SYS_PTRACE is missing") && !text.contains('\x1b'),
            "{text}"
        );
        for pid in [51, 52, 1] {
            denied.note(&kernel, pid);
        }
        let text = denied.sentence(true, "the network namespace", "the network namespaces");
        assert!(text.contains("although CAP_SYS_PTRACE is there"), "{text}");
        assert!(
            text.starts_with("the network namespaces of 4 processes may not be seen") && text.contains("c (52), …)"),
            "{text}"
        );
    }
}
