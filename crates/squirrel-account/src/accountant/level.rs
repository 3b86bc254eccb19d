//! How the figures are got here, in words.

use super::{Accountant, Namespace};
use crate::packets::ByPackets;
use crate::picture::{Level, PartStatus};

/// Whether packets of any interface there are counted.
fn counts(namespace: &Namespace) -> bool {
    namespace.packets.as_ref().is_some_and(ByPackets::works)
}

impl Accountant {
    /// How the accountant gets its figures here, and what it lacks.
    pub fn level(&self) -> Level {
        let mut parts = self.parts();
        let ledger = self.ledger_works();
        let denied = &self.owners.denied;
        let packets = self.namespaces.iter().flatten().any(counts);
        let (name, meaning, next) = if ledger && packets {
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
        } else if (denied.is_empty() || self.may_trace) && self.owners_failure.is_none() {
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
            let missing = denied.sentence(self.may_trace, "the descriptors", "the descriptors");
            parts.push(PartStatus { part: "descriptors".to_owned(), missing: Some(missing) });
        }
        let mut meaning = meaning.to_owned();
        if packets {
            meaning += " It counts each packet of the interfaces too, so that their books are exact.";
            meaning += &self.uncounted();
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

    /// What the counts of packets leave out, as further sentences.
    fn uncounted(&self) -> String {
        let mut text = String::new();
        let namespaces = self.namespaces.iter().flatten();
        let (mut missing, mut all, mut without) = (0, 0, 0);
        for namespace in namespaces {
            match namespace.packets.as_ref().filter(|_| counts(namespace)) {
                Some(packets) => {
                    let (missing_here, here) = packets.missing();
                    missing += missing_here;
                    all += here;
                }
                None => without += 1,
            }
        }
        if missing > 0 {
            text += &format!(" {missing} of {all} interfaces are estimated.");
        }
        if without > 0 {
            let word = if without == 1 { "namespace" } else { "namespaces" };
            text += &format!(" Interfaces of {without} other network {word} are estimated.");
        }
        text
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
        for (place, namespace) in self.namespaces.iter().flatten().enumerate() {
            let Some(packets) = &namespace.packets else { continue };
            let of = if place == 0 { String::new() } else { format!(" in {}", namespace.subject()) };
            parts.extend(packets.parts(&of));
        }
        if let Some(missing) = &self.packets_missing {
            parts.push(part("packets", Some(missing.clone())));
        }
        if let Some(failure) = &self.owners_failure {
            parts.push(part("processes", Some(failure.clone())));
        }
        parts
    }
}
