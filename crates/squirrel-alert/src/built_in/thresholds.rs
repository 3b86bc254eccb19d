//! The table of thresholds: from which value on something is told, by the built-in rules and by the verdict's checks
//! alike. Each may be set in the configuration, and none stands anywhere else.

use std::collections::BTreeMap;

use super::Shown::{self, Count, Days, Percent, Score, Seconds};

/// A value from which on, or below which, something is told.
#[derive(Debug, PartialEq)]
pub struct Threshold {
    /// Its name in the configuration; stable.
    pub name: &'static str,
    /// Its value unless the configuration says otherwise, in the base unit (a share is 0 to 1).
    pub usual: f64,
    /// How values beside it are shown.
    pub shown: Shown,
    /// What it is about, for the sample of the configuration.
    pub about: &'static str,
}

/// One event counts: `increase` extrapolates, so a single one may be a little less than 1.
const ONCE: f64 = 0.5;

/// What is either so or not: there is nothing to set.
pub static FLAG: Threshold = Threshold { name: "", usual: ONCE, shown: Count, about: "" };

/// For what is never worse than a warning.
pub static NEVER: Threshold = Threshold { name: "", usual: f64::INFINITY, shown: Count, about: "" };

/// Declares the thresholds and their table.
macro_rules! thresholds {
    ($($item:ident = $name:literal: $usual:expr, $shown:expr, $about:literal;)*) => {
        $(
            #[doc = $about]
            pub static $item: Threshold = Threshold { name: $name, usual: $usual, shown: $shown, about: $about };
        )*

        /// All thresholds that can be set, in the order of the sample.
        pub static THRESHOLDS: &[&Threshold] = &[$(&$item),*];
    };
}

thresholds! {
    LINK_BUSY = "link_busy": 0.80, Percent, "Share of a link's speed from which it is busy: its queue grows faster than averages show.";
    LINK_FULL = "link_full": 0.95, Percent, "Share of a link's speed from which the verdict calls it full.";
    THROUGHPUT_FLOOR = "throughput_floor": 0.0, Count, "Bytes a second that each interface with a link should move at least, both ways together; 0 expects none.";
    INTERFACE_ERRORS_SEEN = "interface_errors_seen": ONCE, Count, "Damaged frames in 5 minutes from which the verdict mentions them.";
    INTERFACE_ERRORS = "interface_errors": 10.0, Count, "Damaged frames in 5 minutes from which it is more than one bad moment.";
    INTERFACE_ERRORS_MANY = "interface_errors_many": 300.0, Count, "Damaged frames in 5 minutes from which the verdict calls it bad.";
    INTERFACE_DROPS_SEEN = "interface_drops_seen": 0.001, Percent, "Share of an interface's packets dropped in 5 minutes from which the verdict mentions it.";
    INTERFACE_DROPS = "interface_drops": 0.01, Percent, "Share of an interface's packets dropped in 5 minutes from which TCP slows down markedly.";
    QUEUE_DROPS = "queue_drops": 0.01, Percent, "Share of the packets that a queueing discipline drops from which the verdict mentions it.";
    QUEUE_DROPS_MANY = "queue_drops_many": 0.05, Percent, "The same, from which the verdict calls it bad.";
    CARRIER_CHANGES_SEEN = "carrier_changes_seen": 1.5, Count, "Changes of a link within 5 minutes from which the verdict mentions them.";
    CARRIER_CHANGES = "carrier_changes": 2.5, Count, "Changes of a link within 10 minutes from which it flaps: down and up again are two.";
    CARRIER_CHANGES_MANY = "carrier_changes_many": 6.0, Count, "Changes of a link within 5 minutes from which the verdict calls it bad.";
    RETRANSMISSIONS = "retransmissions": 0.01, Percent, "Share of TCP's segments sent again from which users feel it.";
    RETRANSMISSIONS_MANY = "retransmissions_many": 0.05, Percent, "Share of TCP's segments sent again at which throughput collapses.";
    ACCEPT_QUEUE_OVERFLOWS = "accept_queue_overflows": ONCE, Count, "Connections turned away in 5 minutes because a program did not accept them.";
    ACCEPT_QUEUE_OVERFLOWS_MANY = "accept_queue_overflows_many": 10.0, Count, "The same, from which the verdict calls it bad.";
    SYN_QUEUE_OVERFLOWS = "syn_queue_overflows": ONCE, Count, "Times in 5 minutes that a SYN queue was full.";
    UDP_DROPS_SEEN = "udp_drops_seen": ONCE, Count, "UDP datagrams lost at full receive buffers in 5 minutes from which the verdict mentions them.";
    UDP_DROPS = "udp_drops": 10.0, Count, "UDP datagrams lost at full receive buffers in 5 minutes.";
    UDP_DROPS_MANY = "udp_drops_many": 300.0, Count, "The same, from which the verdict calls it bad.";
    CONNTRACK_FILL = "conntrack_fill": 0.80, Percent, "Fill of the connection-tracking table from which the next burst fills it.";
    CONNTRACK_FULL = "conntrack_full": 0.95, Percent, "Fill of the connection-tracking table from which the verdict calls it bad.";
    CONNTRACK_DROPS = "conntrack_drops": ONCE, Count, "Packets that connection tracking dropped in 5 minutes.";
    CONNTRACK_DROPS_MANY = "conntrack_drops_many": 10.0, Count, "The same, from which the verdict calls it bad.";
    NEIGHBOUR_FILL = "neighbour_fill": 0.80, Percent, "Fill of a neighbour table from which the next burst fills it.";
    NEIGHBOUR_FULL = "neighbour_full": 0.95, Percent, "Fill of a neighbour table from which the verdict calls it bad.";
    NEIGHBOUR_OVERFLOWS = "neighbour_overflows": ONCE, Count, "Times in 5 minutes that a neighbour table was full.";
    SOFTNET_DROPS_SEEN = "softnet_drops_seen": ONCE, Count, "Packets that the processors' receive queues dropped in 5 minutes from which the verdict mentions them.";
    SOFTNET_DROPS = "softnet_drops": 10.0, Count, "Packets that the processors' receive queues dropped in 5 minutes.";
    SOFTNET_DROPS_MANY = "softnet_drops_many": 300.0, Count, "The same, from which the verdict calls it bad.";
    LATENCY = "latency": 0.1, Seconds, "Average round trip of a probe over 5 minutes, in seconds.";
    LOSS = "loss": 0.01, Percent, "Share of probes without an answer over 5 minutes, the loss from which people feel it.";
    JITTER = "jitter": 0.03, Seconds, "Standard deviation of a probe's round trips over 5 minutes, in seconds, from which voice suffers.";
    DNS_FAILURES = "dns_failures": 0.01, Percent, "Share of DNS probes that failed over 5 minutes.";
    DNS_TIME = "dns_time": 0.2, Seconds, "Average time of a name's resolution over 5 minutes, in seconds.";
    CERTIFICATE_DAYS = "certificate_days": 14.0, Days, "Days before a certificate expires from which it is told.";
    BURN = "burn": 6.0, Score, "How fast an error budget is spent over 6 hours and 30 minutes from which it is told; 1 spends all of it in exactly the objective's window.";
    BURN_FAST = "burn_fast": 14.4, Score, "The same over an hour and 5 minutes, which tells of an outage sooner.";
    CALL_QUALITY = "call_quality": 3.6, Score, "Mean opinion score of a minute's pings (1 to 4.5) below which many users of a call complain.";
    PATH_CHANGES = "path_changes": ONCE, Count, "Changes of a path within 15 minutes from which they are told.";
    READINGS_MISSED = "readings_missed": 10.0, Count, "Readings that Squirrel missed in 5 minutes.";
    SAMPLES_LOST = "samples_lost": ONCE, Count, "Samples or readings that Squirrel could not keep in 5 minutes.";
    EPHEMERAL_PORTS = "ephemeral_ports": 0.8, Percent, "Share of the ephemeral ports in use towards one destination from which it will soon take no further connection.";
    DISK_FREE = "disk_free": 0.05, Percent, "Free share of the store's file system below which it is soon full.";
    STORE_DAMAGE = "store_damage": ONCE, Count, "Damaged parts and failures of tidying up that the store met in 15 minutes.";
}

/// The thresholds in force: those of the table, and what the configuration sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds(BTreeMap<&'static str, f64>);

/// A threshold that cannot be set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    /// There is none of this name.
    #[error("{name:?} is no threshold{}; `squirrel config init` lists all", nearest(name))]
    Unknown {
        /// The name.
        name: String,
    },
    /// Not a number, below zero, or a share above 1.
    #[error("{name} is {}, not {value}", if *share { "a share, 0 to 1" } else { "a number, at least 0" })]
    Value {
        /// Its name.
        name: &'static str,
        /// What was given.
        value: f64,
        /// Whether it is a share.
        share: bool,
    },
}

impl Thresholds {
    /// Sets one.
    ///
    /// # Errors
    /// A name that is not in the table, or a value that the threshold cannot have.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), ThresholdError> {
        let Some(threshold) = THRESHOLDS.iter().find(|threshold| threshold.name == name) else {
            return Err(ThresholdError::Unknown { name: name.to_owned() });
        };
        let share = threshold.shown == Percent;
        if !value.is_finite() || value < 0.0 || share && value > 1.0 {
            return Err(ThresholdError::Value { name: threshold.name, value, share });
        }
        self.0.insert(threshold.name, value);
        Ok(())
    }

    /// The value in force.
    pub fn get(&self, threshold: &Threshold) -> f64 {
        self.0.get(threshold.name).copied().unwrap_or(threshold.usual)
    }

    /// Those that the configuration sets, by name.
    pub fn set_ones(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.0.iter().map(|(name, value)| (*name, *value))
    }
}

/// `, did you mean …` for a name that is nearly one of the table.
fn nearest(name: &str) -> String {
    let like = |known: &str| {
        let shared = known.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
        shared >= 4 && shared * 2 >= known.len()
    };
    let found = THRESHOLDS.iter().find(|threshold| like(threshold.name));
    found.map_or_else(String::new, |threshold| format!(", did you mean {}?", threshold.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_set_by_name_and_a_wrong_one_is_told() {
        let mut set = Thresholds::default();
        assert_eq!(set.get(&LINK_BUSY), 0.80);
        assert_eq!(set.set("link_busy", 0.5), Ok(()));
        assert_eq!(set.get(&LINK_BUSY), 0.5);
        let said = |result: Result<(), ThresholdError>| result.unwrap_err().to_string();
        assert_eq!(
            said(set.set("link_bussy", 0.5)),
            "\"link_bussy\" is no threshold, did you mean link_busy?; `squirrel config init` lists all"
        );
        assert_eq!(said(set.set("loss", 80.0)), "loss is a share, 0 to 1, not 80");
        assert_eq!(said(set.set("dns_time", -1.0)), "dns_time is a number, at least 0, not -1");
        assert_eq!(set.set_ones().collect::<Vec<_>>(), [("link_busy", 0.5)]);
    }

    #[test]
    fn names_are_unique_and_say_what_they_are_about() {
        let names: std::collections::BTreeSet<&str> = THRESHOLDS.iter().map(|threshold| threshold.name).collect();
        assert_eq!(names.len(), THRESHOLDS.len());
        for threshold in THRESHOLDS {
            assert!(threshold.about.ends_with('.') && threshold.about.len() > 20, "{}", threshold.name);
        }
    }
}
