//! The kernel's network state as a [`Batch`](squirrel_model::Batch), from one table of collectors.
//!
//! Each collector stands in one file below `collectors/` and has one row in [`COLLECTORS`]: its
//! name, the metrics it may emit, and how it is opened.
//! [`Schedule`] opens them all and runs them once a tick. A reading never fails as a whole: what
//! could not be read is a fault in the batch, and a collector that cannot run here says why.
//!
//! Metrics that node_exporter has keep its names, labels and units.
//!
//! Absences: no store, no screen, no clock, no socket of its own (all questions go through
//! [`squirrel_sys::Kernel`]). Nothing here subtracts: counters are given as the kernel gives them.
#![forbid(unsafe_code)]

mod collectors;
mod desc;
mod interface_names;
mod page_size;
mod parse;
mod schedule;
mod spread;
#[cfg(test)]
mod testing;

pub use collectors::{COLLECTORS, EphemeralPorts, PortsTo, ephemeral_ports};
pub use desc::{Collector, CollectorDesc, Opened, Unavailable};
pub use schedule::{RETRY_AFTER, Schedule, State, Status};

use squirrel_model::Catalogue;

/// The declarations of everything that a [`Schedule`] can emit.
pub fn catalogue() -> Catalogue {
    Catalogue::new(COLLECTORS.iter().map(|desc| desc.metrics).chain([schedule::METRICS]))
}

/// The row of the table with this name.
pub fn find(name: &str) -> Option<&'static CollectorDesc> {
    COLLECTORS.iter().copied().find(|desc| desc.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_are_unique() {
        let names: Vec<_> = COLLECTORS.iter().map(|desc| desc.name).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
        assert!(find("softnet").is_some() && find("nonsense").is_none());
    }

    #[test]
    fn no_name_is_declared_twice() {
        assert_eq!(catalogue().duplicates(), Vec::<&str>::new());
    }

    #[test]
    fn every_metric_says_what_it_counts_why_it_matters_and_what_to_check() {
        for metric in catalogue().iter() {
            let name = &metric.name;
            assert!(metric.help.ends_with('.') && metric.help.len() > 10, "{name}: the help is not a sentence");
            assert!(metric.why.ends_with('.') && metric.why.len() > 10, "{name}: the why is not a sentence");
            assert!(!metric.check.is_empty(), "{name}: nothing to check first");
            assert!(metric.check.iter().all(|check| check.ends_with(['.', '?'])), "{name}: a check is not a sentence");
        }
    }

    #[test]
    fn every_collector_says_what_it_is_about() {
        for desc in COLLECTORS {
            assert!(desc.about.ends_with('.') && !desc.metrics.is_empty(), "{}", desc.name);
        }
    }
}
