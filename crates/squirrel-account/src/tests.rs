//! The accountant with kernels in memory.

mod books;
mod bounds;
mod conservation;
mod groups;
mod hostile;
mod kinds;
mod ledger;
mod owners;
mod packets;
mod sockets;
mod world;

use super::*;

#[test]
fn every_metric_says_what_it_counts_why_it_matters_and_what_to_check() {
    assert_eq!(catalogue().duplicates(), Vec::<&str>::new());
    for metric in catalogue().iter() {
        let name = &metric.name;
        assert!(metric.help.ends_with('.') && metric.help.len() > 10, "{name}: the help is not a sentence");
        assert!(metric.why.ends_with('.') && metric.why.len() > 10, "{name}: the why is not a sentence");
        assert!(metric.check.iter().all(|check| check.ends_with(['.', '?'])), "{name}: a check is not a sentence");
        assert!(!metric.check.is_empty(), "{name}: nothing to check first");
    }
}
