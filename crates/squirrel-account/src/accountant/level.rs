//! How the figures are got here, in words.

use super::Accountant;
use crate::denied::may_trace;
use crate::picture::{Level, PartStatus};

impl Accountant {
    /// How the accountant gets its figures here, and what it lacks.
    pub fn level(&self) -> Level {
        let mut parts = self.parts();
        let ledger = self.ledger_works();
        let denied = &self.owners.denied;
        let packets = self.packets.as_ref().filter(|packets| packets.works());
        let (name, meaning, next) = if ledger && packets.is_some() {
            (
                "packets",
                "The kernel counts the bytes of each socket by process, TCP and UDP, from the first to the last.",
                None,
            )
        } else if ledger {
            (
                "sockets",
                "The kernel counts the bytes of each socket by process, TCP and UDP, from the first to the last. \
                 What an interface carries beyond them is estimated.",
                Some("Counting each packet in the kernel (level `packets`) makes the interfaces' books exact."),
            )
        } else if (denied.is_empty() || may_trace()) && self.owners_failure.is_none() {
            (
                "counters",
                "TCP is counted by the kernel's own counters of each connection, which it also announces at the end; \
                 owners are found among the descriptors of processes, so a connection that ends within a second may \
                 have none. UDP is listed but not counted.",
                Some(
                    "The kernel-side ledger of sockets needs CAP_BPF, CAP_PERFMON and a kernel with type information (BTF).",
                ),
            )
        } else {
            (
                "own",
                "As with `counters`, but only the sockets of one's own processes have an owner; those of others are \
                 counted and belong to nobody.",
                Some("To see the owners of all sockets run as root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH."),
            )
        };
        if !denied.is_empty() {
            let missing = denied.sentence("the descriptors", "the descriptors");
            parts.push(PartStatus { part: "descriptors".to_owned(), missing: Some(missing) });
        }
        let mut meaning = meaning.to_owned();
        if let Some(packets) = packets {
            meaning += " It counts each packet of the interfaces of this network namespace too, so that their books \
                        are exact.";
            meaning += &packets.limits(self.namespaces.iter().flatten().count());
        }
        if self.load.sampling > 1 {
            meaning += &format!(
                " There are more connections than are followed: one in {} is, and counts as many times, every {} steps. \
                 Sums may be wrong by {:.1} %.",
                self.load.sampling,
                self.load.period(),
                self.load.error(self.table.open()) * 100.0
            );
        }
        if let Some(warning) = self.memory_warning() {
            parts.push(PartStatus { part: "memory".to_owned(), missing: Some(warning) });
        }
        Level { name, meaning, next: next.map(str::to_owned), parts }
    }

    fn parts(&self) -> Vec<PartStatus> {
        let part = |part: &str, missing: Option<String>| PartStatus { part: part.to_owned(), missing };
        let mut parts = Vec::new();
        for namespace in self.namespaces.iter().flatten() {
            let subject = namespace.subject();
            parts.push(part(&format!("sockets of {subject}"), namespace.failure.clone()));
            if namespace.ended.is_none() {
                parts.push(part(&format!("ends of sockets of {subject}"), Some("not announced here".to_owned())));
            }
        }
        for missing in &self.namespaces_missing {
            parts.push(part("namespaces", Some(missing.clone())));
        }
        match &self.ledger {
            Some(ledger) => {
                parts.extend(ledger.parts().into_iter().map(|(part, missing)| PartStatus { part, missing }));
                parts.push(part("ledger", self.ledger_failure.clone()));
            }
            None => parts.push(part("ledger", Some(self.ledger_missing.clone()))),
        }
        if let Some(packets) = &self.packets {
            parts.extend(packets.parts());
        } else if let Some(missing) = &self.packets_missing {
            parts.push(part("packets", Some(missing.clone())));
        }
        if let Some(failure) = &self.owners_failure {
            parts.push(part("processes", Some(failure.clone())));
        }
        parts
    }
}
